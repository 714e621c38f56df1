"""Every kind of mail in a real browser: it must fit the narrowest phone and stay readable."""

import re
import subprocess
from pathlib import Path

import pytest

from services.reports import render
from tests.unit.notify.cases import html_of
from tests.unit.notify.test_letters import KINDS
from tests.unit.reports.test_rendering import november

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]
CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
MEASURE = """
<script>
const least = Math.min(...[...document.querySelectorAll("p, td, h1, h2, h3, a, li")]
    .filter(e => e.innerText.trim()).map(e => parseFloat(getComputedStyle(e).fontSize)));
document.title = [document.documentElement.scrollWidth, window.innerWidth, least].join(" ");
</script>
"""


def html_of_kind(kind: str) -> str:
    return render.html_of(november(), []) if kind == "report" else html_of(KINDS[kind]())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_mail_fits_a_phone_of_320_pixels_and_no_word_is_tiny(kind: str, tmp_path: Path) -> None:
    page = tmp_path / "mail.html"
    # A frame of that width, since the browser's own window cannot be made so small.
    inner = tmp_path / "inner.html"
    inner.write_text(html_of_kind(kind) + MEASURE, encoding="utf-8")
    page.write_text(
        '<iframe src="inner.html" width="320" height="2000" style="border:0"'
        ' onload="document.title=this.contentDocument.title;'
        'document.body.dataset.seen=this.contentDocument.title"></iframe>',
        encoding="utf-8",
    )
    command = [
        *CHROMIUM, "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=4000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip

    dom = subprocess.run(command, check=True, capture_output=True, text=True, timeout=90).stdout

    seen = re.search(r'data-seen="(\d+) (\d+) ([\d.]+)"', dom)
    assert seen, dom[:2000]
    needed, given, least = float(seen[1]), float(seen[2]), float(seen[3])
    assert given == 320
    assert needed <= given
    assert least >= 13
