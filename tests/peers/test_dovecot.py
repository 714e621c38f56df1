"""Mail fetched from a real Dovecot: moved only when stored, caught up on after an outage."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.parse import parse_qs

import pytest

from deploy.local import maildir
from deploy.local.ports import free_port
from tests.peers.ingest import Ingest, a_mongod

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]

CONFIGURATION = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
first_valid_uid = 1
mail_location = maildir:{folder}/desk@provider.example
{logins}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}
}}
namespace inbox {{
  inbox = yes
  mailbox Archive {{
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""
PASSWORDS = """
passdb {
  driver = static
  args = password=secret
}
"""
TOKENS = """
auth_mechanisms = xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2
}}
"""
INTROSPECTION = """
introspection_url = http://127.0.0.1:{port}/
introspection_mode = post
force_introspection = yes
active_attribute = active
active_value = true
username_attribute = username
"""
SOURCE = """
ingest:
  sources:
    imap:
      - {{mailbox: support@desk.example, host: 127.0.0.1, port: {port}, tls: none,
          user: desk@provider.example, {secret}, after: move}}
"""


class Dovecot:
    """Runs in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.inbox = folder / "desk@provider.example"

    def deliver(self, number: int) -> None:
        raw = f"Message-ID: <{number}@x.example>\nFrom: a@x.example\nSubject: x\n\nhello\n"
        file = maildir.deliver(self.folder, self.inbox.name, raw.encode(), sender="a@x.example")
        file.chmod(0o666)

    def mails_in(self, folder: str) -> int:
        place = self.inbox / folder
        return sum(1 for name in ("cur", "new") for _ in (place / name).glob("*"))


class TokenServer:
    """A provider's introspection endpoint (RFC 7662) that knows one token."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.asked_for: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                token = parse_qs(body)["token"][0]
                tokens.asked_for.append(token)
                is_known = token == tokens.token
                facts = {"active": is_known, "username": "desk@provider.example" * is_known}
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(facts).encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with a_dovecot(PASSWORDS) as server:
        yield server


@contextmanager
def a_dovecot(logins: str, **files: str) -> Iterator[Dovecot]:
    with tempfile.TemporaryDirectory(prefix="postdesk-dovecot-") as name:
        server = Dovecot(Path(name))
        server.folder.chmod(0o755)
        maildir.create(server.inbox)
        subprocess.run(["chown", "-R", "mail:mail", server.inbox], check=True)
        configuration = server.folder / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=server.folder,
                port=server.port,
                logins=logins.format(folder=server.folder) if files else logins,
            ),
            encoding="ascii",
        )
        for file, content in files.items():
            (server.folder / file).write_text(content, encoding="ascii")
        with subprocess.Popen(["dovecot", "-F", "-c", configuration]) as process:
            try:
                yield server
            finally:
                process.terminate()
                process.wait(30)


@contextmanager
def running(ingest: Ingest) -> Iterator[None]:
    ingest.start()
    try:
        yield
        ingest.stop()
    finally:
        ingest.kill()


def until(condition: Callable[[], bool], *, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_mail_is_moved_when_it_is_stored_and_no_sooner(tmp_path: Path, dovecot: Dovecot) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    with a_mongod(tmp_path / "mongo") as server:
        source = SOURCE.format(port=dovecot.port, secret=f"password_file: {password}")
        ingest = Ingest(tmp_path, tmp_path / "state", server.address, more=source)
        dovecot.deliver(0)  # before the first look
        with running(ingest):
            until(ingest.has_looked)
            dovecot.deliver(1)
            until(lambda: dovecot.mails_in(".Archive") == 1)

            server.kill()
            dovecot.deliver(2)
            until(lambda: '"ok":false' in ingest.report())
            assert dovecot.mails_in(".Archive") == 1
            server.launch()
            server.wait_ready()
            until(lambda: dovecot.mails_in(".Archive") == 2)

        dovecot.deliver(3)  # while nobody fetches
        with running(ingest):
            until(lambda: dovecot.mails_in(".Archive") == 3)

        found = ingest.stored()
    assert [row["message_id"] for row in found] == [f"{n}@x.example" for n in (1, 2, 3)]
    assert {row["mailbox"] for row in found} == {"support@desk.example"}
    assert dovecot.mails_in("") == 1


def test_an_access_token_logs_in_and_the_next_login_asks_for_a_new_one(tmp_path: Path) -> None:
    current = tmp_path / "token"
    current.write_text("expired\n")
    with (
        TokenServer("fresh") as tokens,
        a_dovecot(TOKENS, oauth2=INTROSPECTION.format(port=tokens.port)) as dovecot,
        a_mongod(tmp_path / "mongo") as server,
    ):
        source = SOURCE.format(port=dovecot.port, secret=f"token_command: [cat, {current}]")
        ingest = Ingest(tmp_path, tmp_path / "state", server.address, more=source)
        dovecot.deliver(0)  # before the first look
        with running(ingest):
            until(lambda: "expired" in tokens.asked_for and '"ok":false' in ingest.report())

            current.write_text("fresh\n")
            until(ingest.has_looked)
            dovecot.deliver(1)

            until(lambda: dovecot.mails_in(".Archive") == 1)
        found = ingest.stored()
    assert [row["message_id"] for row in found] == ["1@x.example"]
    assert set(tokens.asked_for) == {"expired", "fresh"}
