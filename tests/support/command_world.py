"""The commands of a gateway over its own file, with a real meter in memory and a head-end in memory; crashes on demand.

A step is an answer of meter or head-end, before and after it takes effect, or an SQL statement, before and after.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from dlms_objects.classes.catalogue import Role
from dlms_objects.transport.client import ClientIdentity, MeterSession, client_parameters, open_session
from dlms_objects.values.system_title import SystemTitle
from gateway.back_off import BackOff
from gateway.commands.desk import CommandDesk
from gateway.commands.runner import MeterCommands
from gateway.counters import AssociationCounters
from gateway.writer import Writer
from tests.support.fake_headend import FakeHeadend
from tests.support.gateway_world import Crash, inline, open_store
from tests.support.meters import ENDPOINT, MeterWorld

Step = Callable[[str], None]


class SteppingSession:
    """A session with a step before and after each answer."""

    def __init__(self, session: MeterSession, step: Step) -> None:
        self._session = session
        self._step = step

    async def _ask(self, what: str, *arguments: Any) -> Any:
        self._step(f"before {what}")
        answer = await getattr(self._session, what)(*arguments)
        self._step(f"after {what}")
        return answer

    async def get(self, *arguments: Any) -> Any:
        """As the session."""
        return await self._ask("get", *arguments)

    async def set(self, *arguments: Any) -> Any:
        """As the session."""
        return await self._ask("set", *arguments)

    async def action(self, *arguments: Any) -> Any:
        """As the session."""
        return await self._ask("action", *arguments)

    async def release(self) -> None:
        """As the session."""
        await self._session.release()

    def abort(self) -> None:
        """As the session."""
        self._session.abort()


class CommandWorld:
    """One gateway process with one meter; `own` is its system title, for which the meter keeps counters."""

    def __init__(
        self,
        path: Path,
        meter: MeterWorld,
        headend: FakeHeadend,
        own: SystemTitle,
        *,
        step: Step = lambda _what: None,
        has_keys: bool = True,
    ) -> None:
        self.path, self.meter, self.headend, self.step, self.own = path, meter, headend, step, own
        headend.step = step
        self.is_reachable = True
        self.store = open_store(path, step)
        writer = Writer(self.store, inline)
        self.credentials = meter.credentials[Role.MANAGEMENT]
        try:
            self.counters = AssociationCounters(self.store, self.credentials.system_title, self.credentials.key_id)
        except Crash:
            self.die()
            raise
        self.commands = MeterCommands(
            self.credentials.system_title,
            self._open if has_keys else None,
            writer,
            self.counters,
            BackOff(1, 8, Random(1)),
            clock=meter.reactor,
            session_limit_s=60,
            finished=lambda: None,
        )
        self.desk = CommandDesk(
            headend,
            writer,
            clock=meter.reactor,
            wait_s=0,
            new_back_off=lambda: BackOff(1, 8, Random(1)),
            refusal=lambda title: None if title == self.credentials.system_title else "no such meter",
            is_settled=lambda: True,
            wake=lambda _title: self.commands.notice(),
            report_soon=lambda: None,
        )

    def poll(self) -> float:
        """One poll."""
        return self.meter.reactor.run(self.desk.poll())

    def turn(self) -> float | None:
        """One turn of the meter's commands."""
        return self.meter.reactor.run(self.commands.turn(lambda: False))

    def report(self) -> float:
        """One round of reports."""
        return self.meter.reactor.run(self.desk.report())

    def cycle(self) -> None:
        """Fetch, carry out, report."""
        self.poll()
        self.turn()
        self.report()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What is durable in the gateway's file."""
        with sqlite3.connect(self.path) as connection:
            return connection.execute(sql).fetchall()

    def die(self) -> None:
        """End the process without a commit."""
        self.store._connection.rollback()
        self.store.close()

    async def _open(self) -> Any:
        identity = ClientIdentity(system_title=self.own, counters=self.counters.wire)
        endpoint = ENDPOINT if self.is_reachable else "tcp:nowhere:1"
        listener, reactor = self.meter.reactor.listener, self.meter.reactor
        reactor.listener = listener if self.is_reachable else None
        try:
            session = await open_session(reactor, endpoint, client_parameters(self.credentials, identity))
        finally:
            reactor.listener = listener
        return SteppingSession(session, self.step)
