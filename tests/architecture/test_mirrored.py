"""The tests mirror the tree: each module with code has its test module, each test module has its subject."""

from collections.abc import Collection

from tests.support.sources import HOUSES, Module, modules, source_modules

# Modules that are tested through others, each with the reason.
EXEMPT: dict[str, str] = {
    "deploy/__main__.py": "every daemon of tests/e2e is started through it",
    "deploy/asking.py": "a reactor runs once a process: tests/deploy/commands/test_dlms.py asks in processes",
    "deploy/courier_client.py": "tests/deploy/commands/test_courier.py calls at a running meter by command",
    "deploy/fee_setting.py": "tests/deploy/commands/test_dlms.py writes fee items through the command line",
    "deploy/key_changing.py": "tests/deploy/commands/test_dlms.py replaces keys through the command line",
    "deploy/purse_client.py": "tests/deploy/commands/test_dlms.py asks a running meter through the command line",
    "deploy/commands/demo.py": "tests/e2e/test_demo.py runs the command",
    "deploy/demo/headend_reader.py": "tests/e2e/test_demo.py reads a running head-end with it",
    "deploy/demo/points.py": "tests/e2e/test_demo.py reads its line at the end of a demo",
    "deploy/notice_test.py": "tests/deploy/commands/test_headend_notices.py sends a test in a process of its own",
    "deploy/demo/mails.py": "tests/e2e/test_demo.py runs the demo, which shows the mails that arrived",
    "deploy/demo/run.py": "tests/e2e/test_demo.py runs the demo",
    "deploy/demo/world.py": "tests/e2e/test_demo.py makes its world with it",
    "deploy/demo/year.py": "tests/e2e/test_demo.py and tests/e2e/kill_nine.py live the year",
}


def untested(sources: Collection[Module], tests: Collection[str]) -> list[str]:
    """The modules with code whose test module is missing."""
    return [
        f"{source.path}: no {mirror_of(source.path)}"
        for source in sources
        if source.has_code and source.path not in EXEMPT and mirror_of(source.path) not in tests
    ]


def orphaned(sources: Collection[Module], tests: Collection[str]) -> list[str]:
    """The test modules that mirror no module."""
    mirrors = {mirror_of(source.path) for source in sources}
    return [f"{test}: tests no module" for test in sorted(tests) if test not in mirrors]


def mirror_of(path: str) -> str:
    """`tests/gateway/test_store.py` for `gateway/store.py`."""
    folder, _, name = path.rpartition("/")
    return f"tests/{folder}/test_{name}"


def mirrored_tests() -> set[str]:
    """The test modules in the folders of tests/ that mirror the product."""
    found = modules(*(f"tests/{house}" for house in HOUSES))
    return {module.path for module in found if module.path.rpartition("/")[2].startswith("test_")}


def test_every_module_has_its_test_module() -> None:
    sources = source_modules()
    assert sum(source.has_code for source in sources) > 20
    assert untested(sources, mirrored_tests()) == []


def test_every_test_module_has_its_module() -> None:
    tests = mirrored_tests()
    assert len(tests) > 10
    assert orphaned(source_modules(), tests) == []


def test_every_exemption_is_of_a_module_without_tests() -> None:
    untested_now = {source.path for source in source_modules() if mirror_of(source.path) not in mirrored_tests()}
    assert set(EXEMPT) <= untested_now


def test_a_module_without_tests_and_a_test_without_module_are_found() -> None:
    sources = [
        Module(path="gateway/store.py", text="LIMIT = 1"),
        Module(path="gateway/line.py", text="LIMIT = 1"),
        Module(path="gateway/__init__.py", text='"""Only words."""'),
    ]
    tests = {"tests/gateway/test_store.py", "tests/gateway/test_gone.py"}
    assert untested(sources, tests) == ["gateway/line.py: no tests/gateway/test_line.py"]
    assert orphaned(sources, tests) == ["tests/gateway/test_gone.py: tests no module"]
