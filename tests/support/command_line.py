"""The command `meterpurse` as tests call it: in this process, or in one of its own to its end or until told to stop."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy import cli
from tests.support.sources import ROOT

START_TIMEOUT_S = 60
_COMMAND = [sys.executable, "-c", "from deploy.cli import main; main()"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one command ended: exit code and what it wrote."""

    code: int
    out: str
    err: str


def call(*arguments: str | Path) -> Run:
    """Run one command to its end in this process: quick, but not for a command that may start a reactor."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([str(argument) for argument in arguments])
    return Run(code=code, out=out.getvalue(), err=err.getvalue())


def invoke(*arguments: str | Path) -> Run:
    """Run one command to its end in a process of its own."""
    ended = subprocess.run(
        [*_COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    return Run(code=ended.returncode, out=ended.stdout, err=ended.stderr)


@dataclass(slots=True)
class Served:
    """A serving command: the words after `ready`; once the `with` block has ended its exit code and what it wrote."""

    ready: str
    pid: int
    code: int | None = None
    out: str = ""
    err: str = ""


@contextlib.contextmanager
def served(*arguments: str | Path) -> Iterator[Served]:
    """Start a serving command, wait for `ready`, and stop it by SIGTERM at the end of the block."""
    process = subprocess.Popen(
        [*_COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("ready"):
            process.kill()
            raise AssertionError(f"not ready: {line!r} {process.communicate()[1]}")
        serving = Served(ready=line.removeprefix("ready").strip(), pid=process.pid)
        yield serving
        process.terminate()
        serving.out, serving.err = process.communicate(timeout=START_TIMEOUT_S)
        serving.code = process.returncode
    finally:
        process.kill()
        process.communicate()


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100"}
