"""What the process reads from its environment, each as ``POSTDESK_…``."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the sla service."""

    longest_look_s: float = Field(
        default=1.0, gt=0, description="seconds after which due clocks are looked for at the latest"
    )
