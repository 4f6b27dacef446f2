"""A daemon is started, awaited, stopped and killed; one that fails says why."""

import sys
from pathlib import Path

import pytest

from deploy.demo.daemons import Daemon, DaemonError

GOOD = "import signal, sys, time\nsys.stdout.write('ready and well\\n')\nsys.stdout.flush()\nsignal.pause()\n"
BAD = "import sys\nsys.stderr.write('no such key\\n')\nsys.exit(2)\n"


def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> Daemon:
    (tmp_path / "a_daemon_of_the_tests.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return Daemon("tester", [], tmp_path / "log", module="a_daemon_of_the_tests")


def test_the_words_after_ready_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tester = daemon(tmp_path, monkeypatch, GOOD)
    assert tester.start() == "and well"
    assert tester.process_id is not None
    tester.stop()
    assert tester.process_id is None


def test_a_killed_daemon_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tester = daemon(tmp_path, monkeypatch, GOOD)
    tester.start()
    tester.kill()
    assert tester.start() == "and well"
    tester.kill()


def test_one_that_does_not_get_ready_says_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tester = daemon(tmp_path, monkeypatch, BAD)
    with pytest.raises(DaemonError, match="tester did not become ready: no such key"):
        tester.start()
    assert tester.process_id is None


def test_stopping_what_does_not_run_is_no_error(tmp_path: Path) -> None:
    Daemon("tester", [], tmp_path / "log", module=sys.__name__).stop()
