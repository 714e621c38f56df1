"""How a receiving server behaves badly, by chance: 6.1 of the reliability page has the shares."""

import random
from collections import Counter

from tests.actors.sink import DROP, OK, SLOW, Delivery

GONE = "gone"
"""How the names of recipients begin whom nobody knows any more."""
LATER_REPLY = "451 4.7.1 greylisted, try again later"
GONE_REPLY = "550 5.1.1 no such user"
SHARES = ((LATER_REPLY, 0.05), (DROP, 0.02), (SLOW, 0.02))


class Moods:
    """A sink's verdicts: 5 % later, 2 % lost after the dot, 2 % late; some recipients are gone."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.counts: Counter[str] = Counter()

    def __call__(self, mail: Delivery) -> str:
        verdict = self._verdict(mail)
        self.counts[verdict] += 1
        return verdict

    def _verdict(self, mail: Delivery) -> str:
        if mail.recipient.startswith(GONE):
            return GONE_REPLY
        drawn = self._chance.random()
        for verdict, share in SHARES:
            if drawn < share:
                return verdict
            drawn -= share
        return OK
