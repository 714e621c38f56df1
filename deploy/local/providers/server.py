"""The one interface of a Kafka or MongoDB, wherever it comes from."""

from typing import Protocol


class Server(Protocol):
    """A Kafka or MongoDB for one stack.

    ``launch`` returns at once where it can, so that both boot at the same time; ``wait_ready``
    then waits for the one and the other. Call all from the main thread (``process.start``).
    """

    name: str
    """``kafka`` or ``mongo``."""

    kind: str
    """``given``, ``docker`` or ``embedded``."""

    @property
    def address(self) -> str:
        """What clients connect to: bootstrap servers, or a MongoDB URI."""

    @property
    def pids(self) -> dict[str, int]:
        """The processes on this machine that belong to it, by name."""

    def launch(self) -> None:
        """Begin to start it."""

    def wait_ready(self) -> None:
        """Return when clients are served; raises ``StackError`` with the remedy when not."""

    def is_alive(self) -> bool:
        """Say whether it has not ended by itself."""

    def stop(self) -> None:
        """End what ``launch`` began; data stays."""
