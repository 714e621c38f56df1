"""What the process reads from its environment, each as ``POSTDESK_…``."""

from typing import Literal

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the notify service."""

    relay: str = Field(default="127.0.0.1:2526", description="host:port that mail is handed to")
    relay_tls: Literal["none", "starttls", "tls"] = Field(
        default="none", description="starttls and tls check the relay's certificate"
    )
    relay_user: str = Field(default="", description="name for AUTH; empty: none")
    relay_password: SecretStr = Field(default=SecretStr(""), description="password for AUTH")
    relay_timeout_s: float = Field(
        default=30.0, gt=0, le=50, description="seconds for each step of SMTP, under the lease"
    )
    relay_connections: int = Field(default=8, ge=1, description="connections kept at most")
    relay_per_domain: int = Field(
        default=5, ge=1, description="mails to one domain under way at once"
    )
