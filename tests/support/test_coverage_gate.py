"""The coverage gate lets a fully tested room pass and stops a room with one untested branch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODULE = """
def sign(number: int) -> int:
    if number < 0:
        return -1
    return 1
"""

TESTED = """
from dlms_objects.values.sign import sign

def test_sign():
    assert sign(3) == 1
"""


def run_gated(folder: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the gate over a project of one module in values/ and one test module."""
    room = folder / "dlms_objects" / "values"
    room.mkdir(parents=True)
    (room.parent / "__init__.py").touch()
    (room / "__init__.py").touch()
    (room / "sign.py").write_text(MODULE)
    (folder / "setup.cfg").write_text("[coverage:run]\nbranch = true\nsource =\n    dlms_objects\n")
    (folder / "test_sign.py").write_text(test)
    (folder / "tests" / "support").mkdir(parents=True)
    (folder / "tests" / "support" / "coverage_gate.py").write_text(
        (ROOT / "tests" / "support" / "coverage_gate.py").read_text()
    )
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.coverage_gate", "-q", *arguments, "test_sign.py"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST_"))}
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("spread", [(), ("--numprocesses=1",)])
def test_an_untested_branch_fails_the_run_and_is_named(tmp_path: Path, spread: tuple[str, ...]) -> None:
    run = run_gated(tmp_path, TESTED, "--cov", "--cov-report=", *spread)
    assert run.returncode == 1
    assert "sign.py" in run.stdout
    assert "1 passed" in run.stdout.splitlines()[-1]


def test_a_fully_tested_room_passes(tmp_path: Path) -> None:
    run = run_gated(tmp_path, TESTED + "    assert sign(-3) == -1\n", "--cov", "--cov-report=")
    assert run.returncode == 0, run.stdout
    assert "every branch of dlms_objects/values" in run.stdout


def test_a_run_that_measured_nothing_of_the_rooms_fails(tmp_path: Path) -> None:
    run = run_gated(tmp_path, "def test_nothing(): pass", "--cov=os", "--cov-report=")
    assert run.returncode == 1
    assert "no coverage was measured" in run.stdout


def test_the_gate_says_nothing_where_coverage_is_not_measured(tmp_path: Path) -> None:
    run = run_gated(tmp_path, TESTED)
    assert run.returncode == 0
    assert "coverage" not in run.stdout
