"""Large mails share a lane, so that however many come at once, small ones are not held up."""

import asyncio

FREE_BYTES = 2 * 1024 * 1024  # of each mail, outside the lane
BYTES_PER_S = 32 * 1024 * 1024.0  # a mail of 25 MiB alone takes less than a second


class Lane:
    """So many bytes a second for all who are in it, each block in its turn."""

    def __init__(self, bytes_per_s: float = BYTES_PER_S) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    async def carry(self, size_bytes: int) -> None:
        """Return when so much may have passed."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + size_bytes / self._bytes_per_s
        await asyncio.sleep(self._free_at - now)
