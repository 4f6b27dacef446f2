"""Open files: as many as the system allows, and one clear error when that is too few. In processes of their own."""

import subprocess
import sys

from tests.support.sources import ROOT

PROGRAM = """
import resource, sys
from deploy.descriptors import require_descriptors
from dlms_objects.errors import LocalError
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))
try:
    require_descriptors(int(sys.argv[1]), "a fleet")
except LocalError as error:
    sys.exit(f"{error}")
sys.stdout.write(str(resource.getrlimit(resource.RLIMIT_NOFILE)))
"""


def run(count: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(count)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_limit_is_raised_to_what_is_allowed() -> None:
    assert run(100).stdout == "(100, 100)"


def test_too_few_are_told_with_what_to_do() -> None:
    told = run(101)
    assert told.returncode == 1
    assert told.stderr == "a fleet needs 101 open files, this process may have 100; raise it: ulimit -n 101\n"
