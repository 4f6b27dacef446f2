"""The demo as a new user runs it: three real processes, a year, books that agree."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.influxdb import PROGRAMS, is_installed
from tests.support.servers import require
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

RECONCILED = re.compile(r"^reconciled: 60 deductions, meter == ledger, balance -?\d+\.\d\d CNY$", re.MULTILINE)
POINTS = re.compile(
    r"^InfluxDB: \d+ points found \(.*fee_status, .*, 62 purse_entry, .*purse_status, .*reading\); all 62 entries",
    re.MULTILINE,
)
TIMEOUT_S = 120


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy", "demo", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_a_years_books_agree_and_nothing_is_left_behind() -> None:
    ended = demo("--seconds", "6")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr + ended.stdout
    assert RECONCILED.search(ended.stdout), ended.stdout
    mails = int(re.search(r"^Mails that arrived at the resident's: (\d+) ", ended.stdout, re.MULTILINE)[1])
    assert mails > 80, ended.stdout
    assert "  Statement for " in ended.stdout
    running = float(re.search(r"running part: ([\d.]+) s", ended.stdout)[1])
    assert running > 6
    for kind in ("insufficient", "settled", "top up", "deduction", "shortfall ahead"):
        assert re.search(rf"^{kind}\b", ended.stdout, re.MULTILINE), kind
    for name in PROGRAMS:
        require(name)
    assert POINTS.search(ended.stdout), ended.stdout


def test_keep_leaves_all_processes_running_and_says_where_to_look(tmp_path: Path) -> None:
    ended = demo("--seconds", "5", "--keep", "--folder", tmp_path / "world")
    assert ended.returncode == 0, ended.stderr
    processes = [int(number) for number in re.search(r"kill ([\d ]+);", ended.stdout)[1].split()]
    try:
        assert len(processes) == (5 if is_installed() else 3)
        for process in processes:
            os.kill(process, 0)
        endpoint = re.search(r"(tcp:127\.0\.0\.1:\d+)", ended.stdout)[1]
        keys = tmp_path / "world" / "meter" / "keys" / "reader.toml"
        command = [sys.executable, "-m", "deploy", "dlms", "purse", "-k", str(keys), "-e", endpoint]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        assert shown.returncode == 0, shown.stderr
    finally:
        for process in processes:
            os.kill(process, signal.SIGKILL)


def test_a_household_file_without_a_demo_table_is_one_clear_line(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "examples" / "household.toml").read_text()
    plain = tmp_path / "household.toml"
    plain.write_text(text[: text.index("[demo]")])
    ended = demo("--household", plain)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "[demo]" in ended.stderr
