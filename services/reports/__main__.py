"""``python -m services.reports``: read settings, build, run."""

import shared.unneeded  # noqa: F401 - before all that it keeps small
from services.reports.app import build
from services.reports.settings import Settings
from shared import service
from shared.bus import UNHURRIED

service.main("reports", Settings(), build, pace=UNHURRIED)
