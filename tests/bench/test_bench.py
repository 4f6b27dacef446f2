"""The benchmark compares equal work: every peer reads the same values, and one that does not stops it."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.influxdb import PROGRAMS
from tests.bench import fleet, hdlc_frames, meter_checks, pages, peers, points, purse_checks, sessions, tcp_sessions
from tests.bench.rounds import Measured, measure, operation, quiet
from tests.support.servers import require
from tests.support.sources import ROOT


def test_every_client_reads_the_same_session() -> None:
    with quiet():
        sessions.check_agreement()
        for client in sessions.CLIENTS:
            client_ns, server_ns = sessions.session_case(client)(2)
            assert client_ns > 0
            assert server_ns > 0


def test_a_client_that_reads_something_else_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    class Liar(sessions.LeanClient):
        def session(self, serve: sessions.Serve) -> sessions.Read:
            value, rows = super().session(serve)
            return value, rows[:-1]

    monkeypatch.setitem(sessions.CLIENTS, sessions.LEAN, Liar)
    with pytest.raises(sessions.Disagreement, match="lean"):
        sessions.check_agreement()


def test_sessions_over_tcp_are_made_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    places = os.sched_getaffinity(0)
    try:
        assert tcp_sessions.main(["--sessions", "5"]) == 0
    finally:
        os.sched_setaffinity(0, places)
    assert capfd.readouterr().out.startswith("5 sessions over TCP")


def test_every_peer_reads_the_same() -> None:
    with quiet():
        for cases in (peers.peer_cases(), hdlc_frames.frame_cases()):
            assert len(cases) == 3
            assert all(min(case(1)) > 0 for case in cases.values())


def test_every_other_case_agrees_and_runs() -> None:
    for cases in (pages.page_cases(20), pages.chain_cases(20), purse_checks.check_cases()):
        assert len(cases) > 1
        for case in cases.values():
            assert case(1)[0] >= 0


def test_a_meter_deducts_once_a_day_and_nothing_in_between() -> None:
    with meter_checks.meter_cases() as cases:
        for case in cases.values():
            assert case(40)[0] > 0


def test_decoders_that_disagree_stop_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages.lean, "decode_rows", lambda _page: [])
    with pytest.raises(sessions.Disagreement):
        pages.page_cases(20)


def test_the_sink_and_raw_posting_write_the_same_points() -> None:
    for name in PROGRAMS:
        require(name)
    measured = points.throughput(count=12_000, rounds=1)
    assert measured.sink[0] > 0
    assert measured.raw[0] > 0
    assert points.Throughput(sink=(50.0, 90.0, 30.0), raw=(100.0, 100.0, 100.0)).share == 0.5


def test_ratios_are_taken_round_by_round() -> None:
    slow, fast = Measured((2.0, 30.0, 4.0)), Measured((1.0, 10.0, 1.0))
    assert slow.times(fast) == 3.0
    assert slow.median_us == 4.0


def test_every_case_is_measured_in_every_round() -> None:
    measured = measure({"one": operation(lambda: sum(range(1000))), "two": operation(lambda: sum(range(10)))}, 3)
    assert {name: len(part.rounds_us) for name, (part,) in measured.items()} == {"one": 3, "two": 3}
    assert measured["one"][0].times(measured["two"][0]) > 2


def test_the_command_of_the_makefile_is_there() -> None:
    assert "-m tests.bench" in (ROOT / "Makefile").read_text()
    found = subprocess.run(
        [sys.executable, "-c", "import importlib.util as u; print(u.find_spec('tests.bench.__main__') is not None)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "True\n"


@pytest.mark.e2e
def test_a_fleet_is_run_and_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(meters=20, rate=60.0, seconds=2.0, top_ups=1, core=min(os.sched_getaffinity(0)))
    assert fleet.big_run(tmp_path / "fleet", options) == 0
    shown = capsys.readouterr().out
    assert "20 checks a second at 60 x real time" in shown
    assert "faults: none" in shown


def test_the_cost_of_an_idle_check_is_told_from_that_of_a_deduction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "SAMPLE", 2)
    monkeypatch.setattr(fleet, "DAYS", 1)
    fleet.costs(tmp_path / "fleet")
    assert capsys.readouterr().out.count(" minutes of 2 meters)") == 3
