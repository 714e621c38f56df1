from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Unconfigured, structlog would draw each expected traceback in colours."""
    with structlog.testing.capture_logs():
        yield
