"""Serves the local mailboxes by IMAP with pymap: the login is the address, any password will do."""

import logging
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from pymap.backend.maildir import Config, FilterSet, Identity, Login, MaildirBackend, Session
from pymap.backend.maildir.layout import MaildirLayout
from pymap.backend.maildir.mailbox import MailboxData, MailboxSet, Maildir
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPService
from pysasl.creds.server import ServerCredentials

from deploy.local import maildir


class _Raw(bytes):
    """A mail as it is stored; what pymap asks of a message is its bytes."""

    __slots__ = ()


class _Mails(Maildir):
    """A Maildir that gives mails out byte by byte instead of generating them anew."""

    def get_message(self, key: str) -> Any:
        return _Raw(self.get_bytes(key).replace(b"\n", b"\r\n"))


class _Folder(MailboxData):
    """A mailbox that looks for new files whenever its state is asked for, IDLE included."""

    async def update_selected(self, selected: Any, *, wait_on: Any = None) -> Any:
        if wait_on is not None:
            await wait_on.wait(timeout=1.0)
        await self.reset()
        return await super().update_selected(selected)


class _Folders(MailboxSet):
    async def get_mailbox(self, name: str) -> MailboxData:
        known = await super().get_mailbox(name)
        if not isinstance(known, _Folder):
            known = _Folder(known.mailbox_id, known._maildir, known._path)  # noqa: SLF001 - pymap offers no factory
            self._cache[name] = known
            await known.reset()
        return known


class _Person(Identity):
    """Whoever logs in as an address."""

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        path = maildir.folder_of(Path(self.config.base_dir), self.name)
        maildir.create(path)
        layout = MaildirLayout.get(str(path), self.config.layout, _Mails)
        folders = _Folders(_Mails(str(path)), layout)
        yield Session(self.name, self.config, folders, FilterSet(layout.path))


class _AnyLogin(Login):
    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        name = credentials.authcid.lower()
        try:
            maildir.folder_of(Path(self.config.base_dir), name)
        except ValueError as error:
            raise InvalidAuth from error
        return _Person(self.config, self.tokens, name, None, set())

    async def authorize(self, authenticated: Any, authzid: str) -> Identity:
        if authenticated.name != authzid.lower():
            raise InvalidAuth
        return _Person(self.config, self.tokens, authenticated.name, None, set())


async def serve_imap(stack: AsyncExitStack, root: Path, *, host: str, port: int) -> None:
    """Serve the mailboxes under ``root`` until the stack is closed."""
    logging.getLogger("pymap").setLevel(logging.WARNING)
    settings = {
        "host": host,
        "port": port,
        "debug": False,
        "cert": None,
        "key": None,
        "tls": False,
        "base_dir": str(root),
        "layout": "++",
        "colon": None,
        "concurrency": 4,
        "passlib_cfg": None,
        "proxy_protocol": None,
        "inherited_sockets": None,
    }
    config = Config.from_args(Namespace(**settings), secure_auth=False)
    config.apply_context()
    backend = MaildirBackend(_AnyLogin(config), config)
    await IMAPService(backend, config).start(stack)
