"""What many want at once is given at a pace, so that those who want little are not held up."""

import asyncio
from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024


class Lane:
    """So much a second for all who are in it, each in its turn."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._free_at = 0.0

    def wait_s(self, amount: float) -> float:
        """Give the seconds until the turn of who comes now and takes so much."""
        now = asyncio.get_running_loop().time()
        begins_at = max(self._free_at, now)
        self._free_at = begins_at + amount / self._per_s
        return begins_at - now

    async def carry(self, amount: float) -> None:
        """Return when the turn has come; who comes first does not wait, but yields to others."""
        await asyncio.sleep(self.wait_s(amount))


class Turns:
    """One after the other, and whatever else the process has to do is done in between."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Return when all who came before have had their turn."""
        async with self._turn:
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Pace:
    """What all clients of a kind share, beyond what each has for nothing."""

    commands: Lane
    octets: Lane
    free_octets: int
    """So much of a mail is read as it comes; what follows waits for its turns."""
    buffer_octets: int
    """Nothing more is read of a client while over twice this waits to be listened to."""


def strangers() -> Pace:
    """For who has never left a mail: two hundred of them must not be felt by the others."""
    return Pace(Lane(200), Lane(8 * MIB), MIB // 8, 8 * KIB)


def acquaintances() -> Pace:
    """For who has: a mail of 25 MiB alone takes less than a second."""
    return Pace(Lane(1000), Lane(32 * MIB), 2 * MIB, 128 * KIB)
