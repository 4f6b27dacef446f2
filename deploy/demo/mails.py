"""The demo's mail server: what the head-end mails to the resident arrives here and is shown at the end.

It listens on the loopback from the start, in the clear: a mail server for this demo and for nothing else.
"""

import socket
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from rich.console import Console
from rich.text import Text
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import deferLater
from twisted.mail.interfaces import IMessageDelivery, IMessageSMTP
from twisted.mail.smtp import ESMTP, User
from zope.interface import implementer

PATIENCE_S = 5.0
LOOK_EVERY_S = 0.05
LAST_SHOWN = 6
FIRST_LINES = 3

_CONFIG = """
[notices]
look_every_s = 0.1

[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "purse@meterpurse.example"

[[recipient]]
name = "resident"
email = "resident@household.example"
"""


class DemoMails:
    """The mails that have come so far."""

    def __init__(self, headend: Path) -> None:
        """Listen on a free port and write it into the configuration of the head-end in that folder."""
        self.mails: list[EmailMessage] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        port = self._listening.getsockname()[1]
        with (headend / "headend.toml").open("a", encoding="utf-8") as file:
            file.write(_CONFIG.format(port=port))

    def listen(self, reactor: IReactorTime) -> None:
        """Take in mails as soon as the reactor runs."""
        factory = ServerFactory()
        factory.protocol = self._session
        factory.noisy = False
        reactor.adoptStreamPort(self._listening.fileno(), socket.AF_INET, factory)  # type: ignore[attr-defined]
        self._listening.close()  # the reactor has its own; when it ends, nobody is left connecting to nobody

    async def wait_for(self, count: int, reactor: IReactorTime) -> None:
        """Wait until so many mails are here, but no longer than PATIENCE_S."""
        deadline = reactor.seconds() + PATIENCE_S
        while len(self.mails) < count and reactor.seconds() < deadline:
            await deferLater(reactor, LOOK_EVERY_S)

    def show(self, console: Console) -> None:
        """Print how many mails came, and of the last ones the subject and the first lines."""
        words = Counter("statement" if "Statement" in mail["Subject"] else "notice" for mail in self.mails)
        told = ", ".join(f"{count} {word}s" for word, count in sorted(words.items()))
        console.print(f"Mails that arrived at the resident's: {len(self.mails)} ({told}); the last of them:")
        for mail in self.mails[-LAST_SHOWN:]:
            body = mail.get_body(("plain",))
            lines = [] if body is None else body.get_content().splitlines()
            console.print(Text(f"  {mail['Subject']}", style="bold"))
            for line in lines[:FIRST_LINES]:
                console.print(Text(f"      {line}"))

    def _session(self) -> ESMTP:
        session = ESMTP()
        session.delivery = _Delivery(self.mails)
        return session


@implementer(IMessageDelivery)
class _Delivery:
    """Takes every mail."""

    def __init__(self, mails: list[EmailMessage]) -> None:
        self._mails = mails

    def receivedHeader(self, helo: object, origin: object, recipients: object) -> bytes:
        return b""

    def validateFrom(self, helo: object, origin: object) -> object:
        return origin

    def validateTo(self, user: User) -> object:
        return lambda: _Incoming(self._mails)


@implementer(IMessageSMTP)
class _Incoming:
    """One mail, line by line."""

    def __init__(self, mails: list[EmailMessage]) -> None:
        self._mails = mails
        self._lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self._lines.append(line)

    def eomReceived(self) -> "Deferred[None]":
        mail = message_from_bytes(b"\r\n".join(self._lines).lstrip(b"\r\n"), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self._mails.append(mail)
        return succeed(None)

    def connectionLost(self) -> None:
        self._lines.clear()
