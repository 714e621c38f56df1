"""How many bytes of mails may be in flight at once, over all sessions."""

LARGE_BYTES = 1024 * 1024


class Budget:
    """Counts bytes against a limit."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0

    @property
    def is_roomy(self) -> bool:
        """Whether less than an eighth is used."""
        return self.used_bytes * 8 < self.limit_bytes

    def fits(self, wanted_bytes: int, *, is_large: bool = False) -> bool:
        """Say whether that many more would be taken now; a quarter is not for large mails."""
        limit = self.limit_bytes * 3 // 4 if is_large else self.limit_bytes
        return self.used_bytes + wanted_bytes <= limit


class Share:
    """What one mail has taken of the budget; it must be given back."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = 0

    def take(self, wanted_bytes: int) -> bool:
        """Take more; False, and nothing taken, where it is not there."""
        is_large = self._taken + wanted_bytes > LARGE_BYTES
        if not self._budget.fits(wanted_bytes, is_large=is_large):
            return False
        self._budget.used_bytes += wanted_bytes
        self._taken += wanted_bytes
        return True

    def give_back(self) -> None:
        """Give back all; a second time changes nothing."""
        self._budget.used_bytes -= self._taken
        self._taken = 0
