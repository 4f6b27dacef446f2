"""Two serial ports with a null modem between them, made by socat."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

START_S = 10.0


@contextmanager
def serial_pair(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The two devices. Without socat the test is skipped; in CI (CI=true) that is a failure."""
    socat = shutil.which("socat")
    if socat is None:
        if os.environ.get("CI") == "true":
            pytest.fail("socat is missing: it is in DEBIAN_PACKAGES of the Makefile")
        pytest.skip("needs socat (apt-get install socat)")
    ends = folder / "one", folder / "other"
    process = subprocess.Popen([socat, *(f"pty,raw,echo=0,link={end}" for end in ends)], stderr=subprocess.PIPE)
    try:
        deadline_s = time.monotonic() + START_S
        while not all(end.exists() for end in ends):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline_s, "socat made no ports"
            time.sleep(0.01)
        yield ends
    finally:
        process.terminate()
        process.communicate()
