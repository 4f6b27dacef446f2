"""The channels of a configuration are those somebody uses."""

from pathlib import Path
from typing import Any

from headend.config import HeadendConfig
from headend.delivery.channels import make_channels
from tests.support.deliveries import clock


def test_only_channels_that_somebody_uses_are_made(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x" * 32)
    document: dict[str, Any] = {
        "smtp": {"host": "localhost", "sender": "a@example.org"},
        "sms": {"url": "https://sms.example.org/"},
        "webhook": [{"name": name, "url": "https://x.example", "secret_file": "secret"} for name in ("w", "unused")],
        "recipient": [{"name": "a", "email": "a@example.org"}, {"name": "b", "webhook": "w", "sms": "123"}],
    }
    config = HeadendConfig.model_validate(document, context={"folder": tmp_path})
    assert set(make_channels(config, None, clock)) == {"email", "sms", "webhook:w"}  # type: ignore[arg-type]
    assert make_channels(HeadendConfig(), None, clock) == {}  # type: ignore[arg-type]
