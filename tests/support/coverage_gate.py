"""A pytest plugin: values, purse and wire must be covered by tests to every branch, or the run fails.

`make test` loads it with `-p tests.support.coverage_gate` beside pytest-cov. It works inside the one pytest run, so
that pytest's own closing line stays the last word of CI.
"""

import contextlib
import io
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

ROOMS = ("dlms_objects/values", "dlms_objects/purse", "dlms_objects/wire")
REQUIRED_PERCENT = 100

_REPORT = pytest.StashKey[str]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """After pytest-cov has saved its figures: fail the session when one of ROOMS has an untested branch."""
    result = yield
    measured = session.config.pluginmanager.hasplugin("_cov") and not session.config.option.collectonly
    if measured and not session.testsfailed:
        report = shortfall(session.config.rootpath)
        if report:
            session.testsfailed += 1
        session.config.stash[_REPORT] = report or f"every branch of {', '.join(ROOMS)} is covered"
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the gate found."""
    if report := config.stash.get(_REPORT, ""):
        terminalreporter.section("coverage gate")
        terminalreporter.write_line(report)


def shortfall(root: Path) -> str:
    """What is not covered in ROOMS below `root`, as its `.coverage` file has it; empty when nothing is missing."""
    measured = coverage.Coverage(data_file=root / ".coverage", config_file=str(root / "setup.cfg"))
    measured.load()
    table = io.StringIO()
    with contextlib.chdir(root):
        try:
            percent = measured.report(include=[f"{room}/*" for room in ROOMS], file=table)
        except coverage.exceptions.NoDataError:
            return f"no coverage was measured in {', '.join(ROOMS)}"
    return table.getvalue() if percent < REQUIRED_PERCENT else ""
