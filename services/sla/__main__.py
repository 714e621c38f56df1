"""``python -m services.sla``: read settings, build, run."""

from services.sla.app import build
from services.sla.settings import Settings
from shared import service

service.main("sla", Settings(), build)
