"""What holds for every test: Hypothesis knows no deadlines, for the machine may be busy, and prints how to replay.

Fuzzing: `--fuzz-frames` says how many frames over all layers, `--fuzz-seed` which. Power cuts: `--crash-images` says
how many images of the meter's disk are rebuilt, `--crash-seed` which. All of them stand in the header.
"""

from typing import Any

import pytest
from hypothesis import settings

from tests.support.fuzzing import DEFAULT_FRAMES, DEFAULT_SEED

ACCESSES = "accesses of the access matrix"
"""What a test records under this name is added up at the end of the run."""

settings.register_profile("meterpurse", deadline=None, print_blob=True)
settings.load_profile("meterpurse")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the fuzz tests and of the power cuts."""
    parser.addoption("--fuzz-frames", type=int, default=DEFAULT_FRAMES, help="broken frames over all layers")
    parser.addoption("--fuzz-seed", type=int, default=DEFAULT_SEED, help="which broken frames")
    parser.addoption("--crash-images", type=int, default=2_000, help="rebuilt images of the meter's disk")
    parser.addoption("--crash-seed", type=int, default=1, help="which images")


def pytest_report_header(config: pytest.Config) -> str:
    """How much this run looks at, and its seeds."""
    fuzz = f"fuzz: {config.getoption('--fuzz-frames')} frames of seed {config.getoption('--fuzz-seed')}"
    cuts = f"power cuts: {config.getoption('--crash-images')} images of seed {config.getoption('--crash-seed')}"
    return f"{fuzz}; {cuts}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many accesses of the access matrix were tried, where any were."""
    passed = terminalreporter.stats.get("passed", [])
    tried = [value for report in passed for name, value in report.user_properties if name == ACCESSES]
    if tried:
        terminalreporter.write_line(f"access matrix: {sum(tried)} accesses tried, each as the table says")
