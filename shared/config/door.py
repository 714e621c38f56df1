"""Settings of the SMTP door, and of the check of who comes through it."""

from pydantic import Field, field_validator

from shared.config.values import Duration, Network, Section, split_server


class Door(Section):
    """Limits of the SMTP door."""

    max_bytes: int = Field(default=26_214_400, ge=65_536)
    """Largest mail (SIZE, RFC 1870)."""
    max_recipients: int = Field(default=100, ge=100)
    """Recipients of one mail (RFC 5321, 4.5.3.1.8 asks for 100)."""
    max_connections: int = Field(default=500, ge=1)
    """Connections in all."""
    max_connections_per_address: int = Field(default=50, ge=1)
    """Connections of one address."""
    max_in_vain_per_minute: int = Field(default=30, ge=1)
    """Connections of one address that may come and go in a minute without leaving a mail."""
    lmtp: str = Field(default="", pattern=r"^(.*:\d+)?$")
    """host:port where LMTP is spoken (RFC 2033), beside SMTP; empty: nowhere."""
    exempt: list[Network] = Field(default=["127.0.0.1", "::1"])
    """Own relays, as addresses or networks: no limits of connections per address, nor of errors;
    SPF is not asked about them."""
    proxies: list[Network] = Field(default_factory=list)
    """Load balancers in front that begin with a PROXY header, version 1 or 2; from no others."""
    memory_bytes: int = Field(default=268_435_456, ge=1_048_576)
    """Bytes of mails in flight; above it new ones are answered 452."""
    min_free_bytes: int = Field(default=268_435_456, ge=0)
    """Least free disk, of MongoDB and of ingest; below it, or below 1.5 x ``max_bytes``, 452."""
    max_waiting: int = Field(default=200_000, ge=1)
    """Mails that may wait to be read, for instance while Kafka is away; with more, 452."""
    max_waiting_age: Duration = 0
    """For how long the oldest may wait; 0: as long as it takes."""
    certificate: str = ""
    """PEM file with chain and key for STARTTLS; empty: not offered."""
    trusted_authserv: list[str] = Field(default_factory=list)
    """authserv-ids whose Authentication-Results are believed (RFC 8601) in mail from ``exempt``."""


class Authentication(Section):
    """The desk's own check of senders: DKIM, SPF and DMARC.

    Done where no relay of ours has done it, and only where something depends on it: agents' mail
    (``agent_mail.trust: verified``), acknowledgements (``customers.acknowledge: authenticated``)
    or a contact form's mail.
    """

    resolver: str = "system"
    """Name server to ask: ``system`` for the machine's own, an address such as ``192.0.2.53`` or
    ``192.0.2.53:5353``, or ``none`` for no check."""

    @field_validator("resolver")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value not in ("system", "none"):
            split_server(value)
        return value
