"""The panel's texts: both languages for whatever may have to be said, with the same words in their places."""

import re

from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel_texts import Text
from dlms_objects.purse.fee_item import FeeKind
from dlms_objects.purse.prompt import ItemState

TABLES = (texts.KINDS, texts.STATES, texts.REFUSALS)


def all_texts() -> list[Text]:
    """Every text but the empty one."""
    single = [value for value in vars(texts).values() if isinstance(value, Text) and value != texts.NOTHING]
    return single + [text for table in TABLES for text in table.values()]


def test_every_text_is_said_in_both_languages_with_the_same_places() -> None:
    assert len(all_texts()) > 25
    for text in all_texts():
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
        assert text.en.isascii()
        assert text.en
        assert re.findall(r"{\w+}", text.zh) == re.findall(r"{\w+}", text.en)


def test_every_kind_and_state_has_its_text() -> None:
    assert set(texts.KINDS) == set(FeeKind)
    assert set(texts.STATES) == set(ItemState)


def test_words_go_into_both_languages() -> None:
    assert Text("{n} 秒", "{n} s").filled(n=3) == Text("3 秒", "3 s")
