"""``python -m services.sla``: read settings, build, run."""

import shared.unneeded  # noqa: F401 - before all that it keeps small
from services.sla.app import build
from services.sla.settings import Settings
from shared import service
from shared.bus import STANDS_BACK

service.main("sla", Settings(), build, pace=STANDS_BACK)
