"""What the process reads from its environment, each as ``POSTDESK_…``."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the tickets service."""

    batch_records: int = Field(
        default=200, ge=1, le=1000, description="most records of one topic in one transaction"
    )
