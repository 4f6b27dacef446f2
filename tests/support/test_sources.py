"""The architecture tests look at the right files."""

from pathlib import Path

from tests.support.sources import Module, modules, source_modules, text_files


def test_the_products_modules_are_found_and_parse() -> None:
    found = {module.path for module in source_modules()}
    assert {"dlms_objects/errors.py", "deploy/cli.py"} <= found
    assert not any(path.startswith("tests/") for path in found)
    assert all(module.tree for module in source_modules())


def test_a_module_of_imports_and_names_alone_has_no_code() -> None:
    assert not Module(path="a.py", text='"""Doc."""\nimport os\nfrom os import path\n__all__ = ["path"]\n').has_code
    assert not Module(path="a.py", text='class Lost(Exception):\n    """The line is gone."""\n').has_code
    assert Module(path="a.py", text="LIMIT = 1\n").has_code
    assert Module(path="a.py", text="class Kept:\n    limit = 1\n").has_code


def test_inner_functions_are_seen_too() -> None:
    text = "class A:\n    def one(self):\n        async def two(): ...\n"
    assert [function.name for function in Module(path="a.py", text=text).functions()] == ["one", "two"]


def test_what_is_made_or_hidden_is_no_text_of_ours(tmp_path: Path) -> None:
    for name in (
        ".venv/x.py",
        "build/x.py",
        "a.egg-info/x.txt",
        "a/__pycache__/x.py",
        "a/b.py",
        ".ci/run",
        "a/pic.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [path for path, _ in text_files(tmp_path)] == [".ci/run", "a/b.py"]
    assert [module.path for module in modules("a", root=tmp_path)] == ["a/__pycache__/x.py", "a/b.py"]
