"""A name server of the tests' own, and domains that sign their mail for real."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dnslib import AAAA, MX, QTYPE, RCODE, RR, TXT, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

SELECTOR = "s1"


class NameServer(BaseResolver):
    """Answers from ``records``: values by ``TXT example.com``; counts what it is asked.

    Names in ``broken`` get SERVFAIL; those in ``silent`` no answer until they are taken out.
    """

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.address = ""
        self.ended = threading.Event()

    def resolve(self, request: DNSRecord, _handler: DNSHandler) -> DNSRecord:
        name = str(request.q.qname).rstrip(".").lower()
        question = f"{QTYPE[request.q.qtype]} {name}"
        self.asked.append(question)
        if self._is_one_of(name, self.silent):
            self.ended.wait(60)
        reply = request.reply()
        if self._is_one_of(name, self.broken):
            reply.header.rcode = RCODE.SERVFAIL
        elif not any(known.endswith(f" {name}") for known in self.records):
            reply.header.rcode = RCODE.NXDOMAIN
        for value in self.records.get(question, []):
            kind = question.partition(" ")[0]
            reply.add_answer(
                RR(request.q.qname, request.q.qtype, ttl=60, rdata=_rdata(kind, value))
            )
        return reply

    def publish(self, domain: str, *, spf: str = "", dmarc: str = "", key: str = "") -> None:
        """The records of a domain that sends mail."""
        texts = {domain: spf, f"_dmarc.{domain}": dmarc, f"{SELECTOR}._domainkey.{domain}": key}
        self.records |= {f"TXT {name}": [text] for name, text in texts.items() if text}

    @staticmethod
    def _is_one_of(name: str, marked: set[str]) -> bool:
        return any(name == one or name.endswith(f".{one}") for one in marked)


def _rdata(kind: str, value: str) -> Any:
    match kind:
        case "TXT":
            return TXT([value[at : at + 250] for at in range(0, len(value), 250)])
        case "MX":
            preference, _, host = value.partition(" ")
            return MX(host, int(preference))
        case "AAAA":
            return AAAA(value)
    return A(value)


@contextmanager
def a_name_server() -> Iterator[NameServer]:
    """On a free loopback port, by UDP and TCP; ``address`` is what a configuration names."""
    names = NameServer()
    logger = DNSLogger("-request,-reply,-truncated,-error,-recv,-send,-data")
    tcp, udp = _servers(names, logger)
    names.address = f"127.0.0.1:{tcp.server.server_address[1]}"
    for server in (tcp, udp):
        server.server.daemon_threads = True
        threading.Thread(target=server.server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield names
    finally:
        names.ended.set()
        for server in (tcp, udp):
            server.server.shutdown()
            server.server.server_close()


def _servers(names: NameServer, logger: DNSLogger) -> tuple[DNSServer, DNSServer]:
    """Both on one port, which may be taken for UDP by somebody else."""
    while True:
        tcp = DNSServer(names, address="127.0.0.1", port=0, tcp=True, logger=logger)
        port = tcp.server.server_address[1]
        try:
            return tcp, DNSServer(names, address="127.0.0.1", port=port, logger=logger)
        except OSError:
            tcp.server.server_close()


def a_key(name: str = "") -> tuple[bytes, str]:
    """A private key (PEM) and the record that publishes it; the same for the same name."""
    return _a_key(name)


@cache
def _a_key(name: str) -> tuple[bytes, str]:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def signed(raw: bytes, domain: str, *, key: str = "", **more: Any) -> bytes:
    """The mail with a DKIM signature of the domain on top."""
    given = {"canonicalize": (b"relaxed", b"relaxed"), **more}
    pem, _ = a_key(key)
    return dkim.sign(raw, SELECTOR.encode(), domain.encode(), pem, **given) + raw
