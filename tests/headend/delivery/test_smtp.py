"""Mails against a real mail server: what arrives, and that no certificate is taken for granted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headend.delivery.config import SmtpConfig
from headend.delivery.message import Message
from headend.delivery.sending import ChannelUnusableError, SendError
from headend.delivery.smtp import SmtpChannel
from headend.notices import NoticeKind
from tests.support.certificates import Identity, self_signed
from tests.support.deliveries import clock, message, send
from tests.support.mail_server import MailServer, mail_server

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return self_signed(tmp_path_factory.mktemp("certificates"), "localhost")


def channel(server: MailServer, **told: Any) -> Callable[[Any], SmtpChannel]:
    config = SmtpConfig.model_validate(
        {"host": "localhost", "port": server.port, "sender": "purse@example.org", "timeout_s": 5} | told
    )
    return lambda reactor: SmtpChannel(config, reactor, clock)


def outcome(server: MailServer, what: Message, **told: Any) -> SendError | None:
    (result,) = send(channel(server, **told), what)
    return result


def test_a_mail_arrives_encrypted_with_both_forms_exact(localhost: Identity) -> None:
    sent = message()
    with mail_server(localhost) as server:
        assert outcome(server, sent, trust_file=localhost.certificate) is None
    (mail,) = server.mails
    assert server.were_encrypted == [True]
    assert mail["Subject"] == "Rent已扣款¥3,500.00"
    assert (mail["To"], mail["From"]) == ("anna@example.org", "MeterPurse <purse@example.org>")
    assert mail["Message-ID"] == f"<{sent.key}@example.org>"
    assert mail["Date"] == "Sun, 01 Mar 2026 04:00:00 +0000"
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "\n".join(plain.get_content().splitlines()) == sent.text.body
    assert "扣款前余额：¥5,123.45；扣款后余额：¥1,623.45。" in page.get_content()


def test_tls_from_the_beginning(localhost: Identity) -> None:
    with mail_server(localhost, implicit_tls=True) as server:
        assert outcome(server, message(), trust_file=localhost.certificate, security="tls") is None
    assert len(server.mails) == 1


@pytest.mark.parametrize("implicit_tls", [False, True])
def test_a_server_nobody_vouches_for_gets_no_mail(localhost: Identity, *, implicit_tls: bool) -> None:
    security = "tls" if implicit_tls else "starttls"
    with mail_server(localhost, implicit_tls=implicit_tls) as server:
        error = outcome(server, message(), security=security)
    assert error is not None
    assert "certificate verify failed" in str(error)
    assert (error.is_final, server.mails) == (False, [])


def test_a_certificate_for_another_name_gets_no_mail(tmp_path: Path) -> None:
    other = self_signed(tmp_path, "mail.example.org")
    with mail_server(other) as server:
        error = outcome(server, message(), trust_file=other.certificate)
    assert error is not None
    assert "VerificationError" in str(error) or "mismatch" in str(error).lower()
    assert (error.is_final, server.mails) == (False, [])


def test_a_server_without_starttls_gets_no_mail() -> None:
    with mail_server() as server:
        error = outcome(server, message())
    assert error is not None
    assert "TLSRequired" in str(error)
    assert server.mails == []


def test_on_this_machine_a_mail_may_go_in_the_clear() -> None:
    with mail_server() as server:
        assert outcome(server, message(), security="none", host="127.0.0.1") is None
    assert server.were_encrypted == [False]


def test_it_logs_in_and_a_wrong_password_is_no_secret_told(localhost: Identity, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    login = {"user": "purse", "password_file": secret, "trust_file": localhost.certificate}
    with mail_server(localhost, login=("purse", PASSWORD)) as server:
        secret.write_text(PASSWORD + "\n")
        assert outcome(server, message(), **login) is None
        secret.write_text("something else\n")
        error = outcome(server, message(), **login)
    assert error is not None
    assert str(error).startswith("AUTHDeclined: 535")
    assert not error.is_final
    assert "something else" not in str(error)
    assert "c29tZXRoaW5nIGVsc2U" not in str(error)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("refusal", "is_final"), [("550 no such user", True), ("450 mailbox busy", False), ("452 too many", False)]
)
def test_a_refused_address_is_told_in_the_servers_words(localhost: Identity, refusal: str, *, is_final: bool) -> None:
    with mail_server(localhost) as server:
        server.refuse["anna@example.org"] = refusal
        error = outcome(server, message(), trust_file=localhost.certificate)
    assert (str(error), error and error.is_final) == (f"refused: {refusal}", is_final)


def test_a_refused_mail_is_told_in_the_servers_words(localhost: Identity) -> None:
    with mail_server(localhost) as server:
        server.refuse_mail = "554 looks like spam"
        error = outcome(server, message(), trust_file=localhost.certificate)
    assert (str(error), error and error.is_final) == ("refused: 554 looks like spam", True)


def test_nobody_listens() -> None:
    with mail_server() as server:
        pass
    error = outcome(server, message())
    assert error is not None
    assert "refused" in str(error)
    assert not error.is_final


def test_a_statement_brings_its_pictures_and_no_line_begins_with_a_dot(localhost: Identity) -> None:
    from dataclasses import replace

    from headend.delivery.message import Picture

    drawn = Picture(name="balance", title="t", svg="<svg xmlns='http://www.w3.org/2000/svg'/>" + "\n.\n" * 9000)
    sent = replace(message(NoticeKind.STATEMENT), pictures=(drawn,))
    with mail_server(localhost) as server:
        assert outcome(server, sent, trust_file=localhost.certificate) is None
    (mail,) = server.mails
    images = [part for part in mail.walk() if part.get_content_type() == "image/svg+xml"]
    assert [(image["Content-ID"], image.get_content()) for image in images] == [("<balance>", drawn.svg.encode())]
    assert not any(line.startswith(b".") for line in server.raw[0].split(b"\r\n"))


def test_a_password_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ChannelUnusableError, match="cannot be read"):
        channel(MailServer(port=25), user="x", password_file=tmp_path / "none")(None)
    (tmp_path / "roots.pem").write_text("nothing")
    with pytest.raises(ChannelUnusableError, match="no certificate"):
        channel(MailServer(port=25), trust_file=tmp_path / "roots.pem")(None)
