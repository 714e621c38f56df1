"""How a process that serves keeps its memory."""

import ctypes
import subprocess
import sys

import pytest

BUFFERS = """
import ctypes
from shared import interpreter

class Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Counts
interpreter.keep_long_buffers_out_of_the_heap()
mapped = mallinfo2().hblkhd
for _ in range(3):
    long = bytes(3 * interpreter.LONG_OCTETS)
    print(mallinfo2().hblkhd - mapped >= len(long))
    del long
print(mallinfo2().hblkhd == mapped)
"""
_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


# Another C library has no such heap: there is nothing to set, and nothing that tells of it.
@pytest.mark.skipif(
    not hasattr(_LIBRARY, "mallinfo2"), reason="only glibc has this heap, and tells of it"
)
def test_long_buffers_stay_out_of_the_heap_however_many_there_were() -> None:
    code = [sys.executable, "-c", BUFFERS]

    ran = subprocess.run(code, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["True"] * 4
