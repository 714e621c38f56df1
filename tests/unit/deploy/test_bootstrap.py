"""The shell script that needs nothing but a Python; commands are faked by programs in PATH."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.parts import ROOT

SCRIPT = Path("deploy", "local", "bootstrap.sh")
TOOLS = ("sh", "dirname", "cksum", "df", "awk", "cat", "rm", "mkdir", "id", "chmod")


class Checkout:
    """A copy of the script with a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.diary = folder / "diary"
        (self.root / SCRIPT.parent).mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / SCRIPT, self.root / SCRIPT)
        (self.root / "requirements.txt").write_text("one==1\n")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)

    def program(self, name: str, text: str, folder: Path | None = None) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def python(self, *, old: bool = False, has_venv: bool = True, pip_code: int = 0) -> None:
        """A Python that makes an environment with a copy of itself and notes what pip is asked."""
        self.program(
            "python3",
            f"""case "$*" in
                *version_info*) exit {int(old)} ;;
                *ensurepip*) exit {int(not has_venv)} ;;
                *"-m venv"*) mkdir -p .venv/bin; cat "$0" > .venv/bin/python
                    echo 'echo "postdesk $*" >> {self.diary}' > .venv/bin/postdesk
                    chmod +x .venv/bin/* ;;
                *"-m pip"*) echo "$*" >> {self.diary}; exit {pip_code} ;;
                --version) echo Python 3.99 ;;
            esac""",
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(SCRIPT), *words],
            cwd=self.root,
            env={"PATH": str(self.bin)},
            capture_output=True,
            text=True,
            check=False,
        )

    def noted(self) -> list[str]:
        return self.diary.read_text().splitlines() if self.diary.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_python_the_remedy_is_named(checkout: Checkout) -> None:
    done = checkout.run("up")

    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_an_old_python_is_not_taken(checkout: Checkout) -> None:
    checkout.python(old=True)

    assert "Python 3.11 or newer is needed" in checkout.run("up").stderr


def test_a_newer_python_beside_an_old_one_is_found(checkout: Checkout) -> None:
    checkout.python()
    (checkout.bin / "python3").rename(checkout.bin / "python3.12")
    checkout.program("python3", "exit 1")

    assert checkout.run("up").returncode == 0


def test_a_python_without_venv_is_explained(checkout: Checkout) -> None:
    checkout.python(has_venv=False)

    done = checkout.run("up")

    assert done.returncode == 1
    assert "no module venv" in done.stderr
    assert "apt-get install python3-venv" in done.stderr


def test_the_first_run_installs_pinned_files_and_then_does_the_step(checkout: Checkout) -> None:
    checkout.python()

    assert checkout.run("up", "--smtp", "127.0.0.1:0").returncode == 0

    assert checkout.noted() == [
        "-m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt",
        "-m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .",
        "postdesk up --detach --smtp 127.0.0.1:0",
    ]


def test_nothing_is_installed_twice(checkout: Checkout) -> None:
    checkout.python()
    checkout.run("up")
    checkout.diary.unlink()

    checkout.run("up")

    assert checkout.noted() == ["postdesk up --detach"]


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    checkout.python()
    checkout.run("up")
    checkout.diary.unlink()
    (checkout.root / "requirements.txt").write_text("one==2\n")

    checkout.run("up")

    assert any("--require-hashes" in line for line in checkout.noted())


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.python(pip_code=1)
    failed = checkout.run("up")
    shutil.rmtree(checkout.root / ".venv")
    checkout.python()

    assert "could not be installed" in failed.stderr
    assert "HTTPS_PROXY" in failed.stderr
    assert checkout.run("up").returncode == 0


def test_a_full_disk_is_noticed_before_anything_is_fetched(checkout: Checkout) -> None:
    checkout.python()
    (checkout.bin / "df").unlink()
    checkout.program("df", "echo Filesystem; echo /dev/x 100 90 10240 90% /")

    done = checkout.run("up")

    assert done.returncode == 1
    assert "only 10 MB are free" in done.stderr
    assert checkout.noted() == []


def test_down_needs_nothing_installed(checkout: Checkout) -> None:
    done = checkout.run("down")

    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_step_is_answered_with_the_known_ones(checkout: Checkout) -> None:
    done = checkout.run("upp")

    assert done.returncode == 1
    assert "test-peers" in done.stderr


def test_make_names_no_step_that_the_script_lacks() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [line] = [line for line in makefile.splitlines() if line.startswith("STEPS :=")]
    script = (ROOT / SCRIPT).read_text()

    for step in line.partition(":=")[2].split():
        assert f"{step})" in script or f"{step} |" in script or f"| {step})" in script
        assert f'"make {step} ' in makefile


# The desk needs no make, only CI does: a user without it must be able to run these tests.
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make, which .ci/run calls")
def test_ci_fails_when_a_step_fails(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    (tmp_path / SCRIPT.parent).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    (tmp_path / SCRIPT).write_text('echo "$1 ran"; [ "$1" != test ]\n')

    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )

    assert done.returncode == 1
    assert "failed: make test\n" in done.stdout
    assert "test-peers ran" in done.stdout
