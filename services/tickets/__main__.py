"""``python -m services.tickets``: read settings, build, run."""

import shared.unneeded  # noqa: F401 - before all that it keeps small
from services.tickets.app import build
from services.tickets.settings import Settings
from shared import service

service.main("tickets", Settings(), build)
