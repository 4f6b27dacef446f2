"""A head-end and its database killed again and again keep all that was answered; an early answer is found out.

`python -m tests.e2e.kill_headend --kills 200 [--postgres]` does it 200 times.
"""

import re
import subprocess
import sys

import pytest

from tests.support.postgres import require_postgres
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

TIMEOUT_S = 400
KINDS = {"sqlite": (), "postgres": ("--postgres",)}


def kills(kind: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if kind == "postgres":
        require_postgres()
    command = [sys.executable, "-m", "tests.e2e.kill_headend", *KINDS[kind], *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kill_loses_or_doubles_what_was_answered(kind: str) -> None:
    ended = kills(kind, "--kills", "6")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = re.search(r"^6 kills \((.*)\); (\d+) entries", ended.stdout, re.MULTILINE)
    assert told is not None, ended.stdout
    assert told[1] == ("6 x head-end" if kind == "sqlite" else "3 x PostgreSQL, 3 x head-end")
    assert int(told[2]) > 100


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_before_the_commit_is_found_out(kind: str) -> None:
    ended = kills(kind, "--kills", "12", "--seed", "1", "--early-answer")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert re.search(r"^FAILED: meter \w+ has", ended.stdout, re.MULTILINE), ended.stdout
