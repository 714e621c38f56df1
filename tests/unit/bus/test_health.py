import asyncio
from contextlib import suppress

import pytest

from shared.health import Check, Health, HealthServer


@pytest.fixture
async def served():
    health = Health()
    server = HealthServer(health, "127.0.0.1:0")
    await server.start()
    yield health, server.address
    await server.stop()


async def ask(address: str, request: bytes) -> bytes:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def test_nothing_is_ready_before_anything_was_looked_at() -> None:
    assert not Health().is_ready


def test_a_check_that_is_not_needed_does_not_make_it_unready() -> None:
    health = Health()
    health.set("mongo", Check(is_ok=True))
    health.set("kafka", Check(is_ok=False, detail="away", needed=False))

    assert health.is_ready
    health.set("mongo", Check(is_ok=False))
    assert not health.is_ready


async def test_readiness_is_told_with_a_status_and_each_check(served) -> None:
    health, address = served
    health.set("mongo", Check(is_ok=False, detail="does not answer"))

    answer = await ask(address, b"GET /readyz HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"mongo":{"ok":false,"detail":"does not answer"}' in answer


async def test_metrics_are_told_as_prometheus_reads_them(served) -> None:
    health, address = served
    health.set("mongo", Check(is_ok=True))

    answer = await ask(address, b"GET /metrics HTTP/1.1\r\n\r\n")

    assert b'postdesk_up{check="mongo"} 1.0' in answer


@pytest.mark.parametrize(
    "request_bytes", [b"", b"\r\n\r\n", b"\xff\xfe \xff\r\n\r\n", b"x" * 100_000]
)
async def test_nonsense_ends_the_connection_and_nothing_else(served, request_bytes) -> None:
    _, address = served

    with suppress(ConnectionError):
        await ask(address, request_bytes)

    assert b" 200 " in await ask(address, b"GET /livez HTTP/1.1\r\n\r\n")
