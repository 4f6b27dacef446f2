"""The head-end's side of commands: they are fetched by long poll, and their results reported until it has answered.

Two steps for two loops: a poll may take long, and no report waits for it. Imported by `service.py`.
"""

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dlms_objects.errors import InvalidValueError, MeterPurseError
from dlms_objects.values.system_title import SystemTitle
from gateway.back_off import BackOff
from gateway.commands import log as command_log
from gateway.commands.model import Command, Report, Result, delivered, poll_path
from gateway.commands.operations import parse
from gateway.headend_client import BatchRefusedError, Headend, HeadendUnavailableError
from gateway.writer import Writer

SHORTEST_ROUND_S = 1.0
"""Polls that are answered at once are no closer together than this."""

KNOWN_PAUSE_S = 5.0
"""The pause after an answer that brought nothing new: what is not over yet is delivered every time."""

REPORT_EVERY_S = 60.0
_SETTLED_STATUSES = (404, 409)

log = Logger()


class CommandDesk:
    """Takes commands in and sends results out; one per gateway."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        headend: Headend,
        writer: Writer,
        *,
        clock: IReactorTime,
        wait_s: int,
        new_back_off: Callable[[], BackOff],
        refusal: Callable[[SystemTitle], str | None],
        is_settled: Callable[[], bool],
        wake: Callable[[SystemTitle], None],
        report_soon: Callable[[], None],
    ) -> None:
        """`refusal` says why a meter takes no commands (None: it does), `wake` has a meter look for new ones.

        `is_settled` is False while meters come and go, and nothing is taken in; `report_soon` wakes the reports.
        """
        self._headend = headend
        self._writer = writer
        self._clock = clock
        self._wait_s = wait_s
        self._polling = new_back_off()
        self._reporting = new_back_off()
        self._refusal = refusal
        self._is_settled = is_settled
        self._wake = wake
        self._report_soon = report_soon
        self._asking: Deferred[bytes] | None = None
        self._is_stopping = False

    @property
    def poll_failures(self) -> int:
        """How many polls in a row were not answered as agreed."""
        return self._polling.failures

    def stop(self) -> None:
        """Break off the poll under way: the head-end may take its time, and loses nothing by it."""
        self._is_stopping = True
        if self._asking is not None:
            self._asking.cancel()

    async def poll(self) -> float:
        """One long poll; the seconds to wait before the next."""
        begun_s = self._clock.seconds()
        try:
            commands = delivered(await self._ask())
            if not self._is_settled():
                return SHORTEST_ROUND_S
            fresh = await self.take_in(commands)
        except (MeterPurseError, CancelledError) as error:
            if self._is_stopping:
                return KNOWN_PAUSE_S
            if not isinstance(error, MeterPurseError):
                raise
            return self._poll_failed(error)
        self._polling.succeeded()
        if commands and not fresh:
            return KNOWN_PAUSE_S
        return max(0.0, SHORTEST_ROUND_S - (self._clock.seconds() - begun_s))

    async def take_in(self, commands: list[Command]) -> list[Command]:
        """Store what is new and have its meters look; those that wait for their meters. StoreError: nothing is kept."""
        if not commands:
            return []
        fresh = await self._writer.run(
            partial(command_log.take_in, commands=commands, judge=self._judge, now_s=int(self._clock.seconds()))
        )
        for title in dict.fromkeys(command.title for command in fresh):
            self._wake(title)
        self._report_soon()
        return fresh

    async def report(self) -> float:
        """Tell the head-end the results that it does not have; the seconds to wait before the next time."""
        try:
            reports = await self._writer.run(command_log.unreported)
            for report in reports:
                await self._report(report)
        except MeterPurseError as error:
            delay_s = self._reporting.failed()
            log.warn("results of commands wait, {delay_s:.1f} s: {error}", delay_s=delay_s, error=error)
            return delay_s
        self._reporting.succeeded()
        return 0 if reports else REPORT_EVERY_S

    async def _report(self, report: Report) -> None:
        try:
            await self._headend.request("POST", report.path, report.document())
        except (BatchRefusedError, HeadendUnavailableError) as error:
            if isinstance(error, HeadendUnavailableError) and error.status not in _SETTLED_STATUSES:
                raise
            log.error("the head-end does not take a result, which is dropped: {error}", error=error)
        await self._writer.run(
            partial(command_log.reported, identifier=report.identifier, now_s=int(self._clock.seconds()))
        )

    async def _ask(self) -> bytes:
        self._asking = Deferred.fromCoroutine(self._headend.request("GET", poll_path(self._wait_s), b""))
        try:
            return await self._asking
        finally:
            self._asking = None

    def _judge(self, command: Command) -> Result | None:
        """What is over at once: no such meter, no keys for it, no such kind, wrong parameters."""
        words = self._refusal(command.title)
        if words is not None:
            return Result.refused(words)
        try:
            parse(command.kind, command.parameters)
        except InvalidValueError as error:
            return Result.refused(str(error))
        return None

    def _poll_failed(self, error: MeterPurseError) -> float:
        delay_s = self._polling.failed()
        tell = log.warn if self._polling.failures == 1 else log.debug
        tell("no commands, asking again in {delay_s:.1f} s: {error}", delay_s=delay_s, error=error)
        return delay_s
