"""What the process reads from its environment, each as ``POSTDESK_…``."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the reports service."""

    settle_s: float = Field(
        default=20.0,
        ge=0,
        description="seconds after the start before scheduled reports are looked at, so that "
        "events of an outage are read first",
    )
    look_s: float = Field(
        default=1.0, gt=0, description="seconds between looks for reports to send"
    )
