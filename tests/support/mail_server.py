"""A real mail server (aiosmtpd) in a thread: STARTTLS or TLS, with or without a login, refusing what it is told to."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from deploy.demo.influxdb import free_port
from tests.support.certificates import Identity


@dataclass
class MailServer:
    """What a server got; `refuse` maps an address to what is answered to it, `refuse_mail` to the mail itself.

    One that `falls_silent` takes a mail and never says so.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    refuse_mail: str | None = None
    falls_silent: bool = False
    were_encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Any) -> str:
        if self.refuse_mail is not None:
            return self.refuse_mail
        self.were_encrypted.append(session.ssl is not None)
        self.raw.append(envelope.content)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        if self.falls_silent:
            await asyncio.Event().wait()
        return "250 taken"


@contextmanager
def mail_server(
    identity: Identity | None = None, *, implicit_tls: bool = False, login: tuple[str, str] | None = None
) -> Iterator[MailServer]:
    """Serve on a free port of the loopback while the context lasts."""
    got = MailServer()
    context = None
    if identity is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, told: Any) -> AuthResult:
        assert login is not None
        known = isinstance(told, LoginPassword) and (told.login.decode(), told.password.decode()) == login
        return AuthResult(success=known, handled=False)

    options: dict[str, Any] = {}
    if not implicit_tls:
        options = {"tls_context": context, "require_starttls": context is not None}
    if login is not None:
        options |= {"authenticator": authenticate, "auth_required": True}
    controller = Controller(
        got, hostname="127.0.0.1", port=free_port(), ssl_context=context if implicit_tls else None, **options
    )
    controller.start()
    got.port = controller.port
    try:
        yield got
    finally:
        controller.stop()
