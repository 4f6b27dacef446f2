"""A value that a model refuses is told as a wrong argument."""

import pytest
import typer
from pydantic import BaseModel

from deploy.commands.options import explaining


class Inner(BaseModel):
    port: int


class Outer(BaseModel):
    name: str
    inner: Inner


def test_every_refused_value_is_named_with_its_reason() -> None:
    with pytest.raises(typer.BadParameter) as caught, explaining():
        Outer.model_validate({"inner": {"port": "x"}})
    assert str(caught.value) == (
        "name: Field required; inner.port: Input should be a valid integer, unable to parse string as an integer"
    )


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), explaining():
        raise KeyError("x")
