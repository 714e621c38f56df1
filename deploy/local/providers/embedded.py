"""What a server that runs as a child process of the stack has, whichever it is."""

from deploy.local import ports, process


class EmbeddedServer:
    """The life of one process on a port of its own, which it keeps; `launch` fills in the child."""

    kind = "embedded"
    name: str

    def __init__(self) -> None:
        self._port = ports.free_port()
        self._child: process.Child | None = None

    @property
    def child(self) -> process.Child | None:
        """Its process as it is now."""
        return self._child

    @property
    def pids(self) -> dict[str, int]:
        """Its process, under its name."""
        return {self.name: self._child.pid} if self._child else {}

    def is_alive(self) -> bool:
        """Say whether it runs."""
        return self._child is not None and self._child.is_running

    def stop(self) -> None:
        """Shut it down cleanly."""
        if self._child:
            process.stop(self._child)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL); ``launch`` starts it again on its port."""
        if self._child:
            self._child.popen.kill()
            self._child.popen.wait()
