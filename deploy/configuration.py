"""Reading a TOML configuration into a pydantic model, with every mistake named by file and line.

`load` is the one way any program of ours reads its configuration; the models themselves live beside what they configure
(`gateway/config.py` and so on). What this module says about a mistake never contains a key, token or password.
Imported by `deploy/commands/`.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from deploy.document_rest import DocumentRest
from deploy.model_shape import is_path, keys_at, words_at
from deploy.toml_lines import Path as TomlPath
from deploy.toml_lines import TomlLines
from dlms_objects.errors import LocalError
from dlms_objects.program_folder import did_you_mean

M = TypeVar("M", bound=BaseModel)
Further = Callable[[M], Iterable[tuple[TomlPath, str]]]
"""Looks through a loaded model; gives the place of each mistake it finds, and words for it."""

LONGEST_ECHO = 40
"""A wrong value longer than this is not repeated in a message."""

SHORTEST_SECRET = 4
"""What stands under a secret name is blotted out of every message, unless it is too short to be anything but a word."""

_OWN_WORDS = {"value_error", "assertion_error"}  # raised by a validator of ours, in our words
_ONE_OF_SOME_WORDS = {"literal_error", "enum"}
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

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {"file": str(self.path), "line": self.line, "message": self.message}


class ConfigurationError(LocalError):
    """A configuration cannot be used; `problems` holds every mistake found, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems in the order of their lines."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def load(path: Path, model: type[M], further: Further[M] | None = None) -> M:
    """Read the TOML file at `path` into `model`; ConfigurationError names every mistake at once.

    Validators find the folder of the file, from which paths in it are counted, as `info.context["folder"]`.
    `further` finds what is wrong with a model that is well-formed: files, duplicates. It also looks through what is
    left when the mistakes of form are taken out, so that one run names all there is to mend.
    """
    text = _read(path)
    document = _parse(path, text)
    context = {"folder": path.parent}
    lines = TomlLines(text)
    try:
        loaded = model.model_validate(document, context=context)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False)
    else:
        if found := _further(path, loaded, further, lines):
            raise ConfigurationError(found)
        return loaded
    secrets = {leaf for place, leaf in _strings(document) if _is_secret(place, model) and len(leaf) >= SHORTEST_SECRET}
    found = [
        Problem(path, lines.line_of(mistake["loc"]), _without(secrets, _words(mistake, model, lines)))
        for mistake in mistakes
    ]
    rest = DocumentRest(document, [_place(mistake, lines) for mistake in mistakes])
    with suppress(ValidationError):
        loaded = model.model_validate(rest.document, context=context)
        found += _further(path, loaded, further, lines, rest.origin)
    raise ConfigurationError(found)


def _further(
    path: Path,
    loaded: M,
    further: Further[M] | None,
    lines: TomlLines,
    origin: Callable[[TomlPath], TomlPath] = lambda place: place,
) -> list[Problem]:
    if further is None:
        return []
    found = [(origin(place), words) for place, words in further(loaded)]
    return [Problem(path, lines.line_of(place), f"{_dotted(place)}: {words}") for place, words in found]


def _place(mistake: ErrorDetails, lines: TomlLines) -> TomlPath:
    """Where a mistake is in the document; for a missing key, where the key would be."""
    location = mistake["loc"]
    if mistake["type"] == "missing":
        return (*lines.known_part(location[:-1]), location[-1])
    return lines.known_part(location)


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
        return f"{_dotted(known)}: unknown key{did_you_mean(location[-1], keys_at(model, location[:-1]))}"
    subject = f"{_dotted(known)}: " if known else ""
    if mistake["type"] in _OWN_WORDS:
        return subject + mistake["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    words = mistake["msg"].removeprefix("Input ")
    words = subject + words[:1].lower() + words[1:]
    if _is_secret(known, model):
        return words
    if mistake["type"] in _ONE_OF_SOME_WORDS:
        return words + _echo(mistake["input"]) + did_you_mean(mistake["input"], words_at(model, known))
    return words + _echo(mistake["input"])


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


def _is_secret(location: TomlPath, model: type[BaseModel]) -> bool:
    """Whether a name on the way says key, token, secret or password; the path of a file or folder is no secret."""
    if not any(isinstance(step, str) and _SECRET_NAME.search(step) for step in location):
        return False
    return not is_path(model, location)


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
