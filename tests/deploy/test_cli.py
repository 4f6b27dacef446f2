"""The command line: quick to load, every error one clear line, no traceback, the promised exit codes."""

import subprocess
import sys

import pytest
import typer

from deploy import cli
from dlms_objects.errors import MeterPurseError, RefusedError
from tests.support.command_line import Run, call
from tests.support.help_commands import help_commands
from tests.support.sources import ROOT

HEAVY = {
    *("alembic", "asyncio", "babel", "cryptography", "fastapi", "gurux_dlms", "jinja2", "pydantic", "rich"),
    *("sqlalchemy", "sqlite3", "treq", "twisted"),
}


def loaded_by(statement: str) -> set[str]:
    """The modules that one import statement loads in a fresh interpreter."""
    program = (
        f"import sys; before = set(sys.modules); {statement}; sys.stdout.write(' '.join(set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_command_line_loads_nothing_heavy() -> None:
    loaded = loaded_by("import deploy.cli")
    assert {"deploy.cli", "deploy.commands.meter", "typer"} <= loaded
    assert loaded.isdisjoint(HEAVY)


def test_something_heavy_would_be_noticed() -> None:
    assert not loaded_by("import deploy.running").isdisjoint(HEAVY)


HELP = """
import contextlib, io, sys
from deploy import cli
for words in {commands!r}:
    with contextlib.redirect_stdout(io.StringIO()):
        assert cli.run([*words, "--help"]) == 0, words
    found = {{name.partition(".")[0] for name in sys.modules}} & {heavy!r}
    if found:
        sys.stdout.write(f"{{words}} loads {{sorted(found)}}\\n")
        break
"""
HEAVY_FOR_HELP = (HEAVY - {"asyncio", "pydantic", "rich"}) | {"influxdb_client", "serial", "uvicorn", "msgspec"}
"""What no help loads. Typer itself loads pydantic, and what that loads, once it parses arguments."""


def heavy_help(commands: list[tuple[str, ...]], before: str = "") -> str:
    """The first command whose help loads something heavy, and what; in one fresh interpreter."""
    program = before + HELP.format(commands=commands, heavy=HEAVY_FOR_HELP)
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_no_help_of_any_command_loads_anything_heavy() -> None:
    commands = help_commands()
    assert {(), ("gateway", "doctor"), ("dlms", "purse"), ("headend", "notices", "list")} <= set(commands)
    assert heavy_help(commands) == ""


def test_a_help_that_loads_something_heavy_would_be_noticed() -> None:
    before = "import deploy.commands.gateway_tools as tools; import twisted.internet\n"
    assert heavy_help([("gateway", "doctor")], before) == "('gateway', 'doctor') loads ['twisted']\n"


def test_help_names_every_group() -> None:
    shown = call("--help")
    assert shown.code == 0
    for group in ("meter", "gateway", "headend", "dlms", "courier", "demo"):
        assert f"\n  {group} " in shown.out
        assert call(group, "--help").code == 0


def test_the_version_is_that_of_the_distribution() -> None:
    assert call("--version") == Run(code=0, out="meterpurse 0.1.0\n", err="")


def test_a_wrong_argument_is_explained_without_a_traceback() -> None:
    run = call("headend", "check")
    assert run.code == 2
    assert "Missing argument 'DIR'" in run.err
    assert "Traceback" not in run.err


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A command line whose one command raises what the test puts there."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)
    return app


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (RefusedError("the meter says no"), 2, "the meter says no\n"),
        (MeterPurseError(), 2, "MeterPurseError\n"),
        (MeterPurseError("a:1: one\na:2: two"), 2, "a:1: one\na:2: two\n"),
        (PermissionError(13, "Permission denied", "x.toml"), 2, "meterpurse: [Errno 13] Permission denied: 'x.toml'\n"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(5), 5, ""),
    ],
)
def test_an_error_is_told_in_its_own_words(
    error: BaseException, code: int, words: str, failing: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    @failing.command()
    def fail() -> None:
        raise error

    assert cli.run([]) == code
    assert capsys.readouterr().err == words


def test_an_unexpected_error_is_one_line_that_says_how_to_see_more(
    failing: typer.Typer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @failing.command()
    def fail() -> None:
        raise KeyError("gone")

    assert cli.run([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("meterpurse: unexpected KeyError: 'gone'")
    assert cli.TRACEBACK_VARIABLE in line
    monkeypatch.setenv(cli.TRACEBACK_VARIABLE, "1")
    with pytest.raises(KeyError):
        cli.run([])


def test_a_command_that_ends_well_is_zero(failing: typer.Typer) -> None:
    @failing.command()
    def succeed() -> None: ...

    assert cli.run([]) == 0
