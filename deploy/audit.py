"""``make audit``: asks an advisory service about every package that is locked, with pip-audit.

A known vulnerability is a failure. That nobody could be asked is said, and is none: a machine
without a network, or behind a mirror that has no advisories, can build all the same.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKED = ("requirements.txt", "requirements-dev.txt")
ANSWER_S = 10
SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """What is to be said, and whether it is a failure."""

    lines: list[str]
    is_bad: bool = False


def verdict(found: dict[str, Any]) -> Verdict:
    """Judge pip-audit's report; packages that it skipped are unknown, not good."""
    packages = found["dependencies"]
    bad = [package for package in packages if package.get("vulns")]
    skipped = sorted({package["name"] for package in packages if "skip_reason" in package})
    lines = [_line(package, known) for package in bad for known in package["vulns"]]
    if skipped:
        names = ", ".join(skipped[:SHOWN]) + (" …" if len(skipped) > SHOWN else "")
        lines.append(
            f"NOT AUDITED: the advisory service says nothing about {len(skipped)} of "
            f"{len(packages)} packages: {names}"
        )
    if not bad and len(skipped) < len(packages):
        lines.append(f"No known vulnerability in {len(packages) - len(skipped)} packages.")
    return Verdict(lines, is_bad=bool(bad))


def unreachable(reason: str) -> Verdict:
    """Nobody could be asked about anything."""
    return Verdict([f"NOT AUDITED: the advisory service cannot be reached ({reason})."])


def audit(files: Sequence[Path], options: Sequence[str] = ()) -> Verdict:
    """Run pip-audit on locked requirements; ``options`` are more options of its."""
    listed = [word for file in files for word in ("-r", str(file))]
    how = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *listed, *how, "--timeout", str(ANSWER_S)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return unreachable(said[-1][:300])
    return verdict(found)


def _line(package: dict[str, Any], known: dict[str, Any]) -> str:
    mended = ", ".join(known["fix_versions"]) or "no release yet"
    return f"{package['name']} {package['version']}: {known['id']}, mended in {mended}"


def main(options: Sequence[str]) -> int:
    """Say the verdict; 1 where a vulnerability is known."""
    result = audit([ROOT / name for name in LOCKED], options)
    for line in result.lines:
        print(line)
    return 1 if result.is_bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
