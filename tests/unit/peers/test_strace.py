from tests.peers.strace import Call, calls

TRACE = """\
10 fdatasync(18</data/journal/WiredTigerLog.1> <unfinished ...>
11 write(21<TCP:[127.0.0.1:1->127.0.0.1:2]>, "250 = ok", 8) = 8
10 <... fdatasync resumed>) = 0
strace: Process 12 attached
10 +++ exited with 0 +++
11 write(21<TCP:[127.0.0.1:1->127.0.0.1:2]>, "250", 3 <detached ...>
"""


def test_a_call_that_another_interrupts_is_put_together_with_both_its_places() -> None:
    sync, write, last = calls(TRACE)

    assert sync == Call("fdatasync", "fdatasync(18</data/journal/WiredTigerLog.1>)", "0", 0, 2)
    assert (write.begun, write.ended, write.result) == (1, 1, "8")
    assert (last.begun, last.result) == (5, "?")
