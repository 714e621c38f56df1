"""The kinds of values that settings have: durations, zones, mail addresses."""

import re
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def _seconds(value: object) -> object:
    if isinstance(value, str):
        parts = re.findall(r"(\d+)\s*([smhdw])", value)
        if not parts or re.sub(r"\d+\s*[smhdw]\s*", "", value):
            raise ValueError('write durations as "30m", "8h", "1h30m" or "7d"')
        return sum(int(n) * _UNITS[unit] for n, unit in parts)
    return value


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _zone_names():
        raise ValueError(f"unknown time zone {value!r}; use a name such as Europe/Berlin")
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(f"{value!r} is no IP address or network such as 10.0.0.0/8") from None
    return value


def mail_address(value: str) -> str:
    """A bare address in lower case; raises ValueError where it is none."""
    local, _, domain = value.strip().rpartition("@")
    if not re.fullmatch(r"[^\s@<>(),;:\\\"\[\]]+", local) or not re.fullmatch(
        r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain.lower()
    ):
        raise ValueError(f"{value!r} is no mail address")
    return f"{local}@{domain}".lower()


def split_server(value: str) -> tuple[str, int]:
    """Address and port (53) of a name server; raises ValueError where it is none."""
    host, colon, port = value.rpartition(":")
    if value.startswith("[") or value.count(":") == 1:
        host = host.strip("[]")
    else:
        host, colon, port = value, "", ""
    try:
        address = str(ip_address(host))
        number = int(port) if colon else 53
    except ValueError as error:
        raise ValueError(f"{value!r} is no address of a name server") from error
    return address, number


def sender_name(value: str) -> str:
    """An address, or a domain, in lower case; raises ValueError where it is neither."""
    name = value.strip().lower()
    mail_address(name if "@" in name else f"anybody@{name}")
    return name


DURATION_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^(\s*\d+\s*[smhdw])+\s*$"},
    ]
}
"""What an editor may offer for a duration: the file allows text, the model holds seconds."""
Duration = Annotated[
    int, BeforeValidator(_seconds), Field(ge=0), WithJsonSchema(DURATION_SCHEMA, mode="validation")
]
"""Seconds; in the file a number of seconds or text such as ``8h``."""
Zone = Annotated[str, BeforeValidator(_zone)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Network = Annotated[str, BeforeValidator(_network)]
BlockedSender = Annotated[str, BeforeValidator(sender_name)]
MailAddress = Annotated[str, BeforeValidator(mail_address)]


class Section(BaseModel):
    """A part of the file: unknown settings are refused, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
