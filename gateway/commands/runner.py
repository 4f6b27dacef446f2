"""The commands of one meter: carried out in a session of their own on its line, several in one, before a collection.

Each is durably begun before the meter hears of it, and over only when what came of it is durable. What was begun and
not answered is repeated with the same ids; money is never given up while its effect is not known. Imported by
`meters.py`.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeadlineError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dlms_objects.errors import InvalidValueError, MeterPurseError, RemoteError
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.transport.remote_object import Session
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from gateway.back_off import BackOff
from gateway.commands import log as command_log
from gateway.commands.model import Command, Result
from gateway.commands.operations import KINDS, Order, Situation, parse
from gateway.counters import AssociationCounters
from gateway.writer import Writer

NO_KEYS = "this gateway has no management keys for the meter"
REMOTE_ERRORS_ALLOWED = 3
"""So often a command that moves no money is tried with a meter that breaks the protocol; then it has failed."""

_EFFECT_UNKNOWN = {
    result.value
    for result in (DataAccessResult.HARDWARE_FAULT, ActionResult.TEMPORARY_FAILURE, ActionResult.OTHER_REASON)
}

log = Logger()


class CommandSession(Session, Protocol):
    """A session that the runner opens and ends."""

    async def release(self) -> None:
        """Release the association and close the connection."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...


