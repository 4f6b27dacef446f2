"""Signed webhooks: notices as JSON, posted to a machine that can prove from whom, when, and whether it had them before.

Headers: `Idempotency-Key` (the same for a repeat), `MeterPurse-Timestamp` (seconds since 1970) and
`MeterPurse-Signature: v1=` HMAC-SHA256 of `timestamp.body`, hexadecimal. Imported by `channels`.
"""

import hashlib
import hmac
import json
from datetime import datetime

from twisted.internet.asyncioreactor import AsyncioSelectorReactor

from headend.delivery.config import WebhookConfig
from headend.delivery.message import Message
from headend.delivery.outbound import Outbound
from headend.delivery.sending import ChannelUnusableError, Clock, read_secret

SHORTEST_SECRET = 16
VERSION = "v1"


class WebhookChannel:
    """Posts to one address."""

    def __init__(self, config: WebhookConfig, reactor: AsyncioSelectorReactor, clock: Clock) -> None:
        """Read the secret and the roots once; ChannelUnusableError when they cannot be used."""
        self._url = config.url
        self._clock = clock
        self._secret = read_secret(config.secret_file).encode()
        if len(self._secret) < SHORTEST_SECRET:
            raise ChannelUnusableError(f"{config.secret_file}: a signing key has {SHORTEST_SECRET} octets or more")
        self._outbound = Outbound(reactor, allow=config.allow, trust_file=config.trust_file, timeout_s=config.timeout_s)

    async def send(self, message: Message) -> None:
        """Post the message; SendError unless it is answered 2xx."""
        body = body_of(message)
        await self._outbound.request("POST", self._url, headers(message.key, body, self._secret, self._clock()), body)


def body_of(message: Message) -> bytes:
    """The JSON of a message: its key, and each notice with its facts and its text."""
    told = {"key": message.key, "language": message.language, "notices": list(message.items)}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def headers(key: str, body: bytes, secret: bytes, now: datetime) -> dict[str, str]:
    """The headers of a request, with its signature."""
    timestamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "MeterPurse",
        "Idempotency-Key": key,
        "MeterPurse-Timestamp": timestamp,
        "MeterPurse-Signature": f"{VERSION}={signature(timestamp, body, secret)}",
    }


def signature(timestamp: str, body: bytes, secret: bytes) -> str:
    """HMAC-SHA256 over `timestamp.body`, hexadecimal; a receiver compares it in constant time."""
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
