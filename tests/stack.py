"""Kafka and MongoDB for tests: real ones, from the same providers as ``postdesk up``, once for a run."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.providers.choice import Backends, choose


@contextmanager
def running_backends() -> Iterator[Backends]:
    """Start them in a folder that is removed afterwards; addresses in the environment win."""
    with tempfile.TemporaryDirectory(prefix="postdesk-test-", ignore_cleanup_errors=True) as folder:
        backends = choose(
            Path(folder),
            kafka=os.environ.get("POSTDESK_KAFKA", ""),
            mongo=os.environ.get("POSTDESK_MONGO", ""),
        )
        backends.start()
        try:
            yield backends
        finally:
            backends.stop()
