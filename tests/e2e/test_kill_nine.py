"""Thirty times `kill -9` in a year loses and doubles nothing; a store that commits after answering is found out."""

import re
import subprocess
import sys

import pytest

from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

TIMEOUT_S = 400


def year_of_kills(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.e2e.kill_nine", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_thirty_kills_lose_nothing_and_double_nothing() -> None:
    ended = year_of_kills("--kills", "30")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    victims = re.findall(r"^kill \d+: (\S+)$", ended.stdout, re.MULTILINE)
    assert {victim: victims.count(victim) for victim in victims} == {"meter": 10, "gateway": 10, "head-end": 10}
    assert re.search(r"^reconciled: 60 deductions", ended.stdout, re.MULTILINE)


def test_a_store_that_commits_after_answering_is_found_out() -> None:
    ended = year_of_kills("--kills", "9", "--seed", "1", "--late-commit")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert re.search(r"^FAILED: ", ended.stdout, re.MULTILINE), ended.stdout
