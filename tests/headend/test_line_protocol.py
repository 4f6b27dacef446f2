"""Line protocol: whole numbers, and no text that could break a line."""

import pytest

from headend.line_protocol import line, tag_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("房租", "房租"),
        ("Water, cold = 2", r"Water\,\ cold\ \=\ 2"),
        ("ends with a backslash\\", r"ends\ with\ a\ backslash"),
        ("two\nlines\t\x00", r"two\ lines"),
        (" ", "-"),
        ("", "-"),
    ],
)
def test_any_text_is_a_tag_value(text: str, value: str) -> None:
    assert tag_value(text) == value


def test_a_line_holds_whole_numbers_only() -> None:
    made = line("entry", {"meter": "A", "kind": "top_up"}, {"amount": -(2**63), "sequence": 7}, 1)
    assert made == "entry,meter=A,kind=top_up amount=-9223372036854775808i,sequence=7i 1"
    assert line("figures", {}, {"n": 0}, -5) == "figures n=0i -5"
