"""Prometheus itself checks the rules, and runs their unit tests."""

import subprocess

import pytest

from tests.monitoring import FOLDER

pytestmark = [pytest.mark.peers, pytest.mark.timeout(60)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "rules.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_is_content(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *arguments], check=False, capture_output=True, text=True, cwd=FOLDER
    )

    assert done.returncode == 0, done.stdout + done.stderr
