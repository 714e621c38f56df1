"""``python -m services.ingest``: read settings, build, run."""

from services.ingest.app import build
from services.ingest.settings import Settings
from shared import service

# Not Kafka: while it is away mail is taken all the same.
service.main("ingest", Settings(), build, needs=("mongo",))
