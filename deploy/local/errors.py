"""What can go wrong while a local stack starts: each error says the cause and the remedy."""


class StackError(Exception):
    """A local stack cannot start or go on; the text is for the user, no trace is needed."""

    def __init__(self, cause: str, *, remedy: str = "", log_tail: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.log_tail = log_tail

    def __str__(self) -> str:
        parts = [self.cause]
        if self.remedy:
            parts.append(f"What helps: {self.remedy}")
        if self.log_tail:
            parts.append(f"The end of its log:\n{self.log_tail}")
        return "\n".join(parts)


class NotReadyError(StackError):
    """A part of the stack ended or did not become ready in time."""
