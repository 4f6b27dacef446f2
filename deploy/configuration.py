"""Reading a TOML configuration into a pydantic model, with every mistake named by file and line.

`load` is the one way any program of ours reads its configuration; the models themselves live beside what they configure
(`gateway/config.py` and so on). What this module says about a mistake never contains a key, token or password.
Imported by `deploy/commands/`.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from deploy.toml_lines import Path as TomlPath
from deploy.toml_lines import TomlLines
from dlms_objects.errors import LocalError

M = TypeVar("M", bound=BaseModel)

LONGEST_ECHO = 40
"""A wrong value longer than this is not repeated in a message."""

SHORTEST_SECRET = 4
"""What stands under a secret name is blotted out of every message, unless it is too short to be anything but a word."""

_OWN_WORDS = {"value_error", "assertion_error"}  # raised by a validator of ours, in our words
_SECRET_NAME = re.compile(r"key|token|secret|password", re.IGNORECASE)
_SYNTAX_PLACE = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the file, its line counted from 1 (None: the file as a whole), and what is wrong in words."""

    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        """`file:line: message`, the form editors and compilers share."""
        place = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


class ConfigurationError(LocalError):
    """A configuration cannot be used; `problems` holds every mistake found, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems in the order of their lines."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def load(path: Path, model: type[M]) -> M:
    """Read the TOML file at `path` into `model`; ConfigurationError names every mistake at once.

    Validators find the folder of the file, from which paths in it are counted, as `info.context["folder"]`.
    """
    text = _read(path)
    document = _parse(path, text)
    try:
        return model.model_validate(document, context={"folder": path.parent})
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
    lines = TomlLines(text)
    secrets = {leaf for place, leaf in _strings(document) if _is_secret(place, model) and len(leaf) >= SHORTEST_SECRET}
    raise ConfigurationError(
        [
            Problem(path, lines.line_of(mistake["loc"]), _without(secrets, _words(mistake, model, lines)))
            for mistake in mistakes
        ]
    )


@contextmanager
def blaming(path: Path, places: Mapping[type[Exception], TomlPath]) -> Iterator[None]:
    """Turn errors of these classes, raised by what was configured, into a ConfigurationError at their place."""
    try:
        yield
    except tuple(places) as error:
        place = next(place for kind, place in places.items() if isinstance(error, kind))
        raise ConfigurationError([problem_at(path, place, str(error))]) from error


def problem_at(path: Path, place: TomlPath, message: str) -> Problem:
    """A problem that was found after loading (a port in use, say) at the line of the value at `place` in the file."""
    try:
        line = TomlLines(_read(path)).line_of(place)
    except ConfigurationError:
        return Problem(path, None, message)
    return Problem(path, line, f"{_dotted(place)}: {message}")


def _read(path: Path) -> str:
    try:
        octets = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError([Problem(path, None, f"cannot be read: {reason}")]) from error
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigurationError([Problem(path, line, "not UTF-8 text")]) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"not TOML: {error}"
        line = text.rstrip("\n").count("\n") + 1
        if place := _SYNTAX_PLACE.search(message):
            line = int(place["line"])
            message = f"{message[: place.start()]} (column {place['column']})"
        raise ConfigurationError([Problem(path, line, message)]) from error


def _words(mistake: ErrorDetails, model: type[BaseModel], lines: TomlLines) -> str:
    """What one pydantic error says, in our words: the key first, no class names, no secret."""
    location = mistake["loc"]
    if mistake["type"] == "missing":
        return f"{_dotted((*lines.known_part(location[:-1]), location[-1]))}: missing"
    known = lines.known_part(location)
    if mistake["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _keys_at(model, location[:-1]), n=1)
        return f"{_dotted(known)}: unknown key" + (f"; did you mean {near[0]!r}?" if near else "")
    subject = f"{_dotted(known)}: " if known else ""
    if mistake["type"] in _OWN_WORDS:
        return subject + mistake["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    words = mistake["msg"].removeprefix("Input ")
    return subject + words[:1].lower() + words[1:] + ("" if _is_secret(known, model) else _echo(mistake["input"]))


def _without(secrets: Collection[str], message: str) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        message = message.replace(secret, "***").replace(repr(secret)[1:-1], "***")
    return message


def _echo(value: object) -> str:
    """`, not 'x'` for a short scalar."""
    if not isinstance(value, str | int | float):
        return ""
    shown = repr(value) if isinstance(value, str) else str(value).lower()
    return f", not {shown}" if len(shown) <= LONGEST_ECHO else ""


def _dotted(path: TomlPath) -> str:
    """`lines[0].address` for `("lines", 0, "address")`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _keys_at(model: type[BaseModel], location: TomlPath) -> list[str]:
    """The keys that a table at `location` may have, whichever member of a union it may be."""
    return [name for annotation in _annotations_at(model, location) for name, _ in _fields_in(annotation)]


def _annotations_at(model: type[BaseModel], location: TomlPath) -> list[Any]:
    """What the model says about the value at `location`: more than one annotation where a union leaves it open."""
    annotations: list[Any] = [model]
    for step in location:
        inner = [inner for each in annotations for name, inner in _fields_in(each) if name == step]
        annotations = inner or annotations  # a place in an array, a key of a dictionary: not a field
    return annotations


def _fields_in(annotation: Any) -> Iterator[tuple[str, Any]]:
    """Each field of each model that an annotation is made of: its key and its annotation."""
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            for name, field in part.model_fields.items():
                yield field.alias or name, field.annotation


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and all it is made of: the members of a union, the elements of a list or dictionary."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is_secret(location: TomlPath, model: type[BaseModel]) -> bool:
    """Whether a name on the way says key, token, secret or password; the path of a file or folder is no secret."""
    if not any(isinstance(step, str) and _SECRET_NAME.search(step) for step in location):
        return False
    return not any(Path in _parts(annotation) for annotation in _annotations_at(model, location))


def _strings(tree: object, location: TomlPath = ()) -> Iterator[tuple[TomlPath, str]]:
    """Every string of a document, with its place."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _strings(value, (*location, name))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _strings(value, (*location, index))
    elif isinstance(tree, str):
        yield location, tree
