"""What every channel is: something that sends a message or says why not. Imported by the channels and `dispatcher`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dlms_objects.errors import LocalError, MeterPurseError
from headend.delivery.message import Message

Clock = Callable[[], datetime]
"""Tells the time, aware."""


class SendError(MeterPurseError):
    """A message did not go out. `is_final`: the other side refused it for good."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        """`reason` in words for the log; no secret, no message text."""
        super().__init__(reason)
        self.is_final = is_final


class ChannelUnusableError(LocalError):
    """A channel is configured in a way that it cannot be used at all: a secret cannot be read, a library is missing."""


class Channel(Protocol):
    """One way to people or machines; `send` is called for one message at a time."""

    async def send(self, message: Message) -> None:
        """Hand the message over; SendError when it was not taken."""
        ...


def read_secret(path: Path) -> str:
    """The secret in a file, without the line's end; ChannelUnusableError when there is none."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ChannelUnusableError(f"{path} cannot be read: {reason}") from error
    if not secret:
        raise ChannelUnusableError(f"{path} is empty")
    return secret


def first_line(words: object) -> str:
    """What a peer said, as one line of printable characters for the log."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in line)[:200]
