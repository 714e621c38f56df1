"""What every service reads from its environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every service reads from the environment, once, as ``POSTDESK_…``."""

    model_config = SettingsConfigDict(env_prefix="POSTDESK_", frozen=True, extra="ignore")

    kafka: str = Field(default="127.0.0.1:9092", description="host:port, several with commas")
    mongo: str = Field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", description="URI")
    config: Path = Field(default=Path("desk.yaml"), description="the desk's configuration file")
    keys: Path = Field(default=Path("keys.json"), description="file of the address-token keys")
    health: str = Field(default="127.0.0.1:0", description="host:port to listen on; 0: a free one")
    state_dir: Path = Field(default=Path("state"), description="folder for what must outlive us")
    instance: str = Field(
        default="1", description="differs between processes of one service; empty: slow restarts"
    )
    stuck_s: float = Field(default=60.0, gt=0, description="seconds without progress until exit")
    log_level: str = "INFO"
    clock_file: Path | None = Field(
        default=None,
        description="file with the seconds that the desk is ahead of the machine's clock, read "
        "whenever the time is asked for; for tests",
    )
