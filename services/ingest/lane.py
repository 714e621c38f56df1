"""What many want at once is given at a pace, so that those who want little are not held up."""

import asyncio


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
