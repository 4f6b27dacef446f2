"""The project's own files as the architecture tests see them: found, read and parsed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
HOUSES = ("deploy", "dlms_objects", "gateway", "headend")

_MADE = {"build", "dist", "htmlcov", "__pycache__"}
_TEXT = {
    ".py",
    ".md",
    ".cfg",
    ".toml",
    ".sh",
    ".html",
    ".css",
    ".js",
    ".json",
    ".yaml",
    ".yml",
    ".txt",
    ".ini",
    ".mako",
    "",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root (with `/`) and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())

    @property
    def has_code(self) -> bool:
        """Whether there is more in it than words, imports, `__all__` and classes that are a name and its meaning."""
        return any(not _declares_nothing(statement) for statement in self.tree.body)

    def functions(self) -> Iterator[Function]:
        """Every function, method and inner function."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


def modules(*folders: str, root: Path = ROOT) -> list[Module]:
    """Every Python file below the folders, by path."""
    found = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    return [Module(path=path.relative_to(root).as_posix(), text=path.read_text()) for path in found]


def source_modules() -> list[Module]:
    """Every module of the product."""
    return modules(*HOUSES)


def text_files(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """The path and text of every text file that is written by hand (not: made, ignored or installed)."""
    for path in sorted(root.rglob("*")):
        place = PurePosixPath(path.relative_to(root))
        made = any(part in _MADE or part.endswith(".egg-info") for part in place.parts)
        hidden = any(part.startswith(".") for part in place.parts) and place.parts[0] != ".ci"
        if path.is_file() and not made and not hidden and path.suffix in _TEXT:
            yield str(place), path.read_text(errors="replace")


def _declares_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.ClassDef(body=[ast.Expr(value=ast.Constant())]):
            return True
    return False
