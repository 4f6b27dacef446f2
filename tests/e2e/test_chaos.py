"""Faults, kills and a full disk: everything arrives, once; a gateway that lets go of rows too early is found out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

TIMEOUT_S = 400


def chaos(temporary: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.e2e.chaos", *arguments]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def test_everything_arrives_once(tmp_path: Path) -> None:
    ended = chaos(tmp_path, "--kills", "12")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^\d+ rows of 30 meters .*, each in the ledger once, nothing held$", ended.stdout, re.MULTILINE)
    assert re.search(r"^the gateway's disk is full|: the full disk is left out$", ended.stdout, re.MULTILINE)


def test_a_gateway_that_lets_go_of_rows_when_it_sends_them_is_found_out(tmp_path: Path) -> None:
    ended = chaos(tmp_path, "--kills", "6", "--seed", "1", "--patience", "15", "--letting-go-early")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert re.search(r"^FAILED: .* rows in the meter, ", ended.stdout, re.MULTILINE), ended.stdout
