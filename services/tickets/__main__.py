"""``python -m services.tickets``: read settings, build, run."""

from services.tickets.app import build
from services.tickets.settings import Settings
from shared import service

service.main("tickets", Settings(), build)
