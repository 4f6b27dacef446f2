"""What a pydantic model says about a place in a document: which keys it may have there, and which words.

For messages and suggestions only; validating is pydantic's. Imported by `deploy/configuration.py`.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from deploy.toml_lines import Path as TomlPath


def keys_at(model: type[BaseModel], location: TomlPath) -> list[str]:
    """The keys that a table at `location` may have, whichever member of a union it may be."""
    return [name for annotation in _annotations_at(model, location) for name, _ in _fields_in(annotation)]


def words_at(model: type[BaseModel], location: TomlPath) -> list[str]:
    """The words that the value at `location` may be, where the model lists them (a Literal, an enumeration)."""
    words: list[str] = []
    for part in (part for annotation in _annotations_at(model, location) for part in _parts(annotation)):
        if get_origin(part) is Literal:
            words += [each for each in get_args(part) if isinstance(each, str)]
        elif isinstance(part, type) and issubclass(part, Enum):
            words += [each.value for each in part if isinstance(each.value, str)]
    return words


def is_path(model: type[BaseModel], location: TomlPath) -> bool:
    """Whether the value at `location` is the path of a file or folder."""
    return any(Path in _parts(annotation) for annotation in _annotations_at(model, location))


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
