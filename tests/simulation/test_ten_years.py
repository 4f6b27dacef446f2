"""A meter that runs for long needs no more memory and no more files than in its first months; a leak is found out.

`python -m tests.simulation.ten_years` lives ten years and prints the figures of docs/performance.md.
"""

import mmap
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.meter.store import MeterStore
from tests.simulation.ten_years import LARGEST_DRIFT, SETTLED_AFTER_DAYS, live

DAYS = SETTLED_AFTER_DAYS + 275


@pytest.mark.slow
def test_a_year_checked_every_minute_misses_nothing_and_lets_nothing_grow(tmp_path: Path) -> None:
    figures = live(tmp_path / "meter", DAYS)
    assert figures.deductions == figures.expected
    assert figures.is_sound, str(figures)
    assert sum(figures.deductions.values()) > DAYS


@pytest.mark.parametrize("leak", ["memory", "files"])
def test_a_meter_that_keeps_what_it_should_let_go_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    kept: list[Any] = []
    commit = MeterStore.commit

    def leaking(self: MeterStore, change: Any) -> None:
        commit(self, change)
        kept.append(occupied(2 * LARGEST_DRIFT // 30) if leak == "memory" else Path("/dev/null").open())  # noqa: SIM115

    monkeypatch.setattr(MeterStore, "commit", leaking)
    figures = live(tmp_path / "meter", SETTLED_AFTER_DAYS + 32)
    assert figures.deductions == figures.expected
    assert not figures.is_sound
    for leaked in kept:
        leaked.close()


def occupied(octets: int) -> mmap.mmap:
    """Memory of its own, not out of what the process has freed before."""
    memory = mmap.mmap(-1, octets)
    memory.write(bytes(octets))
    return memory
