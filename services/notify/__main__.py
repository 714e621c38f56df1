"""``python -m services.notify``: read settings, build, run."""

import shared.unneeded  # noqa: F401 - before all that it keeps small
from services.notify.app import build
from services.notify.settings import Settings
from shared import interpreter, service

interpreter.keep_long_buffers_out_of_the_heap()
service.main("notify", Settings(), build)
