"""Where each key of a TOML document stands: a scanner that maps the path of a value to its line.

`tomllib` reads the values but forgets their places; this module finds the places and nothing else. It is only run over
text that `tomllib` has accepted, so it looks for structure and never judges. Imported by `deploy/configuration.py`.
"""

import re
import tomllib
from collections.abc import Sequence

Path = tuple[str | int, ...]
"""The way from the document's root to a value: names of tables and keys, and places in arrays counted from 0."""

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL),
    re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class TomlLines:
    """The line (counted from 1) of each table, key and array element of a TOML document."""

    def __init__(self, text: str) -> None:
        """Scan `text`, a document that `tomllib.loads` accepts."""
        self._text = text.replace("\r\n", "\n")
        self._position = 0
        self._lengths: dict[Path, int] = {}  # tables so far in each array of tables
        self._lines: dict[Path, int] = {(): 1}
        self._scan_document()

    @property
    def paths(self) -> frozenset[Path]:
        """The path of every value of the document; the root, `()`, is among them."""
        return frozenset(self._lines)

    def line_of(self, path: Path) -> int:
        """The line of the value at `path`; of the nearest table or array around it when there is no such value."""
        return self._lines[self.known_part(path)]

    def known_part(self, path: Path) -> Path:
        """`path` without the steps that the document does not have: missing keys, and tags that pydantic adds."""
        known: Path = ()
        for step in path:
            if (*known, step) in self._lines:
                known = (*known, step)
        return known

    def _scan_document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._position < len(self._text):
            if self._take("[["):
                table = self._enter_array_of_tables(self._key())
                self._take("]]")
            elif self._take("["):
                line = self._line()
                table = self._descend((), self._key())
                self._lines[table] = line
                self._take("]")
            else:
                self._scan_pair(table)
            self._skip(_BLANK)

    def _enter_array_of_tables(self, names: Sequence[str]) -> Path:
        array = (*self._descend((), names[:-1]), names[-1])
        self._lines.setdefault(array, self._line())
        element = (*array, self._lengths.get(array, 0))
        self._lengths[array] = self._lengths.get(array, 0) + 1
        self._lines[element] = self._line()
        return element

    def _descend(self, path: Path, names: Sequence[str]) -> Path:
        """The path that `names` lead to from `path`: an array of tables is entered at its newest table."""
        for name in names:
            path = (*path, name)
            self._lines.setdefault(path, self._line())
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _scan_pair(self, table: Path) -> None:
        path = self._descend(table, self._key())
        self._take("=")
        self._skip(_SPACE)
        self._scan_value(path)

    def _scan_value(self, path: Path) -> None:
        if self._take("["):
            index = 0
            self._skip(_BLANK)
            while not self._take("]"):
                self._lines[*path, index] = self._line()
                self._scan_value((*path, index))
                index += 1
                self._skip_separator()
        elif self._take("{"):
            self._skip(_BLANK)
            while not self._take("}"):
                self._scan_pair(path)
                self._skip_separator()
        elif not self._take_string():
            self._skip(_SCALAR)

    def _skip_separator(self) -> None:
        self._skip(_BLANK)
        self._take(",")
        self._skip(_BLANK)

    def _key(self) -> list[str]:
        names: list[str] = []
        while not names or self._take("."):
            self._skip(_SPACE)
            quoted = self._take_string()
            names.append(tomllib.loads(f"key = {quoted}")["key"] if quoted else self._skip(_BARE_KEY))
            self._skip(_SPACE)
        return names

    def _take(self, token: str) -> bool:
        found = self._text.startswith(token, self._position)
        self._position += len(token) if found else 0
        return found

    def _take_string(self) -> str:
        for pattern in _STRINGS:
            if string := self._skip(pattern):
                return string
        return ""

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            return ""
        self._position = match.end()
        return match[0]

    def _line(self) -> int:
        return self._text.count("\n", 0, self._position) + 1
