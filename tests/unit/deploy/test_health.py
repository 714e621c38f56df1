"""Asking a process whether it is ready."""

import socket
from threading import Thread

import pytest

from deploy.local import health
from deploy.local.ports import LOOPBACK, free_port


@pytest.mark.parametrize("greeting", [b"220 desk.example ESMTP\r\n", b"hello\r\n\r\n", b"?\r\n"])
def test_who_answers_otherwise_than_in_http_is_not_ready(greeting: bytes) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:

        def greet() -> None:
            with server.accept()[0] as peer:
                peer.sendall(greeting)

        greeter = Thread(target=greet)
        greeter.start()

        status, text = health.ask(f"{LOOPBACK}:{server.getsockname()[1]}", "/readyz")

        greeter.join()
    assert status == 0
    assert greeting.decode().split()[0] in text


def test_where_nobody_listens_nobody_is_ready() -> None:
    assert not health.is_ready(f"{LOOPBACK}:{free_port()}")
