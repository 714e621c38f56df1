"""The bar that is shown while Kafka is fetched; nothing is shown when nothing is fetched."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from deploy.cli.output import errors


class Fetching:
    """A context whose value is told of the progress."""

    def __init__(self) -> None:
        columns = (TextColumn("Fetching Kafka (60 MB, once)"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=errors)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` files are there."""
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("fetch", total=total)
        self._bar.update(self._task, completed=done)
        if done == total:
            self._bar.stop()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
