"""How Python itself is set up in a process that serves."""

import gc
import sys

SWITCH_S = 0.0005
YOUNG_OBJECTS = 50_000
"""New objects between two looks for garbage: a batch of 200 records makes about so many."""


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
