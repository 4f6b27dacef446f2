"""Laws of the fields that requests and answers share."""

import base64
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from dlms_objects.purse.chain import verify_rows
from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR
from dlms_objects.values.system_title import SystemTitle
from headend.api.fields import (
    EXAMPLE_ROW,
    EXAMPLE_TIME,
    EXAMPLE_TITLE,
    CosemTimeText,
    Rows,
    Title,
    amount,
    instant_or_civil,
)
from tests.support.headend_books import CNY, SHANGHAI, TITLE, usual_journal


class _Fields(BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    title: Title = TITLE
    rows: Rows = b""
    time: CosemTimeText = CosemDateTime.NOT_SPECIFIED


@given(minor=st.integers(MINIMUM_MINOR, MAXIMUM_MINOR))
def test_an_amount_is_the_same_in_both_forms(minor: int) -> None:
    shown = amount(minor, CNY)
    assert shown.minor == minor
    assert shown.text is not None
    assert int(shown.text.replace(".", "")) == minor


def test_an_instant_keeps_its_offset_and_a_civil_time_has_none() -> None:
    instant = datetime(2026, 12, 1, 8, 0, tzinfo=SHANGHAI)
    shown = instant_or_civil(CosemDateTime.from_instant(instant, SHANGHAI))
    assert shown is not None
    assert shown.isoformat() == "2026-12-01T08:00:00+08:00"
    civil = datetime(2026, 12, 1, 8, 0)  # noqa: DTZ001 - civil
    assert instant_or_civil(CosemDateTime.from_civil(civil)) == civil
    assert instant_or_civil(CosemDateTime.NOT_SPECIFIED) is None


def test_rows_are_whole_rows_in_strict_base64() -> None:
    rows = usual_journal().batch().rows
    assert _Fields.model_validate({"rows": base64.b64encode(rows).decode()}).rows == rows
    for wrong in ("AAAA", "A", "AA AA", "é", 5, None):
        with pytest.raises(ValidationError):
            _Fields.model_validate({"rows": wrong})


def test_titles_and_times_are_read_from_hexadecimal() -> None:
    assert _Fields.model_validate({"title": str(TITLE).lower()}).title == TITLE
    assert _Fields.model_validate({"time": EXAMPLE_TIME}).time.octets.hex().upper() == EXAMPLE_TIME
    for wrong in ({"title": "4D"}, {"title": None}, {"time": "00" * 11}, {"time": "07EA0D" + "00" * 9}, {"time": 5}):
        with pytest.raises(ValidationError):
            _Fields.model_validate(wrong)


def test_the_example_of_the_description_is_a_true_first_row() -> None:
    title = SystemTitle.parse(EXAMPLE_TITLE)
    entries = verify_rows(base64.b64decode(EXAMPLE_ROW), JournalHead.empty(title), 0)
    assert [entry.amount for entry in entries] == [500_000]
