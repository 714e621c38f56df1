"""What the process reads from its environment, each as ``POSTDESK_…``."""

from pathlib import Path

from pydantic import Field

from shared.service import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the sla service."""

    clock_file: Path | None = Field(
        default=None,
        description="file with the seconds that this service is ahead of the machine's clock, "
        "read at each look; for tests",
    )
    longest_look_s: float = Field(
        default=1.0, gt=0, description="seconds after which due clocks are looked for at the latest"
    )
