"""What the process reads from its environment, each as ``POSTDESK_…``."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the ingest service."""

    smtp: str = Field(default="127.0.0.1:2525", description="host:port to listen on; 0: a free one")
    parsers: int = Field(default=2, ge=1, le=64, description="parser processes at most")
    parser_cpu_s: float = Field(default=10.0, gt=0, description="CPU seconds for one mail")
    parser_wall_s: float = Field(default=30.0, gt=0, description="seconds for one mail")
    parser_memory_bytes: int = Field(
        default=536_870_912, ge=67_108_864, description="memory for one parser beyond its start"
    )
