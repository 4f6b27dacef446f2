"""A command that asks a meter has the options of every question beside its own, and passes them on."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from deploy.commands import dlms, meter_options
from deploy.commands.meter_options import Ask, asking

SHARED = {"keys", "endpoint", "timeout", "trace", "trace_xml", "trace_plaintext"}


@asking
def hello(ask: Ask, name: Annotated[str, typer.Argument()], loud: bool = False) -> None:
    """Say hello to a meter."""
    typer.echo(f"{ask(lambda client: client)} {name} {loud}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The options of the questions asked; nobody answers."""
    found: list[dict[str, Any]] = []
    real = inspect.signature(meter_options._ask)

    def ask(question: Any, **options: Any) -> str:
        real.bind(question, **options)
        found.append(options)
        return "asked"

    monkeypatch.setattr(meter_options, "_ask", ask)
    return found


def run(*arguments: str) -> None:
    app = typer.Typer()
    app.command()(hello)
    app(args=list(arguments), standalone_mode=False)


def test_the_options_of_a_question_come_with_the_command(asked: list[dict[str, Any]], capsys: Any) -> None:
    run("you", "--loud", "--keys", "k.toml", "--timeout", "2", "--trace", "-", "--trace-xml")
    assert capsys.readouterr().out == "asked you True\n"
    assert asked == [
        {
            "keys": Path("k.toml"),
            "endpoint": meter_options.DEFAULT_ENDPOINT,
            "timeout": 2.0,
            "trace": "-",
            "trace_xml": True,
            "trace_plaintext": False,
        }
    ]


def test_a_command_keeps_its_own_name_words_and_parameters() -> None:
    assert (hello.__name__, hello.__doc__) == ("hello", "Say hello to a meter.")
    assert list(inspect.signature(hello).parameters) == ["name", "loud", *SHARED_IN_ORDER]


SHARED_IN_ORDER = [name for name in inspect.signature(meter_options._ask).parameters if name != "question"]


def test_every_command_that_asks_a_meter_can_be_traced() -> None:
    """All but rotate-keys, which opens session after session with keys of several files."""
    commands = [command.callback for command in dlms.app.registered_commands if command.name != "rotate-keys"]
    assert len(commands) >= 9
    assert set(SHARED_IN_ORDER) == SHARED
    assert all(command is not None and set(inspect.signature(command).parameters) >= SHARED for command in commands)


def test_xml_and_plaintext_without_a_trace_are_refused() -> None:
    for wanted in ("trace_xml", "trace_plaintext"):
        with pytest.raises(typer.BadParameter):
            meter_options._ask(lambda client: client, keys=Path("k.toml"), **{wanted: True})
