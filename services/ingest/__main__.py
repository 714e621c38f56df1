"""``python -m services.ingest``: read settings, build, run."""

import shared.unneeded  # noqa: F401 - before all that it keeps small
from services.ingest.app import build
from services.ingest.settings import Settings
from shared import service

# Not Kafka: while it is away mail is taken all the same.
service.main("ingest", Settings(), build, needs=("mongo",))
