"""A meter killed again and again while it works keeps all it acknowledged.

`python -m tests.e2e.kill_meter` does it 300 times.
"""

import re
import subprocess
import sys

import pytest

from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

TIMEOUT_S = 300


def kills(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.e2e.kill_meter", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_no_kill_loses_or_doubles_what_the_meter_acknowledged() -> None:
    ended = kills("--kills", "40")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = re.search(
        r"40 kills: (\d+) top-ups acknowledged of (\d+) asked for, (\d+) other entries; 0 wrong", ended.stdout
    )
    assert told is not None, ended.stdout
    acknowledged, asked, others = map(int, told.groups())
    assert asked >= acknowledged > 40
    assert others


def test_a_store_that_commits_after_answering_is_found_out() -> None:
    ended = kills("--kills", "4", "--seed", "1", "--late-commit")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "acknowledged top-ups are lost" in ended.stdout
