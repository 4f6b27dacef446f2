"""A whole examination: which meters, in which order, and the disk."""

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dlms_objects.transport.credentials import load_credentials, save_credentials
from gateway.config import GatewayConfig, HeadendSection, OutboxSection
from gateway.doctor.examination import examine, examine_disk
from gateway.doctor.findings import Findings, Outcome, Step
from tests.support.real_reactor import run_for_real
from tests.support.wiring import GATEWAY, Wiring, failure


class Usage(NamedTuple):
    """What shutil says of a disk."""

    total: int
    used: int
    free: int


def outbox(folder: Path) -> OutboxSection:
    return OutboxSection(path=folder / "outbox.sqlite3", maximum_rows=1000)


@pytest.mark.parametrize(("names", "subjects"), [((), ["flat-1", "flat-2"]), (("flat-2",), ["flat-2"])])
def test_the_meters_that_are_asked_for_then_the_head_end_then_the_disk(
    names: tuple[str, ...], subjects: list[str], tmp_path: Path
) -> None:
    wiring = Wiring(tmp_path, (0, 0))
    unreachable = "tcp:no-such-meter.invalid:4059"
    sections = [wiring.section(name=name, endpoint=unreachable) for name in ("flat-1", "flat-2")]
    save_credentials(tmp_path / "keys.toml", load_credentials(sections[0].key_file))
    (tmp_path / "token").write_text("t")
    config = GatewayConfig(
        system_title=GATEWAY,
        headend=HeadendSection(url="http://no-such-head.invalid", token_file=tmp_path / "token"),
        outbox=outbox(tmp_path),
        meter=tuple(sections),
    )

    async def work(reactor: Any) -> list[Findings]:
        return [findings async for findings in examine(reactor, tmp_path, config, names)]

    found = run_for_real(work)
    assert [findings.subject for findings in found] == [*subjects, "head-end", "outbox"]
    assert {finding.outcome for finding in found[0].found} == {Outcome.FAILED, Outcome.SKIPPED}


def test_a_disk_that_is_well(tmp_path: Path) -> None:
    (found,) = examine_disk(outbox(tmp_path)).found
    assert (found.step, found.outcome) == (Step.DISK, Outcome.OK)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10, 10, 1000))
    assert "want 0.0 GB when the head-end is away" in failure(examine_disk(outbox(tmp_path))).cause


def test_a_disk_that_takes_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = failure(examine_disk(outbox(tmp_path)))
    assert "No space left" in found.measured
    assert "full, read-only or broken" in found.cause
