"""What a model says about a place: its keys, its words, whether it is a path."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from deploy.model_shape import is_path, keys_at, words_at


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Line(BaseModel):
    kind: Literal["tcp", "serial"]
    speed: Speed | None = None
    key_file: Path | None = None


class Whole(BaseModel):
    line: tuple[Line, ...] = ()
    named: dict[str, Line] = {}


def test_the_keys_of_a_table_in_an_array_or_under_a_name() -> None:
    assert keys_at(Whole, ()) == ["line", "named"]
    assert keys_at(Whole, ("line", 3)) == keys_at(Whole, ("named", "x")) == ["kind", "speed", "key_file"]


def test_the_words_of_a_literal_and_of_an_enumeration() -> None:
    assert words_at(Whole, ("line", 0, "kind")) == ["tcp", "serial"]
    assert words_at(Whole, ("line", 0, "speed")) == ["slow", "fast"]
    assert words_at(Whole, ("line", 0, "key_file")) == []


def test_a_path_is_known_as_one() -> None:
    assert is_path(Whole, ("line", 0, "key_file"))
    assert not is_path(Whole, ("line", 0, "kind"))
