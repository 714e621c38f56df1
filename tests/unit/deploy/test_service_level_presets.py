"""The tables of the product documents, figure for figure, as the shipped presets have them."""

from pathlib import Path

import pytest

from deploy.local.configuration import load_checked

PRESETS = Path(__file__).parents[3] / "deploy" / "presets"
MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.mark.feature("S01")
@pytest.mark.parametrize(
    ("preset", "clock", "table"),
    [
        (
            "telecom",
            "calendar",
            {
                "urgent": (1 * HOUR, 4 * HOUR),
                "high": (4 * HOUR, 24 * HOUR),
                "normal": (8 * HOUR, 72 * HOUR),
                "low": (24 * HOUR, 7 * DAY),
            },
        ),
        (
            "storefront",
            "business",
            {
                "low": (24 * HOUR, 72 * HOUR),
                "medium": (8 * HOUR, 24 * HOUR),
                "high": (2 * HOUR, 8 * HOUR),
                "urgent": (30 * MINUTE, 2 * HOUR),
            },
        ),
    ],
)
def test_a_preset_has_the_documents_table(
    preset: str, clock: str, table: dict[str, tuple[int, int]]
) -> None:
    policy = load_checked(PRESETS / f"{preset}.yaml").desk.sla.policies[preset]

    targets = {
        priority: (one.first_response.seconds, one.resolution.seconds)
        for priority, one in policy.targets.items()
    }
    assert targets == table
    assert policy.clock == clock
