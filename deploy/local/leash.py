"""Run a command that dies with its parent, so that a killed stack leaves nothing behind.

Started as a script by ``deploy.local.process``; imports nothing of this project, to stay quick.
"""

import contextlib
import ctypes
import os
import signal
import sys

AUTOGROUP = "/proc/self/autogroup"
PR_SET_PDEATHSIG = 1  # prctl(2), Linux only


def main(parent_pid: int, niceness: int, command: list[str]) -> None:
    """Ask the kernel for SIGKILL at the parent's end, then become the command.

    The parent is the *thread* that started us, so children are started from the main thread.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before its child began")
    if niceness:
        yield_to_others(niceness)
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


def yield_to_others(niceness: int) -> None:
    """Let processes of other sessions go first as well: nice(2) alone ranks those of one session.

    Linux shares the CPU among sessions (sched(7), "The autogroup feature"); each child has its own.
    """
    os.nice(niceness)
    with contextlib.suppress(OSError), open(AUTOGROUP, "w", encoding="ascii") as group:  # noqa: PTH123 - pathlib is slow to load
        group.write(str(niceness))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
