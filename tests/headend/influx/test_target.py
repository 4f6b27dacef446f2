"""The configured InfluxDB: its token comes from a file and is never shown."""

from pathlib import Path

import pytest

from headend.config import InfluxConfig
from headend.influx.target import Target, TokenUnreadableError


def test_the_token_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "influx.token").write_text("a-secret\n")
    told = {"url": "https://influx.example/base/", "bucket": "books", "token_file": "influx.token"}
    target = Target.of(InfluxConfig.model_validate(told, context={"folder": tmp_path}))
    assert (target.token, target.url, target.org) == ("a-secret", "https://influx.example/base", "-")
    assert "a-secret" not in repr(target)


def test_no_token_file_is_no_token() -> None:
    assert Target.of(InfluxConfig(url="http://127.0.0.1:8087", bucket="books")).token is None


def test_a_token_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    config = InfluxConfig(url="http://127.0.0.1:8087", bucket="books", token_file=tmp_path / "none")
    with pytest.raises(TokenUnreadableError, match="No such file"):
        Target.of(config)
    (tmp_path / "none").write_text("schlüssel")
    with pytest.raises(TokenUnreadableError, match="ascii"):
        Target.of(config)


@pytest.mark.parametrize("url", ["influx:8086", "ftp://influx", "http://", "http://user@influx", "http://influx?db=x"])
def test_only_an_address_is_an_address(url: str) -> None:
    with pytest.raises(ValueError, match="an address is"):
        InfluxConfig(url=url, bucket="books")
