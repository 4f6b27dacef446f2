"""What holds for every test: Hypothesis knows no deadlines, for the machine may be busy, and prints how to replay.

Fuzzing: `--fuzz-frames` says how many frames over all layers, `--fuzz-seed` which; both stand in the header.
"""

import pytest
from hypothesis import settings

from tests.support.fuzzing import DEFAULT_FRAMES, DEFAULT_SEED

settings.register_profile("meterpurse", deadline=None, print_blob=True)
settings.load_profile("meterpurse")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the fuzz tests."""
    parser.addoption("--fuzz-frames", type=int, default=DEFAULT_FRAMES, help="broken frames over all layers")
    parser.addoption("--fuzz-seed", type=int, default=DEFAULT_SEED, help="which broken frames")


def pytest_report_header(config: pytest.Config) -> str:
    """The frames and the seed of this run."""
    return f"fuzz: {config.getoption('--fuzz-frames')} frames of seed {config.getoption('--fuzz-seed')}"
