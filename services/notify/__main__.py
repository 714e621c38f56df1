"""``python -m services.notify``: read settings, build, run."""

from services.notify.app import build
from services.notify.settings import Settings
from shared import service

service.main("notify", Settings(), build)
