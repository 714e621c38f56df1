"""Dependencies: known vulnerabilities fail, silence is said to be silence, licences are listed."""

import json
import socket
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy import audit, licences

KNOWN = {
    "id": "TEST-2026-1",
    "summary": "It breaks.",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "shaky", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]},
            ],
            "versions": ["1.0"],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """Knows of one bad package, in the form of OSV."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bad = asked["package"]["name"] == "shaky" and asked["version"] == "1.0"
        body = json.dumps({"vulns": [KNOWN]} if bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[list[str]]:
    """Options that have pip-audit ask a service of ours."""
    server = HTTPServer(("127.0.0.1", 0), Advisories)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield ["-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_address[1]}/v1/query"]
    server.shutdown()
    server.server_close()


def locked(tmp_path: Path, *lines: str) -> list[Path]:
    file = tmp_path / "requirements.txt"
    file.write_text("".join(f"{line}\n" for line in lines))
    return [file]


def test_a_known_vulnerability_is_a_failure_and_names_what_mends_it(
    tmp_path: Path, service: list[str]
) -> None:
    result = audit.audit(locked(tmp_path, "shaky==1.0", "steady==2.0"), service)

    assert result.is_bad
    assert result.lines == ["shaky 1.0: TEST-2026-1, mended in 1.1"]


def test_packages_without_one_are_counted(tmp_path: Path, service: list[str]) -> None:
    result = audit.audit(locked(tmp_path, "shaky==1.1", "steady==2.0"), service)

    assert result == audit.Verdict(["No known vulnerability in 2 packages."])


def test_a_service_that_cannot_be_reached_is_said_and_is_no_failure(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1/query"

        result = audit.audit(locked(tmp_path, "steady==2.0"), ["-s", "osv", "--osv-url", url])

    assert not result.is_bad
    assert result.lines[0].startswith("NOT AUDITED: the advisory service cannot be reached")


def test_packages_that_the_service_does_not_know_are_not_called_good() -> None:
    unknown = {"name": "steady", "skip_reason": "not found"}

    result = audit.verdict({"dependencies": [unknown]})

    assert result.lines == [
        "NOT AUDITED: the advisory service says nothing about 1 of 1 packages: steady"
    ]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"License-Expression": "MIT OR Apache-2.0", "License": "x"}, "MIT OR Apache-2.0"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "Copyright (c) 2026\nAll of it", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD License"),
        ({"Classifier": "License :: OSI Approved"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_licence_is_what_the_package_says_in_short(headers: dict[str, str], said: str) -> None:
    about = Message()
    for name, value in headers.items():
        about[name] = value

    assert licences.licence(about) == said  # type: ignore[arg-type]


def test_every_locked_package_has_its_licence_on_the_page() -> None:
    assert licences.main(["--check"]) == 0
