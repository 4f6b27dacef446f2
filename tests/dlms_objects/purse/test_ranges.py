"""Whole numbers within their range, and nothing else."""

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.ranges import require_whole


@pytest.mark.parametrize("value", [0, 5, 10])
def test_a_whole_number_in_range_passes(value: int) -> None:
    require_whole("amount", value, 0, 10)


@pytest.mark.parametrize("value", [-1, 11, True, 5.0, "5", None])
def test_anything_else_is_refused_by_the_name_of_its_field(value: object) -> None:
    with pytest.raises(InvalidValueError, match="^amount is a whole number 0..10, not"):
        require_whole("amount", value, 0, 10)  # type: ignore[arg-type]
