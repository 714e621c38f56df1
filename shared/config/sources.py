"""Where mail comes from besides the SMTP door."""

from typing import Literal, Self

from pydantic import Field, model_validator

from shared.config.values import MailAddress, Section


class IMAPSource(Section):
    """A mailbox at a provider from which mail is fetched."""

    mailbox: MailAddress
    """The desk's mailbox that its mail belongs to."""
    host: str = Field(min_length=1)
    """The provider's IMAP server."""
    port: int = Field(default=993, ge=1, le=65_535)
    """Its port."""
    tls: Literal["tls", "starttls", "none"] = "tls"
    """Encryption; none is for a server on the same machine."""
    certificates: str = ""
    """PEM file with the authorities to trust; empty: those of the system."""
    user: str = Field(min_length=1)
    """Name to log in with."""
    password_file: str = ""
    """File that holds the password alone."""
    token_command: list[str] = Field(default_factory=list)
    """Command that prints an OAuth2 access token; asked before each login (XOAUTH2)."""
    folder: str = "INBOX"
    """Folder to read."""
    existing: bool = False
    """Whether mail that is there at the first look is taken too."""
    after: Literal["seen", "move", "nothing"] = "seen"
    """What becomes of a mail once it is stored."""
    move_to: str = "Archive"
    """Folder that it is moved to; it must exist."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if bool(self.password_file) == bool(self.token_command):
            raise ValueError("give either password_file or token_command")
        return self


class Sources(Section):
    """Ways in besides SMTP."""

    imap: list[IMAPSource] = Field(default_factory=list)
    """Mailboxes to fetch from."""


class Ingest(Section):
    """Settings of mail in, besides those of the door."""

    sources: Sources = Sources()
    """Ways in besides SMTP."""
