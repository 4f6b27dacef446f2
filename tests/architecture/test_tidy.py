"""House rules that no linter checks: lengths, docstrings, exact money, honest names, no path of one machine.

Each rule is a function from modules to offences. It is run over the real tree, where it must look at something and find
nothing, and over a planted offence, which it must find.
"""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.support.sources import ROOT, Function, Module, modules, source_modules, text_files

MOST_LINES = 400
MOST_FUNCTION_LINES = 60

# What is longer today than it should be. These numbers only go down; a new entry is never the answer.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

MONEY_ROOMS = re.compile(r"dlms_objects/(purse/|values/money)|headend/(ledger|books|statements)")
BANNED_NAMES = {"data", "info", "manager", "util", "utils", "helper", "helpers"}
STANDARDS_OWN = {"dlms_objects/values/data.py", "Data"}  # "Data" is the COSEM standard's word for a typed value
CAMEL_CASE = re.compile(r"[a-z]+[A-Z]")  # a name that Twisted or gurux-dlms demands, and documents


def long_files(module: Module) -> Iterator[str]:
    """A file longer than MOST_LINES, or no longer as long as LONG_FILES says."""
    allowed = LONG_FILES.get(module.path, MOST_LINES)
    if module.lines > allowed:
        yield f"{module.path}: {module.lines} lines, at most {allowed}"
    elif module.path in LONG_FILES and module.lines < allowed:
        yield f"{module.path}: {module.lines} lines now: lower its number in LONG_FILES, or remove it"


def long_functions(module: Module) -> Iterator[str]:
    """A function longer than MOST_FUNCTION_LINES, or no longer as long as LONG_FUNCTIONS says."""
    for function in module.functions():
        name = f"{module.path}:{function.name}"
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        allowed = LONG_FUNCTIONS.get(name, MOST_FUNCTION_LINES)
        if length > allowed:
            yield f"{name}: {length} lines, at most {allowed}"
        elif name in LONG_FUNCTIONS and length < allowed:
            yield f"{name}: {length} lines now: lower its number in LONG_FUNCTIONS, or remove it"


def modules_without_docstring(module: Module) -> Iterator[str]:
    """A module that does not say what lives in it (an empty file says enough)."""
    if module.text.strip() and not ast.get_docstring(module.tree):
        yield f"{module.path}: no module docstring"


def names_without_docstring(module: Module) -> Iterator[str]:
    """A public class, function or method without a docstring; setters, overloads and Twisted's own names need none."""

    def look(body: list[ast.stmt]) -> Iterator[str]:
        for node in body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node) and not CAMEL_CASE.match(node.name) and not _is_variant(node):
                yield f"{module.path}:{node.lineno}: {node.name} has no docstring"
            if isinstance(node, ast.ClassDef):
                yield from look(node.body)

    yield from look(module.tree.body)


def _is_variant(node: Function | ast.ClassDef) -> bool:
    marks = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(mark.endswith((".setter", "overload")) for mark in marks)


