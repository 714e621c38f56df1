"""A desk whose parts a test starts, stops and kills one by one: five services and a mail server."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import parts, ports
from deploy.local.correspondent import Correspondent
from shared.config import load_desk
from tests.service_process import ServiceProcess

SERVICES = parts.SERVICES
READY_S = 240.0


class OwnDesk:
    """On the Kafka and MongoDB given; nothing runs until it is started. ``folder`` has the logs.

    ``keys`` is the file of the address keys, ``settings`` are more settings of the services.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka: str,
        mongo: str,
        config: Path,
        keys: Path,
        settings: Mapping[str, str] = {},
    ) -> None:
        self.folder = folder
        self.smtp = f"127.0.0.1:{ports.free_port()}"
        self.relay = f"127.0.0.1:{ports.free_port()}"
        common = {
            "kafka": kafka,
            "mongo": mongo,
            "config": str(config),
            "keys": str(keys),
            "smtp": self.smtp,
            "relay": self.relay,
        }
        self.services = {
            name: ServiceProcess(name, _made(folder / name), common | dict(settings))
            for name in SERVICES
        }
        mailboxes = [box.address for box in load_desk(config).desk.mailboxes]
        self.mail = parts.mail_server(
            folder,
            desk=self.smtp,
            outgoing=self.relay,
            imap=f"127.0.0.1:{ports.free_port()}",
            mailboxes=mailboxes,
        )

    def start(self, *names: str) -> None:
        """Start services, all and the mail server where none is named, until they are ready."""
        if not names:
            self.start_mail_server()
        wanted = [self.services[name] for name in names or SERVICES]
        for service in wanted:
            service.launch()
        for service in wanted:
            service.wait_ready(READY_S)

    def start_mail_server(self) -> None:
        self.mail.launch()
        self.mail.wait_ready()

    def stop_mail_server(self) -> None:
        parts.stop([self.mail])

    def person(self, address: str, name: str = "") -> Correspondent:
        """Somebody who writes to the desk and reads what it sends."""
        name = name or address.partition("@")[0].title()
        return Correspondent(address, name, smtp=self.smtp, mailboxes=self.folder / "mailboxes")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        for service in self.services.values():
            with contextlib.suppress(AssertionError):  # it was never started
                service.kill()
        self.stop_mail_server()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
