import pytest

from shared.quarantine_order import QuarantineOrder, order_in, read


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("", QuarantineOrder("list")),
        ("list", QuarantineOrder("list")),
        ("SHOW 3F2A91", QuarantineOrder("show", ("3f2a91",))),
        ("retry 3f2a91 77b1 3f2a91", QuarantineOrder("retry", ("3f2a91", "77b1"))),
        ("drop all why a Newsletter", QuarantineOrder("drop", every=True, why="a Newsletter")),
        ("release 3f2a91 why", QuarantineOrder("release", ("3f2a91",))),
    ],
)
def test_an_order_is_read(written: str, order: QuarantineOrder) -> None:
    assert read(written) == order


@pytest.mark.parametrize(
    "written",
    ["drop", "show", "show all", "show 3f2a 77b1", "list 3f2a", "burn 3f2a", "drop x1", "drop 3f2",
     "drop all 3f2a", "drop 3f2a all"],
)  # fmt: skip
def test_what_is_no_order_is_none(written: str) -> None:
    assert read(written) is None


@pytest.mark.parametrize(
    ("text", "is_order"),
    [
        ("#quarantine list", True),
        ("\n#Quarantine\u00a0list \n\nThanks, Ada\n", True),
        ("/quarantine list", True),
        (" #quarantine list", False),
        ("Please\n#quarantine list", False),
        ("#quarantine list\n#quarantine drop all", False),
        ("#quarantine list\n\n#help", False),
        ("#quarantined list", False),
        ("", False),
    ],
)
def test_an_order_stands_alone_at_the_top(text: str, is_order: bool) -> None:
    assert (order_in(text) is not None) is is_order
