"""Mail fetched by IMAP, from the local stack's own server."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from deploy.local import maildir
from deploy.local.imap import serve_imap
from deploy.local.ports import free_port
from services.ingest import fetching
from services.ingest.fetching import Fetcher, NotTakenError, Place, Receiver, delivery_of
from shared.clock import FrozenClock, SystemClock
from shared.config.sources import IMAPSource
from shared.health import Health
from shared.parts import Background
from tests.builders import NOON, SUPPORT
from tests.service.ingest.dialogue import Mails, until

USER = "desk@provider.example"
RAW = b"Message-ID: <%d@x.example>\r\nFrom: Ann <ann@example.com>\r\nSubject: x\r\n\r\nhello\r\n"


class PlacesInMemory:
    """Places by source."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}

    async def load(self, source: str) -> Place | None:
        return self.places.get(source)

    async def save(self, source: str, place: Place) -> None:
        self.places[source] = place


class Provider:
    """A mailbox at a provider, and a desk that reads it."""

    def __init__(self, root: Path, port: int) -> None:
        self._root = root
        self._port = port
        self.mails = Mails()
        self.places = PlacesInMemory()
        self.health = Health()
        self.may_take = True
        (root / "password").write_text("any\n")

    def delivers(self, number: int) -> None:
        maildir.deliver(self._root, USER, RAW % number, sender="ann@example.com")

    def fetcher(self, **source: object) -> Fetcher:
        receiver = Receiver(
            store=self.mails.store,
            may_take=lambda _: self.may_take,
            places=self.places,
            clock=SystemClock(),
            health=self.health,
        )
        given = {
            "mailbox": SUPPORT, "host": "127.0.0.1", "port": self._port, "tls": "none",
            "user": USER, "password_file": str(self._root / "password"), **source,
        }  # fmt: skip
        return Fetcher(IMAPSource.model_validate(given), receiver)

    @property
    def stored(self) -> list[bytes]:
        """The mails without the two fields that the provider put before them."""
        return [mail.body.read().split(b"\r\n", 2)[2] for mail in self.mails.stored]

    @property
    def seen(self) -> int:
        return len([f for f in self._root.rglob("*") if f.is_file() and f.name.endswith("S")])


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    async with AsyncExitStack() as stack:
        port = free_port()
        await serve_imap(stack, tmp_path, host="127.0.0.1", port=port)
        yield Provider(tmp_path, port)


@asynccontextmanager
async def running(fetcher: Fetcher) -> AsyncIterator[None]:
    """Let it work as the service does, until the end of the block: connections may break."""
    work = Background(fetcher.name, fetcher.run, pause_s=0.05)
    await work.start()
    try:
        yield
    finally:
        await work.stop()


async def test_mail_is_taken_as_it_comes_byte_for_byte_and_marked(provider: Provider) -> None:
    provider.delivers(1)  # before the desk's first look: not its business
    async with running(provider.fetcher()):
        await until(lambda: bool(provider.health.checks))
        provider.delivers(2)
        provider.delivers(3)
        await until(lambda: provider.seen == 2)
        await until(lambda: provider.health.checks[provider.fetcher().name].is_ok)

    assert {*provider.stored} == {RAW % 2, RAW % 3}


async def test_what_came_while_nobody_fetched_is_caught_up_on_once(provider: Provider) -> None:
    async with running(provider.fetcher()):
        await until(lambda: bool(provider.health.checks))
    for number in range(5):
        provider.delivers(number)

    for _ in range(2):
        async with running(provider.fetcher()):
            await until(lambda: provider.seen == 5)

    assert sorted(provider.stored) == [RAW % number for number in range(5)]


async def test_mail_that_was_there_before_is_taken_where_configured(provider: Provider) -> None:
    provider.delivers(1)

    async with running(provider.fetcher(existing=True)):
        await until(lambda: provider.seen == 1)

    assert provider.stored == [RAW % 1]


async def test_what_cannot_be_stored_stays_as_it_is(provider: Provider) -> None:
    provider.mails.failure = NotTakenError()
    provider.delivers(1)
    with pytest.raises(NotTakenError):
        await provider.fetcher(existing=True).run()
    assert (provider.seen, provider.stored) == (0, [])
    assert not provider.health.checks[provider.fetcher().name].is_ok

    provider.mails.failure, provider.may_take = None, False
    with pytest.raises(NotTakenError):
        await provider.fetcher(existing=True).run()
    assert (provider.seen, provider.stored) == (0, [])

    provider.may_take = True
    async with running(provider.fetcher(existing=True)):
        await until(lambda: provider.seen == 1)
    assert provider.stored == [RAW % 1]


async def test_who_dies_before_marking_fetches_again(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.delivers(1)
    with monkeypatch.context() as broken:
        broken.setattr(fetching.IMAPBox, "finish", lambda _box, _uid: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await provider.fetcher(existing=True).run()
    assert provider.seen == 0

    async with running(provider.fetcher(existing=True)):
        await until(lambda: provider.seen == 1)

    assert provider.stored == [RAW % 1, RAW % 1]  # the spool knows it by its key


async def test_when_the_server_numbers_anew_only_mail_since_the_beginning_counts(
    provider: Provider,
) -> None:
    provider.delivers(1)
    fetcher = provider.fetcher()
    provider.places.places[fetcher.name] = Place(
        validity=1, next_uid=900, began_at=FrozenClock(NOON.replace(year=2020)).now()
    )

    async with running(fetcher):
        await until(lambda: provider.seen == 1)

    assert provider.stored == [RAW % 1]


async def test_a_token_is_asked_of_its_command(provider: Provider) -> None:
    source = provider.fetcher(
        password_file="", token_command=[sys.executable, "-c", "print('abc')"]
    )._source
    assert await fetching._secret(source) == "abc"

    failing = provider.fetcher(password_file="", token_command=["false"])._source
    with pytest.raises(fetching.NoTokenError):
        await fetching._secret(failing)


@pytest.mark.parametrize(
    ("head", "recipient", "sender"),
    [
        (b"To: support@desk.example\r\nFrom: Ann <ann@x.example>", SUPPORT, "ann@x.example"),
        (b"To: A <x@y.example>,\r\n =?utf-8?q?S?= <Support+abc234@Desk.example>\r\nFrom: a@b.example",
         "Support+abc234@Desk.example", "a@b.example"),
        ((b"Delivered-To: support+tok@desk.example\r\nTo: support+other@desk.example\r\n"
         b"Return-Path: <>\r\nFrom: mailer-daemon@x.example"), "support+tok@desk.example", ""),
        (b"Subject: support+abc@desk.example\r\nReturn-Path: <r@x.example>", SUPPORT, "r@x.example"),
        (b"Subject: none", SUPPORT, ""),
    ],
)  # fmt: skip
def test_the_envelope_is_read_from_the_mail(head: bytes, recipient: str, sender: str) -> None:
    delivery = delivery_of(head + b"\r\n\r\nTo: support+body@desk.example\r\n", SUPPORT)

    assert [r.address for r in delivery.recipients] == [recipient]
    assert (delivery.sender, delivery.client) == (sender, "")
