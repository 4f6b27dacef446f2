"""Mails over SMTP, with STARTTLS or TLS from the beginning, never to a server whose certificate does not hold.

A password is sent only inside TLS, and what was said to the server is kept out of reasons. Imported by `channels`.
"""

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from typing import Any

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.mail.smtp import ESMTPSenderFactory, SMTPClientError, SMTPDeliveryError

from headend.delivery.config import SmtpConfig
from headend.delivery.message import Message
from headend.delivery.sending import Clock, SendError, first_line, read_secret
from headend.delivery.trust import tls_to

SUBJECT_MAXIMUM = 240
OVERALL_FACTOR = 4
"""A whole session may take so many times as long as one answer of the server."""


class SmtpChannel:
    """Hands mails to one mail server, a session each."""

    def __init__(self, config: SmtpConfig, reactor: AsyncioSelectorReactor, clock: Clock) -> None:
        """Read the password and the roots once; ChannelUnusableError when they cannot be read."""
        self._config = config
        self._reactor = reactor
        self._clock = clock
        self._password = None if config.password_file is None else read_secret(config.password_file).encode()
        self._tls = None if config.security == "none" else tls_to(config.host, config.trust_file)

    async def send(self, message: Message) -> None:
        """Deliver to the mail server; SendError, final when it refuses this mail or this address for good."""
        address = message.recipient.email
        if address is None:
            raise SendError("the recipient has no e-mail address any more", is_final=True)
        mail = mail_of(message, self._config, address, date=format_datetime(self._clock()))
        try:
            await self._hand_over(address, mail.as_bytes(policy=SMTP)).asFuture(asyncio.get_running_loop())
        except SMTPDeliveryError as error:
            raise _refused(error) from error
        except SMTPClientError as error:
            said = first_line(error.resp)
            words = f"{error.code} {said}" if error.code > 0 else said
            raise SendError(f"{type(error).__name__.removesuffix('Error')}: {words}") from error
        except (DeferredTimeoutError, CancelledError) as error:
            raise SendError("the mail server took too long") from error

    def _hand_over(self, address: str, octets: bytes) -> "Deferred[object]":
        config = self._config

        def give_up(_sent: Deferred[object]) -> None:
            factory.sendFinished = True
            connector.disconnect()

        sent: Deferred[object] = Deferred(give_up)
        factory = ESMTPSenderFactory(
            (config.user or "").encode(),
            self._password or b"",
            config.sender,
            address,
            BytesIO(octets.replace(b"\r\n", b"\n")),  # Twisted makes the line ends
            sent,
            retries=0,
            timeout=config.timeout_s,
            contextFactory=self._tls,
            requireAuthentication=config.user is not None,
            requireTransportSecurity=config.security != "none",
            hostname=config.host,
        )
        if config.security == "tls":
            connector = self._reactor.connectSSL(config.host, config.port, factory, self._tls, config.timeout_s)
        else:
            connector = self._reactor.connectTCP(config.host, config.port, factory, config.timeout_s)
        return sent.addTimeout(config.timeout_s * OVERALL_FACTOR, self._reactor)


def mail_of(message: Message, config: SmtpConfig, address: str, *, date: str) -> EmailMessage:
    """The mail: plain text and HTML, pictures inside; its Message-ID is the message's key, so a repeat is known."""
    mail = EmailMessage(policy=SMTP)
    domain = config.sender.rpartition("@")[2]
    mail["From"] = Address(display_name=config.sender_name, addr_spec=config.sender)
    mail["To"] = address
    mail["Subject"] = message.text.subject[:SUBJECT_MAXIMUM]
    mail["Date"] = date
    mail["Message-ID"] = f"<{message.key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.language
    # base64: no line can begin with a dot, whatever a label says
    mail.set_content(message.text.body + "\n", cte="base64")
    mail.add_alternative(message.html, subtype="html", cte="base64")
    page = list(mail.iter_parts())[1]
    for picture in message.pictures:
        page.add_related(
            picture.svg.encode(),
            "image",
            "svg+xml",
            cid=f"<{picture.name}>",
            filename=f"{picture.name}.svg",
            disposition="inline",
        )
    return mail


def _refused(error: SMTPDeliveryError) -> SendError:
    """What the server said to the address or to the mail; 5xx is for good (RFC 5321, 4.2.1)."""
    addresses: Any = error.addresses  # (address, code, words) each
    answers = [(code, said) for _address, code, said in addresses if code not in range(200, 300)]
    code, said = answers[0] if answers else (error.code, error.resp)
    return SendError(f"refused: {code} {first_line(said)}", is_final=code in range(500, 600))
