"""Replies have enhanced codes, once."""

import pytest

from services.ingest import replies


@pytest.mark.parametrize(
    ("bare", "whole"),
    [
        ("250 OK", "250 2.0.0 OK"),
        ("503 Error: need MAIL command", "503 5.5.1 need MAIL command"),
        ("552 Error: message size exceeds fixed maximum message size",
         "552 5.3.4 message size exceeds fixed maximum message size"),
        ("501 Syntax: DATA", "501 5.5.4 Syntax: DATA"),
        (replies.NOT_NOW, replies.NOT_NOW),
        (replies.queued("abc"), "250 2.0.0 queued as abc"),
        (replies.START_DATA, replies.START_DATA),
        ("220 desk.example Postdesk ESMTP", "220 desk.example Postdesk ESMTP"),
    ],
)  # fmt: skip
def test_a_reply_gets_the_code_that_it_lacks(bare: str, whole: str) -> None:
    assert replies.enhanced(bare) == whole
