"""Run a command that dies with its parent, so that a killed stack leaves nothing behind.

Started as a script by ``deploy.local.process``; imports nothing of this project, to stay quick.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2), Linux only


def main(parent_pid: int, command: list[str]) -> None:
    """Ask the kernel for SIGKILL at the parent's end, then become the command.

    The parent is the *thread* that started us, so children are started from the main thread.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before its child began")
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
