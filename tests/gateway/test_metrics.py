"""The exposition: every figure once, by names that Prometheus's own tool has nothing to say about."""

import shutil
import subprocess
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import exposition
from gateway.status import OutboxFigures

OUTBOX = OutboxFigures(
    meters=3,
    collected_entries=1_000,
    held_rows=17,
    held_events=2,
    maximum_rows=500,
    oldest_row_age_s=60,
    acknowledgements_waiting=1,
    evidence=4,
    meters_held_back=2,
    commands_waiting=7,
    commands_begun=8,
    command_results_waiting=9,
)
FIGURES = {"lines": 3, "lines_failing": 1, "sessions": 40, "sessions_failed": 5, "upload_failures": 6}


def told(octets: bytes) -> dict[str, float]:
    families = text_string_to_metric_families(octets.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def linted(octets: bytes) -> str:
    promtool = shutil.which("promtool")
    assert promtool is not None, "install the Debian package prometheus"
    ended = subprocess.run([promtool, "check", "metrics"], input=octets, capture_output=True, check=False)
    return (ended.stdout + ended.stderr).decode() if ended.returncode else ""


def test_every_figure_is_told() -> None:
    values = told(exposition(OUTBOX, FIGURES, seconds_left=86_400.0))
    own = {name.removeprefix("meterpurse_gateway_"): value for name, value in values.items() if "meterpurse" in name}
    assert own == {
        "sessions_total": 40,
        "sessions_failed_total": 5,
        "entries_collected_total": 1_000,
        "meters": 3,
        "meters_failing": 1,
        "meters_held_back": 2,
        "upload_failures_in_a_row": 6,
        "outbox_rows": 17,
        "outbox_events": 2,
        "outbox_limit_rows": 500,
        "outbox_oldest_row_age_seconds": 60,
        "acknowledgements_waiting": 1,
        "evidence_pieces": 4,
        "commands_waiting": 7,
        "commands_begun": 8,
        "command_results_waiting": 9,
        "outbox_full_in_seconds": 86_400,
    }
    assert values["process_resident_memory_bytes"] > 0


def test_what_is_not_known_is_not_told() -> None:
    values = told(exposition(replace(OUTBOX, oldest_row_age_s=None), FIGURES, seconds_left=None))
    assert "meterpurse_gateway_outbox_full_in_seconds" not in values
    assert values["meterpurse_gateway_outbox_oldest_row_age_seconds"] == 0


def test_promtool_has_nothing_to_say() -> None:
    octets = exposition(OUTBOX, FIGURES, seconds_left=1.0)
    assert linted(octets) == ""
    assert linted(octets.replace(b"sessions_total", b"sessionsCount")) != ""
