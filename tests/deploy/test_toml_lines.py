"""The scanner finds every value that tomllib finds, where it stands."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.toml_lines import Path, TomlLines

DOCUMENT = """\
# a comment with [brackets] and = signs
title = "a # that is no comment"
"quoted key" = 1
dotted.inner."far away" = true

[table]   # a comment
when = 1979-05-27 07:32:00
ports = [
    4059,  # one
    # between
    4060,
]
inline = { a = 1, b = { c = [ "x,]}", 'y' ] } }
text = \"\"\"
first = 1
[not.a.table]
quotes \\\"\"\" and ""\"\"\"
raw = '''
'' it = "said"
''''
after = 2

[table.below]
deep = 1

[[lines]]
name = "a"
[[lines]]
name = "b"
[lines.key]
file = "x"
[[lines.stops]]
at = 1
[[lines.stops]]
at = 2
[[lines]]
[ spaced . "o u t" ]
nan = nan
"""

PLACES: list[tuple[Path, int]] = [
    ((), 1),
    (("title",), 2),
    (("quoted key",), 3),
    (("dotted", "inner", "far away"), 4),
    (("table",), 6),
    (("table", "when"), 7),
    (("table", "ports"), 8),
    (("table", "ports", 0), 9),
    (("table", "ports", 1), 11),
    (("table", "inline", "b", "c", 1), 13),
    (("table", "text"), 14),
    (("table", "raw"), 18),
    (("table", "after"), 21),
    (("table", "below"), 23),
    (("table", "below", "deep"), 24),
    (("lines",), 26),
    (("lines", 0), 26),
    (("lines", 0, "name"), 27),
    (("lines", 1), 28),
    (("lines", 1, "key", "file"), 31),
    (("lines", 1, "stops", 0), 32),
    (("lines", 1, "stops", 1, "at"), 35),
    (("lines", 2), 36),
    (("spaced", "o u t"), 37),
    (("spaced", "o u t", "nan"), 38),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
def test_a_value_stands_on_its_line(path: Path, line: int) -> None:
    assert TomlLines(DOCUMENT).line_of(path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("missing",), 1),
        (("table", "missing"), 6),
        (("lines", 1, "missing"), 28),
        (("lines", 1, "tag-of-a-union", "name"), 29),
        (("lines", 7, "name"), 26),
        (("title", "str"), 2),
    ],
)
def test_what_is_missing_points_at_what_is_around_it(path: Path, line: int) -> None:
    assert TomlLines(DOCUMENT).line_of(path) == line


def test_windows_line_ends_count_like_others() -> None:
    assert TomlLines("a = 1\r\n\r\nb = 2\r\n").line_of(("b",)) == 3


def test_a_table_named_after_its_subtable_stands_on_its_own_line() -> None:
    assert TomlLines("[a.b]\n[a]\nc = 1\n").line_of(("a",)) == 2


def places(tree: object, path: Path = ()) -> Iterator[Path]:
    """The path of every value in what tomllib made of a document."""
    yield path
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from places(value, (*path, name))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from places(value, (*path, index))


def test_the_document_above_has_no_value_the_scanner_missed() -> None:
    assert set(places(tomllib.loads(DOCUMENT))) == TomlLines(DOCUMENT).paths


NAMES = st.text(string.ascii_letters + ' ."#é', min_size=0, max_size=4)
SCALARS = st.one_of(
    st.integers(-9, 99),
    st.booleans(),
    st.text('ab \\"#[]{}=,\n', max_size=8),
    st.datetimes(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def written(value: Any, gap: str) -> str:
    """A value in TOML's inline form; `gap` stands where an array may break its lines."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(name)} = {written(inner, gap)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + gap + "".join(f"{written(inner, gap)},{gap}" for inner in value) + "]"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@given(
    tables=st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=4), max_size=4),
    rows=st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3),
    gap=st.sampled_from(["", " ", "\n", " # ]\n", "\n\n  "]),
)
def test_the_scanner_finds_exactly_the_values_that_tomllib_finds(
    tables: dict[str, dict[str, Any]], rows: list[dict[str, Any]], gap: str
) -> None:
    text, at = "", {}
    headed = [(f"[{quoted(name)}]", (name,), pairs) for name, pairs in tables.items()]
    headed += [("[[rows]]", ("rows", index), row) for index, row in enumerate(rows) if "rows" not in tables]
    for header, path, pairs in headed:
        at[path] = text.count("\n") + 1
        text += header + gap.replace(" # ]\n", "") + "\n"
        for name, value in pairs.items():
            at[*path, name] = text.count("\n") + 1
            text += f"{quoted(name)} = {written(value, gap)}\n"
    lines = TomlLines(text)
    assert set(places(tomllib.loads(text))) == lines.paths
    assert {path: lines.line_of(path) for path in at} == at