def prints(module: Module) -> Iterator[str]:
    """A call of print()."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{module.path}:{node.lineno}: print()"


def inexact_money(module: Module) -> Iterator[str]:
    """Where money is counted: a float, a true division, a rounding."""
    if not MONEY_ROOMS.match(module.path):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{module.path}:{node.lineno}: the float {node.value}"
            case ast.Name(id="float" | "round" | "Decimal"):
                yield f"{module.path}:{node.lineno}: {node.id}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"{module.path}:{node.lineno}: a true division"


def empty_names(module: Module) -> Iterator[str]:
    """A module, class, variable or argument named by a word that says nothing."""
    stem = module.path.rpartition("/")[2].removesuffix(".py")
    if stem in BANNED_NAMES and module.path not in STANDARDS_OWN:
        yield f"{module.path}: the name of the module"
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                empty = name in BANNED_NAMES
            case ast.ClassDef(name=name):
                words = {word.lower() for word in re.findall(r"[A-Z][a-z]*", name)}
                empty = bool(words & (BANNED_NAMES - {"data"})) or name == "Data"
            case _:
                continue
        if empty and name not in STANDARDS_OWN:
            yield f"{module.path}:{node.lineno}: the name {name}"


def code_in_packages(module: Module) -> Iterator[str]:
    """Code in an `__init__.py`, where no test of the same name can mirror it."""
    if module.path.endswith("/__init__.py") and module.has_code:
        yield f"{module.path}: code in a package's own file"


Rule = Callable[[Module], Iterator[str]]

RULES: list[tuple[Rule, list[Module]]] = [
    (long_files, modules("deploy", "dlms_objects", "gateway", "headend", "tests")),
    (long_functions, modules("deploy", "dlms_objects", "gateway", "headend", "tests")),
    (modules_without_docstring, modules("deploy", "dlms_objects", "gateway", "headend", "tests")),
    (names_without_docstring, source_modules()),
    (prints, source_modules()),
    (inexact_money, [module for module in source_modules() if MONEY_ROOMS.match(module.path)]),
    (empty_names, [*source_modules(), *modules("tests/support")]),
    (code_in_packages, source_modules()),
]


@pytest.mark.parametrize(("rule", "looked_at"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_the_tree_keeps_the_rule(rule: Rule, looked_at: list[Module]) -> None:
    assert len(looked_at) > 2
    assert [offence for module in looked_at for offence in rule(module)] == []


LONG = "def long():\n" + "    call()\n" * MOST_FUNCTION_LINES

PLANTED: list[tuple[Rule, str, str]] = [
    (long_files, "gateway/a.py", "x = 1\n" * (MOST_LINES + 1)),
    (long_functions, "gateway/a.py", LONG),
    (long_functions, "gateway/a.py", LONG.replace("def", "async def")),
    (long_functions, "gateway/a.py", "class A:\n" + LONG.replace("def", " def").replace("    ", "     ")),
    (modules_without_docstring, "gateway/a.py", "x = 1\n"),
    (names_without_docstring, "gateway/a.py", "def public(): ...\n"),
    (names_without_docstring, "gateway/a.py", "class Public: ...\n"),
    (names_without_docstring, "gateway/a.py", 'class Public:\n    """Doc."""\n    async def method(self): ...\n'),
    (prints, "gateway/a.py", "def f():\n    print(1)\n"),
    (inexact_money, "dlms_objects/purse/a.py", "x = 1.5\n"),
    (inexact_money, "dlms_objects/purse/a.py", "x = y / 2\n"),
    (inexact_money, "dlms_objects/purse/a.py", "x /= 2\n"),
    (inexact_money, "headend/ledger.py", "x = round(y)\n"),
    (inexact_money, "headend/ledger_rows.py", "x = float(y)\n"),
    (inexact_money, "dlms_objects/values/money.py", "def f(x: float) -> None: ...\n"),
    (empty_names, "gateway/utils.py", ""),
    (empty_names, "gateway/data.py", ""),
    (empty_names, "gateway/a.py", "data = 1\n"),
    (empty_names, "gateway/a.py", "def f(info): ...\n"),
    (empty_names, "gateway/a.py", "for manager in x: ...\n"),
    (empty_names, "gateway/a.py", "class LineManager: ...\n"),
    (empty_names, "gateway/a.py", "class Helper: ...\n"),
    (code_in_packages, "gateway/__init__.py", "x = 1\n"),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_the_rule_finds_a_planted_offence(rule: Rule, path: str, text: str) -> None:
    assert len(list(rule(Module(path=path, text=text)))) == 1


def test_every_rule_has_a_planted_offence() -> None:
    assert {rule for rule, _ in RULES} == {rule for rule, _, _ in PLANTED}


def test_honest_code_is_no_offence() -> None:
    text = '''"""Doc."""\nfrom twisted.protocols.basic import LineReceiver\n\n\nclass Line(LineReceiver):
    """Doc."""\n\n    def lineReceived(self, line): ...\n\n    def _inner(self): ...\n\n\nHALF = 7 // 2\n'''
    for rule, _ in RULES:
        assert list(rule(Module(path="dlms_objects/purse/a.py", text=text))) == []


@pytest.mark.parametrize(("table", "rule"), [("LONG_FILES", long_files), ("LONG_FUNCTIONS", long_functions)])
def test_the_ratchet_only_goes_down(table: str, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    tall = Module(path="gateway/a.py", text=LONG + "x = 1\n" * MOST_LINES)
    name = {"LONG_FILES": "gateway/a.py", "LONG_FUNCTIONS": "gateway/a.py:long"}[table]
    length = {"LONG_FILES": MOST_FUNCTION_LINES + 1 + MOST_LINES, "LONG_FUNCTIONS": MOST_FUNCTION_LINES + 1}[table]
    for allowed, offences in ((length - 1, 1), (length, 0), (length + 1, 1)):
        monkeypatch.setitem(globals()[table], name, allowed)
        assert len(list(rule(tall))) == offences


def test_the_exceptions_of_the_ratchet_exist() -> None:
    paths = {module.path for module in modules("deploy", "dlms_objects", "gateway", "headend", "tests")}
    assert {name.partition(":")[0] for name in (*LONG_FILES, *LONG_FUNCTIONS)} <= paths


def machine_paths(text: str) -> list[str]:
    """The paths of one machine (a checkout, a home) in a text."""
    places = [re.escape(str(ROOT)), *(rf"(?<![\w.]){'/'}{name}/" for name in ("root", "work", "farm")), r"/home/\w+/"]
    return [found[0] for place in places for found in re.finditer(place, text)]


def test_no_file_holds_a_path_of_one_machine() -> None:
    looked_at = list(text_files())
    assert len(looked_at) > 50
    assert [f"{path}: {found}" for path, text in looked_at for found in machine_paths(text)] == []


def test_a_planted_path_of_a_machine_is_found() -> None:
    for place in (f"{ROOT}", "/" + "root/x", "/" + "home/someone/x", 'open("/' + 'work/a")'):
        assert machine_paths(f"see {place}")
    assert not machine_paths("docs/" + "root/x and ./" + "work/y and https://example.org/home")
