"""Every command line of `meterpurse` that asks for help: each group and each command, found in the declarations."""

from collections.abc import Iterator
from typing import Any

import typer

from deploy import cli


def help_commands() -> list[tuple[str, ...]]:
    """The words before `--help`, () for the program itself."""
    return list(_walk(typer.main.get_command(cli.app), ()))


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _walk(inner, (*words, name))
