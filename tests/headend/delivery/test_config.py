"""Laws of the notice part of the configuration."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from headend.alarms import AlarmKind
from headend.config import HeadendConfig
from headend.delivery.config import RecipientConfig, SmtpConfig
from headend.notices import NoticeKind

ANNA = {"name": "anna", "email": "anna@example.org"}
SMTP = {"host": "mail.example.org", "sender": "purse@example.org"}


def test_a_recipient_is_told_of_notices_and_of_alarms_only_when_they_are_named() -> None:
    assert RecipientConfig.model_validate(ANNA).events == tuple(NoticeKind)
    told = RecipientConfig.model_validate(ANNA | {"events": ["settled", "gateway_silent"]})
    assert told.events == (NoticeKind.SETTLED, AlarmKind.GATEWAY_SILENT)


def test_secrets_are_in_files_counted_from_the_folder() -> None:
    told = SMTP | {"user": "purse", "password_file": "smtp.password"}
    config = HeadendConfig.model_validate({"smtp": told}, context={"folder": Path("/srv")})
    assert config.smtp is not None
    assert config.smtp.password_file == Path("/srv/smtp.password")


def test_mails_are_encrypted_unless_they_stay_on_this_machine() -> None:
    assert SmtpConfig.model_validate(SMTP).security == "starttls"
    assert SmtpConfig.model_validate(SMTP | {"host": "localhost", "security": "none"}).security == "none"


@pytest.mark.parametrize(
    "document",
    [
        {"recipient": [ANNA]},
        {"recipient": [{"name": "x", "sms": "123"}]},
        {"recipient": [{"name": "x", "webhook": "gone"}]},
        {"smtp": SMTP, "recipient": [ANNA, ANNA]},
        {"smtp": SMTP, "recipient": [{"name": "x"}]},
        {"smtp": SMTP, "recipient": [ANNA | {"email": "a@b\r\nBcc: c@d"}]},
        {"smtp": SMTP, "recipient": [ANNA | {"events": ["lunch"]}]},
        {"smtp": SMTP, "recipient": [ANNA | {"quiet_from": "22:00"}]},
        {"smtp": SMTP, "recipient": [ANNA | {"digest_at": "22:00:30"}]},
        {"smtp": SMTP, "recipient": [ANNA | {"time_zone": "Mars"}]},
        {"smtp": SMTP, "recipient": [ANNA | {"meter": ["12"]}]},
        {"smtp": SMTP | {"security": "none"}},
        {"smtp": SMTP | {"user": "x"}},
        {"smtp": SMTP | {"host": "localhost", "security": "none", "user": "x", "password_file": "p"}},
        {"sms": {"url": "http://x", "success_pattern": "("}},
        {"webhook": [{"name": "w", "url": "ftp://x", "secret_file": "s"}]},
        {"webhook": [{"name": "w", "url": "http://u:p@x", "secret_file": "s"}]},
        {"webhook": [{"name": "w", "url": "http://x", "secret_file": "s", "allow": ["10.0.0.1/8"]}]},
    ],
)
def test_a_mistake_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HeadendConfig.model_validate(document)
