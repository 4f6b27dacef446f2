"""Sending a test notice from the command line, with the channels of a head-end but without its database."""

import asyncio
from datetime import UTC, datetime
from typing import cast

from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from deploy.asking import run_once
from dlms_objects.errors import InvalidValueError
from headend.alarms import AlarmFacts, AlarmKind
from headend.config import HeadendConfig
from headend.delivery.channels import make_channels
from headend.delivery.message import OPERATORS_LANGUAGE, compose_alarm
from headend.delivery.sending import SendError


def send_test(config: HeadendConfig, name: str) -> dict[str, str | None]:
    """Send a test to a recipient; by channel, why it failed or None. InvalidValueError: no such recipient."""
    recipient = next((each for each in config.recipient if each.name == name), None)
    if recipient is None:
        known = ", ".join(each.name for each in config.recipient) or "none at all"
        raise InvalidValueError(f"no recipient {name!r}; there are {known}")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)

    async def work(reactor: IReactorTime) -> dict[str, str | None]:
        await deferLater(reactor, 0)  # from here on asyncio's loop runs
        channels = make_channels(
            config, cast("asyncioreactor.AsyncioSelectorReactor", reactor), lambda: datetime.now(UTC)
        )
        facts, language = AlarmFacts(subject=name), recipient.language or OPERATORS_LANGUAGE
        message = compose_alarm(AlarmKind.TEST, 1, facts, language=language, recipient=recipient)
        outcomes: dict[str, str | None] = {}
        for channel in recipient.channels:
            try:
                await Deferred.fromFuture(asyncio.ensure_future(channels[channel].send(message)))
            except SendError as error:
                outcomes[channel] = str(error)
            else:
                outcomes[channel] = None
        return outcomes

    return run_once(work)
