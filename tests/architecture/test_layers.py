"""The import rules of ARCHITECTURE.md hold, and each contract is seen to break when one forbidden import is planted."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = ("deploy", "dlms_objects", "gateway", "headend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What lint-imports said about a tree: the number of files it read, and each contract's verdict by its name."""

    files: int
    contracts: dict[str, str]


def judge(root: Path, *contracts: str) -> Verdict:
    """Run lint-imports over the tree at `root`; all contracts unless some are named."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    command += ["--no-cache", "--no-logo", *(f"--contract={name}" for name in contracts)]
    run = subprocess.run(command, cwd=root, env={"COLUMNS": "1000"}, capture_output=True, text=True, check=False)
    files = re.search(r"Analyzed (\d+) files", run.stdout)
    assert files, run.stdout + run.stderr
    verdicts = re.findall(r"^(.*) (KEPT|BROKEN)(?: \(.*\))?$", run.stdout, re.MULTILINE)
    return Verdict(files=int(files[1]), contracts=dict(verdicts))


def contract_names() -> dict[str, str]:
    """The names of the contracts in setup.cfg, by the last part of their section."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    prefix = "importlinter:contract:"
    return {
        name.removeprefix(prefix): settings[name]["name"] for name in settings.sections() if name.startswith(prefix)
    }


def test_every_contract_holds_over_every_module() -> None:
    verdict = judge(ROOT)
    sources = [path for house in HOUSES for path in (ROOT / house).rglob("*.py")]
    assert verdict.contracts == dict.fromkeys(contract_names().values(), "KEPT")
    assert verdict.files >= len(sources) > 40


PLANTS = [
    ("houses", "gateway/__init__.py", "import headend"),
    ("houses", "headend/__init__.py", "import gateway"),
    ("houses", "dlms_objects/values/money.py", "import gateway"),
    ("houses", "gateway/__init__.py", "import deploy.cli"),
    ("rooms", "dlms_objects/errors.py", "import dlms_objects.values"),
    ("rooms", "dlms_objects/values/money.py", "import dlms_objects.purse.entry"),
    ("rooms", "dlms_objects/values/money.py", "import dlms_objects.wire"),
    ("rooms", "dlms_objects/wire/__init__.py", "import dlms_objects.purse.entry"),
    ("rooms", "dlms_objects/purse/entry.py", "import dlms_objects.wire"),
    ("rooms", "dlms_objects/purse/entry.py", "import dlms_objects.classes"),
    ("rooms", "dlms_objects/classes/__init__.py", "import dlms_objects.transport"),
    ("rooms", "dlms_objects/transport/__init__.py", "import dlms_objects.meter"),
    ("rooms", "dlms_objects/classes/__init__.py", "import dlms_objects.program_folder"),
    ("rooms", "dlms_objects/program_folder.py", "import dlms_objects.transport"),
    ("rooms", "dlms_objects/new_room.py", ""),
    ("meter", "gateway/__init__.py", "import dlms_objects.meter"),
    ("meter", "headend/__init__.py", "import dlms_objects.meter"),
    ("glue", "dlms_objects/values/money.py", "import sqlite3"),
    ("glue", "dlms_objects/purse/entry.py", "import asyncio"),
    ("glue", "dlms_objects/wire/__init__.py", "from twisted.internet import defer"),
    ("glue", "dlms_objects/wire/__init__.py", "import socket"),
    ("glue", "dlms_objects/classes/__init__.py", "def late():\n    import serial"),
    ("values", "dlms_objects/values/money.py", "import dateutil.rrule"),
    ("values", "dlms_objects/errors.py", "import msgspec"),
    ("money", "dlms_objects/purse/entry.py", "import random"),
    ("money", "dlms_objects/values/money.py", "from time import time"),
    ("gurux", "dlms_objects/meter/__init__.py", "import gurux_dlms"),
    ("gurux", "gateway/__init__.py", "from gurux_dlms import GXByteBuffer"),
    ("gurux", "deploy/cli.py", "import gurux_dlms.enums"),
]


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources and setup.cfg in a folder of their own, to be spoilt and mended."""
    copy = tmp_path_factory.mktemp("tree")
    for house in HOUSES:
        shutil.copytree(ROOT / house, copy / house, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", copy)
    return copy


@pytest.mark.parametrize(("contract", "module", "offence"), PLANTS)
def test_a_forbidden_import_breaks_its_contract(contract: str, module: str, offence: str, copied_tree: Path) -> None:
    spoilt = copied_tree / module
    before = spoilt.read_text() if spoilt.exists() else None
    spoilt.write_text(f"{before or ''}\n{offence}\n")
    try:
        assert judge(copied_tree, contract).contracts == {contract_names()[contract]: "BROKEN"}
    finally:
        spoilt.unlink() if before is None else spoilt.write_text(before)


def test_every_contract_has_a_plant_that_breaks_it() -> None:
    assert {contract for contract, _, _ in PLANTS} == set(contract_names())


def test_the_bridge_alone_may_import_gurux_dlms(copied_tree: Path) -> None:
    bridge = copied_tree / "dlms_objects" / "gurux_bridge"
    importers = [module for module in bridge.glob("*.py") if "from gurux_dlms" in module.read_text()]
    assert importers
    assert judge(copied_tree, "gurux").contracts == {contract_names()["gurux"]: "KEPT"}
