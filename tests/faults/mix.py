"""How many mails of each kind a run sends; the shares are those of the reliability page, 6.1."""

from dataclasses import dataclass

AGENTS_PART = 3
"""One reply in so many is an agent's; the others are customers'."""


@dataclass(frozen=True)
class Mix:
    """How many of each; `of` gives them for a number of mails, and at least one of each."""

    plain: int
    html: int
    attached: int
    two_mailboxes: int
    gone: int  # their senders' addresses refuse all that the desk sends
    replies: int
    agent_answers: int
    sent_again: int
    same_id: int  # a further mail under a Message-ID that was used before
    unparseable: int
    bombs: int
    auto_replies: int
    list_mails: int
    bounces: int
    big: int
    oversize: int
    spoofed: int

    @classmethod
    def of(cls, mails: int) -> "Mix":
        """60 % new, 22 % replies, 5 % again, and the odd ones."""

        def share(percent: float) -> int:
            return max(1, round(mails * percent / 100))

        odd = {
            "html": share(8),
            "attached": share(5),
            "two_mailboxes": share(3),
            "gone": share(1),
            "replies": share(22 - 22 / AGENTS_PART),
            "agent_answers": share(22 / AGENTS_PART),
            "sent_again": share(5),
            "same_id": share(2),
            "unparseable": share(2),
            "bombs": share(1),
            "auto_replies": share(2),
            "list_mails": share(1),
            "bounces": share(2),
            "big": share(2),
            "oversize": share(0.5),
            "spoofed": share(0.5),
        }
        return cls(plain=max(mails - sum(odd.values()), odd["replies"] * 3 // 2 + 2), **odd)

    @property
    def total(self) -> int:
        """All of them, a mail that is sent again counted twice."""
        return sum(vars(self).values())
