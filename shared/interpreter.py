"""How Python itself is set up in a process that serves."""

import contextlib
import ctypes
import gc
import os
import sys

SWITCH_S = 0.0005
YOUNG_OBJECTS = 50_000
"""New objects between two looks for garbage: a batch of 200 records makes about so many."""
LONG_OCTETS = 1024 * 1024
_M_MMAP_THRESHOLD = -3  # mallopt(3)


def tune() -> None:
    """Suit the interpreter to a process that has loaded what it needs and serves from now on.

    The collector passes over modules and wiring, which live as long as the process. MongoDB's
    client works in threads that hand over to the loop and back several times for each operation;
    a loop that is busy would keep each of them for 5 ms.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def take_turns() -> None:
    """Have this process, and all that it starts from now on, interrupt nobody when it wakes.

    A service that is woken by a record or a reply would take the core from one that is in the
    middle of a batch, with all that is in the core's caches. With SCHED_BATCH (sched(7)) it waits
    for its turn, some milliseconds; an idle core it has at once. Kafka and MongoDB, which all wait
    for, still interrupt. Where a system forbids or does not know it, nothing is lost but speed.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def keep_long_buffers_out_of_the_heap() -> None:
    """Have each of 1 MiB or more be a mapping of its own, which goes back to the system at once.

    glibc puts such buffers on its heap once it has seen one freed. The next finds no gap that is
    as long, for small objects are in all of them by then, so the heap becomes longer with each
    batch of long mails: in ten minutes of 50 mails a second 38 of notify's 60 MiB were gaps. A
    mapping costs more than a place on the heap, so who takes in long mails one by one is better
    off without: the door took a fifth fewer of 1 MB.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):  # musl has none
            library.mallopt(_M_MMAP_THRESHOLD, LONG_OCTETS)
