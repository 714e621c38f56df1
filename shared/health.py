"""What a process says about itself over HTTP: `/livez`, `/readyz` and `/metrics`."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from shared import metrics

REQUEST_S = 5.0
REQUEST_BYTES = 8 * 1024


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``needed`` says whether the process is ready without it."""

    is_ok: bool
    detail: str = ""
    needed: bool = True


class Health:
    """The last result of each check; the process is ready when all that are needed pass."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def set(self, name: str, check: Check) -> None:
        """Replace what is known about ``name``."""
        self._checks[name] = check
        metrics.UP.labels(name).set(check.is_ok)

    @property
    def checks(self) -> Mapping[str, Check]:
        """All checks by name."""
        return self._checks

    @property
    def is_ready(self) -> bool:
        """Whether every needed check passes; not before there is one."""
        return bool(self._checks) and all(c.is_ok or not c.needed for c in self._checks.values())

    def report(self) -> bytes:
        """Give the JSON of ``/readyz``."""
        checks = {n: {"ok": c.is_ok, "detail": c.detail} for n, c in self._checks.items()}
        return orjson.dumps({"ready": self.is_ready, "checks": checks})


class HealthServer:
    """Answers GET on one address; port 0 takes a free one, see ``address`` after `start`."""

    def __init__(self, health: Health, address: str) -> None:
        self._health = health
        self.address = address
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises OSError when the address is taken."""
        host, _, port = self.address.rpartition(":")
        self._server = await asyncio.start_server(
            self._serve, host.strip("[]"), int(port), limit=REQUEST_BYTES
        )
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(REQUEST_S):
                request = await reader.readuntil(b"\r\n\r\n")
                status, content_type, body = self._answer(request.split(b" ", 2)[1].decode())
                head = (
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        writer.close()

    def _answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        match path.partition("?")[0]:
            case "/livez":
                return HTTPStatus.OK, "text/plain", b"ok\n"
            case "/readyz":
                ready = self._health.is_ready
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                return status, "application/json", self._health.report()
            case "/metrics":
                return HTTPStatus.OK, metrics.CONTENT_TYPE, metrics.exposition()
            case _:
                return HTTPStatus.NOT_FOUND, "text/plain", b"not found\n"
