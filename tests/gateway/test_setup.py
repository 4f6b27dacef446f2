"""gateway/setup.py: what `gateway init` writes is what the program reads, and nothing is ever overwritten."""

import stat
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from dlms_objects.program_folder import AlreadyThereError
from dlms_objects.transport.credentials import CredentialsError, MeterCredentials, save_credentials
from dlms_objects.values.system_title import SystemTitle
from gateway.check import problems
from gateway.config import GatewayConfig
from gateway.setup import NewMeter, create

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "meter" / "management.toml"
    path.parent.mkdir()
    credentials = MeterCredentials(
        system_title=TITLE, client_sap=1, server_sap=1, encryption_key=b"e" * 16, authentication_key=b"a" * 16
    )
    save_credentials(path, credentials)
    return path


def load(path: Path) -> GatewayConfig:
    return GatewayConfig.model_validate(tomllib.loads(path.read_text()), context={"folder": path.parent})


def test_what_is_written_is_ready_to_run(tmp_path: Path, key_file: Path) -> None:
    folder = tmp_path / "deep" / "gateway"
    meter = NewMeter(name="flat-1", endpoint="tcp:127.0.0.1:4059", key_file=key_file, collect_every_s=0.5)
    path = create(folder, headend_url="http://head-end:1", token="secret", meters=[meter], upload_every_s=0.2)
    config = load(path)
    assert problems(config) == []
    assert config.system_title.octets.startswith(b"MPG")
    assert (config.headend.url, config.headend.upload_every_s) == ("http://head-end:1", 0.2)
    assert config.meter[0].system_title == TITLE
    assert config.meter[0].collect_every_s == 0.5
    assert config.meter[0].key_file.samefile(key_file)
    assert not Path(tomllib.loads(path.read_text())["meter"][0]["key_file"]).is_absolute()
    token = folder / "headend.token"
    assert token.read_text() == "secret\n"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert "secret" not in path.read_text()


def test_without_meters_and_token_it_can_be_read_and_says_what_is_missing(tmp_path: Path) -> None:
    config = load(create(tmp_path))
    assert [problem.place for problem in problems(config)] == [("headend", "token_file")]


OPTIONAL = {"push", "http"}  # there as a comment


def test_every_setting_is_written(tmp_path: Path, key_file: Path) -> None:
    meter = NewMeter(name="flat-1", endpoint="tcp:127.0.0.1:4059", key_file=key_file)
    document = tomllib.loads(create(tmp_path / "gateway", meters=[meter]).read_text())
    for table, model in (
        (document, GatewayConfig),
        (document["headend"], GatewayConfig.model_fields["headend"].annotation),
        (document["outbox"], GatewayConfig.model_fields["outbox"].annotation),
        (document["collection"], GatewayConfig.model_fields["collection"].annotation),
    ):
        assert set(table) == set(model.model_fields) - OPTIONAL  # type: ignore[union-attr]
    assert set(document["meter"][0]) == set(load(tmp_path / "gateway" / "gateway.toml").meter[0].model_fields_set)


def test_two_gateways_have_two_titles(tmp_path: Path) -> None:
    assert load(create(tmp_path / "a")).system_title != load(create(tmp_path / "b")).system_title


@pytest.mark.parametrize("name", ["gateway.toml", "headend.token", "outbox.sqlite3"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(AlreadyThereError, match=name):
        create(tmp_path, token="secret")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_mistake_leaves_nothing_behind(tmp_path: Path, key_file: Path) -> None:
    folder = tmp_path / "gateway"
    with pytest.raises(CredentialsError):
        create(folder, meters=[NewMeter(name="a", endpoint="tcp:x:1", key_file=tmp_path / "gone.toml")])
    with pytest.raises(ValidationError):
        create(folder, meters=[NewMeter(name="a", endpoint="nowhere", key_file=key_file)])
    assert not folder.exists()
