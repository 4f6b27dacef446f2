"""Arguments and options that several command groups share, and how a wrong one is told. Imports typer only."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Severity(StrEnum):
    """The least severe kind of log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Pocket(StrEnum):
    """How a courier keeps what it carries."""

    OCTETS = "octets"
    TEXT = "text"
    SVG = "svg"
    PNG = "png"


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the configuration and all state.")]
Folders = Annotated[list[Path], typer.Argument(metavar="DIR...", help="The folders of the meters.")]
LogLevel = Annotated[Severity, typer.Option("--log-level", help="The least severe kind of log line.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Log one JSON object a line instead of text.")]


def instant(text: str) -> datetime:
    """`now`, or an ISO 8601 date-time with offset, as an aware date-time."""
    if text == "now":
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"`now` or a date-time with offset is wanted, such as 2026-03-01T12:00:00+08:00, not {text!r}"
        )
    return moment


@contextmanager
def explaining() -> Iterator[None]:
    """Tell a value that a model refuses as a wrong argument: key and reason, no traceback."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise typer.BadParameter("; ".join(mistakes)) from None
