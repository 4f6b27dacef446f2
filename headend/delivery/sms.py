"""Short messages through any HTTP service: its address and its body are templates of the configuration.

Templates run in a sandbox and know `to`, `text`, `language` and `key`. Imported by `channels`.
"""

import re

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from twisted.internet.asyncioreactor import AsyncioSelectorReactor

from headend.delivery.config import SmsConfig
from headend.delivery.message import Message
from headend.delivery.outbound import Outbound
from headend.delivery.sending import ChannelUnusableError, SendError, read_secret


class SmsChannel:
    """Hands short messages to one service."""

    def __init__(self, config: SmsConfig, reactor: AsyncioSelectorReactor) -> None:
        """Read token and roots, compile the templates; ChannelUnusableError when one of them cannot be used."""
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        # `tojson` is for pages: it hides <, > and & behind escapes, which every JSON reader undoes.
        try:
            self._url = environment.from_string(config.url)
            self._body = environment.from_string(config.body)
        except TemplateError as error:
            raise ChannelUnusableError(f"a template of [sms] is wrong: {error}") from error
        self._config = config
        self._token = None if config.token_file is None else read_secret(config.token_file)
        self._success = None if config.success_pattern is None else re.compile(config.success_pattern)
        self._outbound = Outbound(reactor, allow=config.allow, trust_file=config.trust_file, timeout_s=config.timeout_s)

    async def send(self, message: Message) -> None:
        """Hand the short form over; SendError unless it is answered 2xx and as success is told."""
        to = message.recipient.sms
        if to is None:
            raise SendError("the recipient has no number any more", is_final=True)
        words = {"to": to, "text": message.short, "language": message.language, "key": message.key}
        try:
            url, body = self._url.render(words), self._body.render(words)
        except TemplateError as error:
            raise SendError(f"a template of [sms] is wrong: {error}") from error
        headers = {"Content-Type": self._config.content_type, "Idempotency-Key": message.key}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        octets = b"" if self._config.method == "GET" else body.encode()
        answer = await self._outbound.request(self._config.method, url, headers, octets)
        if self._success is not None and self._success.search(answer.body.decode("utf-8", "replace")) is None:
            raise SendError(f"answers {answer.status}, but not with what success is told by")