class MeterCommands:
    """What waits for one meter; `turn` is taken by its line."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        title: SystemTitle,
        open_session: Callable[[], Awaitable[CommandSession]] | None,
        writer: Writer,
        counters: AssociationCounters,
        back_off: BackOff,
        *,
        clock: IReactorTime,
        session_limit_s: float,
        finished: Callable[[], None],
    ) -> None:
        """`open_session` is None without management keys; `finished` is called when there is a result to report."""
        self._title = title
        self._open_session = open_session
        self._writer = writer
        self._counters = counters
        self._back_off = back_off
        self._clock = clock
        self._session_limit_s = session_limit_s
        self._finished = finished
        self._may_wait = True
        self._not_before_s = 0.0
        self._trouble = ""

    @property
    def can_act(self) -> bool:
        """Whether there are management keys."""
        return self._open_session is not None

    def notice(self) -> None:
        """A command was stored: look for it in the next turn."""
        self._may_wait = True

    async def turn(self, is_stopping: Callable[[], bool]) -> float | None:
        """Carry out what waits, as far as that can be; the seconds until another turn is wanted, None: nothing waits.

        Trouble with the meter is waited out here and stops no collection. StoreError when nothing can be kept.
        """
        if not self._may_wait:
            return None
        self._may_wait = False
        commands = await self._current(await self._writer.run(partial(command_log.waiting, title=self._title)))
        if not commands:
            return None
        self._may_wait = True
        if self._open_session is None:
            return self._wait_s(commands, None)
        if self._clock.seconds() < self._not_before_s:
            return self._wait_s(commands, self._not_before_s)
        try:
            await Deferred.fromCoroutine(self._session(self._open_session, commands, is_stopping)).addTimeout(
                self._session_limit_s, self._clock
            )
        except (MeterPurseError, DeadlineError) as error:
            self._wait_out(error)
            return self._wait_s(commands, self._not_before_s)
        self._back_off.succeeded()
        self._trouble = ""
        return 0

    def _wait_out(self, error: Exception) -> None:
        limit = f"the commands were not over within {self._session_limit_s:g} s"
        self._trouble = limit if isinstance(error, DeadlineError) else str(error)
        delay_s = self._back_off.failed()
        self._not_before_s = self._clock.seconds() + delay_s
        log.warn(
            "{meter}: commands wait, trying again in {delay_s:.1f} s: {error}",
            meter=self._title,
            delay_s=delay_s,
            error=self._trouble,
        )

    def _wait_s(self, commands: Sequence[Command], until_s: float | None) -> float | None:
        """Until then, or until the first of the commands that may expire does; a second at least."""
        now_s = self._clock.seconds()
        ends_s = [
            float(command.expires_at_s)
            for command in commands
            if command.expires_at_s is not None and not command.has_expired(now_s)
        ]
        moments_s = ends_s if until_s is None else [*ends_s, until_s]
        return max(1.0, min(moments_s) - now_s) if moments_s else None

    async def _current(self, commands: Sequence[Command]) -> list[Command]:
        """Those that are to be carried out; the others end here: expired, or without keys to begin them."""
        current: list[Command] = []
        for command in commands:
            over = self._over_without_a_session(command)
            if over is None:
                current.append(command)
            else:
                await self._finish(command, over)
        current.sort(key=lambda command: command.attempts >= REMOTE_ERRORS_ALLOWED and _commutes(command.kind))
        return current

    def _over_without_a_session(self, command: Command) -> Result | None:
        because = f": {self._trouble}" if self._trouble else ""
        if command.has_expired(self._clock.seconds()):
            if not command.attempts:
                return Result.expired(f"its time was over before it was begun{because}")
            if not _is_money(command.kind):
                return Result.expired(f"it was begun and its effect is not known{because}")
        if self._open_session is None and not command.attempts:
            return Result.refused(NO_KEYS)
        return None

    async def _session(
        self,
        open_session: Callable[[], Awaitable[CommandSession]],
        commands: Sequence[Command],
        is_stopping: Callable[[], bool],
    ) -> None:
        await self._counters.prepare(self._writer)
        session = await open_session()
        released = False
        try:
            for command in commands:
                if is_stopping():
                    break
                await self._carry_out(session, command)
            await session.release()
            released = True
        finally:
            if not released:
                session.abort()

    async def _carry_out(self, session: Session, command: Command) -> None:
        if command.has_expired(self._clock.seconds()) and not command.attempts:
            await self._finish(command, Result.expired("its time was over before it was begun"))
            return
        try:
            order = parse(command.kind, command.parameters)
        except InvalidValueError as error:
            await self._finish(command, Result.refused(str(error)))
            return
        await self._begin(command)
        situation = Situation(session=session, now=self._now, is_repeat=command.attempts > 0)
        await self._finish(command, await self._result(order, command, situation))

    async def _result(self, order: Order, command: Command, situation: Situation) -> Result:
        """What came of it. What leaves the effect open is raised, and the command goes on waiting."""
        try:
            return await order.carry_out(situation)
        except AccessRefusedByMeterError as error:
            if order.is_money and error.result.value in _EFFECT_UNKNOWN:
                raise RemoteError(f"{error}, which does not say whether it was carried out") from error
            return Result.refused(error.result.name.lower().replace("_", "-"))
        except RemoteError as error:
            if order.is_money or command.attempts + 1 < REMOTE_ERRORS_ALLOWED:
                raise
            await self._finish(command, Result.failed(str(error)))
            raise
        except (MeterPurseError, CancelledError):
            raise
        except Exception as error:
            log.failure("{meter}: command {command} met a fault", meter=self._title, command=command.identifier)
            if order.is_money:
                raise RemoteError("a fault of the gateway, which its log tells") from error
            return Result.failed("a fault of the gateway, which its log tells")

    async def _begin(self, command: Command) -> None:
        await self._writer.run(partial(command_log.begin, identifier=command.identifier))

    async def _finish(self, command: Command, result: Result) -> None:
        await self._writer.run(
            partial(
                command_log.finish,
                identifier=command.identifier,
                result=result,
                now_s=int(self._clock.seconds()),
                counters=self._counters.keep(),
            )
        )
        log.info(
            "{meter}: command {command} ({kind}): {state} {reason}",
            meter=self._title,
            command=command.identifier,
            kind=command.kind,
            state=result.state.value,
            reason=result.reason or "",
        )
        self._finished()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.seconds(), UTC)


def _is_money(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].is_money


def _commutes(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].commutes
