"""Channels and recipients for the tests of notice delivery."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from twisted.internet import task
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.protocols import tls

from headend.alarms import AlarmKind
from headend.delivery.config import RecipientConfig
from headend.delivery.message import Message
from headend.delivery.preview import preview
from headend.delivery.sending import Channel, SendError
from headend.notices import Language, NoticeKind
from tests.support.twisted_testing import run_in_reactor

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def clock() -> datetime:
    """It is always the same moment."""
    return NOW


def recipient(name: str = "anna", **told: Any) -> RecipientConfig:
    """A recipient with a mail address, unless told otherwise."""
    channels = {"email", "sms", "webhook", "apprise_file"}
    return RecipientConfig.model_validate(
        {"name": name} | ({} if channels & set(told) else {"email": f"{name}@example.org"}) | told
    )


def message(kind: NoticeKind | AlarmKind = NoticeKind.DEDUCTION, language: Language = "zh-CN", **told: Any) -> Message:
    """A message with the preview's facts."""
    return preview(kind, language, recipient=recipient(**told))


def send(make: Any, *messages: Message) -> list[SendError | None]:
    """Send messages by the channel that `make(reactor)` makes, under a real reactor; why each failed, or None."""

    async def work(reactor: AsyncioSelectorReactor) -> list[SendError | None]:
        await deferLater(reactor, 0)  # from here on asyncio's loop runs
        # Twisted's TLS writes by the global reactor, which does not run here
        tls._get_default_clock = lambda: reactor
        task._theCooperator = task.Cooperator(scheduler=lambda step: reactor.callLater(0, step))
        channel: Channel = make(reactor)
        outcomes: list[SendError | None] = []
        for each in messages:
            try:
                await Deferred.fromFuture(asyncio.ensure_future(channel.send(each)))
            except SendError as error:
                outcomes.append(error)
            else:
                outcomes.append(None)
        return outcomes

    clock_of_tls, cooperator = tls._get_default_clock, task._theCooperator
    try:
        return run_in_reactor(work, limit_s=15)
    finally:
        tls._get_default_clock, task._theCooperator = clock_of_tls, cooperator
