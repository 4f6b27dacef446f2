"""The gateway's figures for Prometheus: what the outbox holds, what sessions and uploads come to, and the process.

Names and units follow Prometheus's conventions (`promtool check metrics`). No figure is kept here: each is counted
where it arises and told when it is asked for. No meter has a series of its own, so that ten thousand of them cost no
more than one. Imported by `watch.py`.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.status import OutboxFigures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "meterpurse_gateway_"


def exposition(outbox: OutboxFigures, figures: dict[str, int], *, seconds_left: float | None) -> bytes:
    """The text format of all figures; `seconds_left` as `CollectionRate` tells it."""
    registry = CollectorRegistry()
    registry.register(_Figures(outbox, figures, seconds_left))
    ProcessCollector(registry=registry)
    return bytes(generate_latest(registry))


class _Figures(Collector):
    def __init__(self, outbox: OutboxFigures, figures: dict[str, int], seconds_left: float | None) -> None:
        self._outbox = outbox
        self._figures = figures
        self._seconds_left = seconds_left

    def collect(self) -> Iterator[Metric]:
        """Every figure, counters first."""
        for name, words, value in self._counters():
            yield CounterMetricFamily(_PREFIX + name, words, value)
        for name, words, value in self._gauges():
            yield GaugeMetricFamily(_PREFIX + name, words, value)

    def _counters(self) -> Iterator[tuple[str, str, float]]:
        yield "sessions", "Sessions with meters that were begun.", self._figures["sessions"]
        yield "sessions_failed", "Sessions with meters that ended in an error.", self._figures["sessions_failed"]
        yield "entries_collected", "Journal entries that ever came through.", self._outbox.collected_entries

    def _gauges(self) -> Iterator[tuple[str, str, float]]:
        outbox, figures = self._outbox, self._figures
        yield "meters", "Meters that are collected from.", figures["lines"]
        yield "meters_failing", "Meters whose last session ended in an error.", figures["lines_failing"]
        yield "meters_held_back", "Meters whose records the head-end does not take.", outbox.meters_held_back
        yield "upload_failures_in_a_row", "Uploads failed since the last success.", figures["upload_failures"]
        yield "outbox_rows", "Journal rows and events that wait for the head-end.", outbox.held_rows
        yield "outbox_events", "Events among them.", outbox.held_events
        yield "outbox_limit_rows", "Rows and events that the outbox may hold.", outbox.maximum_rows
        yield "outbox_oldest_row_age_seconds", "Age of the oldest row; 0: none waits.", outbox.oldest_row_age_s or 0
        waiting = outbox.acknowledgements_waiting
        yield "acknowledgements_waiting", "Meters that wait for an acknowledgement.", waiting
        yield "evidence_pieces", "Gaps and forks of journals that are kept as evidence.", outbox.evidence
        yield "commands_waiting", "Commands that wait for their meters.", outbox.commands_waiting
        yield "commands_begun", "Commands begun, of which is not known what came.", outbox.commands_begun
        results = outbox.command_results_waiting
        yield "command_results_waiting", "Results of commands that wait for the head-end.", results
        if self._seconds_left is not None:
            words = "Until the outbox is full at the rate of the last day, if the head-end takes nothing."
            yield "outbox_full_in_seconds", words, self._seconds_left
