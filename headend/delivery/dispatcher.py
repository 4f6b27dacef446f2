"""The worker that delivers: one loop per channel, and a watch for gateways that fall silent.

A channel that hangs or fails never holds up another. Imported by `headend.service`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from twisted.logger import Logger

from headend.alarms import raise_silences
from headend.config import HeadendConfig
from headend.database import Database, DatabaseBusyError
from headend.delivery import log
from headend.delivery.message import Message, compose
from headend.delivery.plan import plan
from headend.delivery.sending import Channel, Clock, SendError

WATCH_EVERY_S = 15.0
"""How often gateways are looked at."""
GRACE_PART = 0.5
"""The part of the time for a stop (`stop_timeout_s`) in which a message that is on its way may still arrive."""

T = TypeVar("T")

_log = Logger()


class Dispatcher:
    """Delivers until it is stopped; a message on its way has `grace_s` to arrive, then it is cut off and noted down."""

    def __init__(
        self, config: HeadendConfig, database: Database, channels: Mapping[str, Channel], clock: Clock
    ) -> None:
        """`channels` by their names in the log."""
        self._recipients = {recipient.name: recipient for recipient in config.recipient}
        self._policy = config.notices
        self._grace_s = config.stop_timeout_s * GRACE_PART
        self._database = database
        self._channels = dict(channels)
        self._clock = clock
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Take up what a crash left, then work until `stop`."""
        await self._write(partial(log.recover, channels=list(self._channels), now=self._clock()))
        loops = [
            self._again_and_again(partial(self.deliver_due, name, channel), self._policy.look_every_s)
            for name, channel in self._channels.items()
        ]
        await asyncio.gather(self._again_and_again(self._watch, WATCH_EVERY_S), *loops)

    def stop(self) -> None:
        """End after the messages that are on their way, or when their grace is over."""
        self._stopping.set()

    async def deliver_due(self, name: str, channel: Channel) -> None:
        """Send everything that is due on a channel."""
        while not self._stopping.is_set() and await self._database.read(
            partial(log.is_due, channel=name, now=self._clock())
        ):
            claimed = await self._write(partial(self._claim, name))
            if claimed is None:
                return
            claim, message = claimed
            failure = await self._sent(channel, message)
            if failure is not None:
                _log.warn(
                    "{channel} to {recipient} failed: {reason}",
                    channel=name,
                    recipient=claim.recipient,
                    reason=failure.reason,
                )
            await self._write(partial(self._settle, claim, failure))

    async def _sent(self, channel: Channel, message: Message | None) -> log.Failure | None:
        """Send, and say why it failed; what a stop cuts off may have arrived, and is sent again after a start."""
        sending = asyncio.ensure_future(_outcome(channel, message))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait((sending, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.wait((sending,), timeout=self._grace_s)
        if sending.done():
            return sending.result()
        sending.cancel()
        await asyncio.wait((sending,), timeout=self._grace_s)
        return log.Failure(reason=log.INTERRUPTED)

    async def _again_and_again(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        while not self._stopping.is_set():
            try:
                await work()
            except Exception:  # noqa: BLE001 - the seam of the worker: one fault never ends a channel
                _log.failure("unforeseen while delivering notices")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), every_s)

    async def _watch(self) -> None:
        await self._write(self._look_around)

    def _look_around(self, connection: Connection) -> None:
        now = self._clock()
        raise_silences(connection, now=now, after_s=self._policy.gateway_silent_s)
        plan(connection, tuple(self._recipients.values()), now=now)

    def _claim(self, name: str, connection: Connection) -> tuple[log.Claim, Message | None] | None:
        claim = log.claim_next(connection, name, now=self._clock())
        if claim is None:
            return None
        recipient = self._recipients.get(claim.recipient)
        return claim, None if recipient is None else compose(connection, claim, recipient)

    def _settle(self, claim: log.Claim, failure: log.Failure | None, connection: Connection) -> None:
        now = self._clock()
        recipient = self._recipients.get(claim.recipient)
        state = log.settle(connection, claim, failure, recipient=recipient, policy=self._policy, now=now)
        if state is log.State.DEAD:
            plan(connection, tuple(self._recipients.values()), now=now)  # the operator's alarm

    async def _write(self, work: Callable[[Connection], T]) -> T:
        while True:
            try:
                return await self._database.write(work)
            except DatabaseBusyError:
                await asyncio.sleep(self._policy.look_every_s)


async def _outcome(channel: Channel, message: Message | None) -> log.Failure | None:
    """Send, and say why it failed; a channel's own fault counts as a failure too."""
    if message is None:
        return log.Failure(reason="this recipient is no longer configured", is_final=True)
    try:
        await channel.send(message)
    except SendError as error:
        return log.Failure(reason=str(error), is_final=error.is_final)
    except Exception as error:  # noqa: BLE001 - the seam of the worker: it is logged, and tried again
        _log.failure("unforeseen while sending")
        return log.Failure(reason=f"a fault of ours: {type(error).__name__}")
    return None
