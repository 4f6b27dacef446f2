"""`meter.toml`: every mistake is told in one line with file and line number, and no key is ever told."""

import os
import shutil
from pathlib import Path

import pytest

from deploy.configuration import ConfigurationError, load
from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.courier_class import COURIER_SAP
from dlms_objects.meter import setup
from dlms_objects.meter.config import COURIER_KEY_NAME, MASTER_KEY_NAME, MeterConfig, first_keys, load_keys
from dlms_objects.transport.credentials import CredentialsError, load_courier_credentials, load_master_key


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("configured") / "meter"
    setup.create(folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A meter's folder that the test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "meter"))


def told(folder, text):
    """What `load` says about a configuration: (line, message)."""
    path = folder / "meter.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load(path, MeterConfig)
    (problem,) = error.value.problems
    assert str(problem).startswith(f"{path}:{problem.line}: ")
    return problem.line, problem.message


BASE = 'listen = "127.0.0.1:0"\nstore = "meter.sqlite"\nkeys = "keys"\n'


def test_what_init_writes_loads_with_paths_counted_from_its_folder(folder):
    config = load(folder / "meter.toml", MeterConfig)
    assert (config.store, config.keys) == (folder / "meter.sqlite", folder / "keys")
    assert (config.listen, config.clock) == ("127.0.0.1:4059", None)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BASE + "inactivty_s = 60\n", 4, "inactivty_s: unknown key; did you mean 'inactivity_s'?"),
        (BASE + 'maximum_connections = "many"\n', 4, "maximum_connections"),
        (BASE + "maximum_connections = 0\n", 4, "greater than or equal to 1"),
        (BASE + "inactivity_s = -1\n", 4, "greater than 0"),
        (BASE.replace("127.0.0.1:0", "127.0.0.1"), 1, "listen: host:port is wanted"),
        (BASE.replace("127.0.0.1:0", "127.0.0.1:65536"), 1, "listen: host:port is wanted"),
        (BASE.replace("meter.sqlite", "none.sqlite"), 2, "no meter store at"),
        (BASE.replace('"keys"', '"nowhere"'), 3, "key file not found"),
        (BASE + "[clock]\nstart = 2026-01-01T00:00:00\n", 5, "clock.start"),
        (BASE + "[clock]\nstart = 2100-01-01T00:00:00Z\n", 5, "clock.start"),
        (BASE + "[clock]\nstart = 2026-01-01T00:00:00Z\nrate = 0\n", 6, "clock.rate"),
        (BASE + "[consumption]\nseed = 1\nkwh_per_year = 50001\n", 6, "consumption.kwh_per_year"),
        (BASE + "[consumption]\nseed = 1\n", 4, "consumption.kwh_per_year: missing"),
        ('listen = "127.0.0.1:0"\nkeys = \n', 2, "not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line(folder, text, line, words):
    found_line, message = told(folder, text)
    assert words in message
    assert found_line == line


def test_a_key_file_that_others_may_read_is_told_at_the_line_of_keys(folder):
    os.chmod(folder / "keys" / "reader.toml", 0o640)
    line, message = told(folder, BASE)
    assert line == 3
    assert "chmod 600" in message


def test_a_missing_key_file_is_told_with_its_path(folder):
    (folder / "keys" / "management.toml").unlink()
    line, message = told(folder, BASE)
    assert line == 3
    assert str(folder / "keys" / "management.toml") in message


def rewrite(path, change):
    text = change(path.read_text())
    path.unlink()
    path.touch(mode=0o600)
    path.write_text(text)


def test_key_files_of_two_meters_are_refused(folder, tmp_path):
    other = setup.create(tmp_path / "other")
    shutil.copy(other.keys[Role.READER], folder / "keys" / "reader.toml")
    assert "of different meters" in told(folder, BASE)[1]


def test_a_key_file_of_another_association_is_refused(folder):
    shutil.copy(folder / "keys" / "management.toml", folder / "keys" / "reader.toml")
    assert "for client SAP 1 with server SAP 1; reader is client SAP 2" in told(folder, BASE)[1]


def test_one_key_for_two_associations_is_refused_for_they_would_share_nonces(folder):
    management = folder / "keys" / "management.toml"
    rewrite(folder / "keys" / "reader.toml", lambda _text: management.read_text().replace("sap = 1", "sap = 2", 1))
    with pytest.raises(CredentialsError, match="two key files have the same encryption key"):
        load_keys(folder / "keys")


def test_the_first_keys_are_those_of_the_files_the_courier_s_and_the_master_key(folder):
    keys, credentials = first_keys(folder / "keys"), load_keys(folder / "keys")
    courier = load_courier_credentials(folder / "keys" / COURIER_KEY_NAME)
    assert keys.associations == {
        COURIER_SAP: courier.cipher_keys(),
        **{of_role.client_sap: of_role.cipher_keys() for of_role in credentials.values()},
    }
    assert keys.master_key == load_master_key(folder / "keys" / MASTER_KEY_NAME).key


@pytest.mark.parametrize(
    ("name", "words"), [(MASTER_KEY_NAME, "the master key"), (COURIER_KEY_NAME, "the courier's keys")]
)
def test_a_master_or_courier_key_that_is_missing_or_another_meter_s_is_refused(folder, tmp_path, name, words):
    path = folder / "keys" / name
    other = setup.create(tmp_path / "other")
    shutil.copy(other.config.parent / "keys" / name, path)
    with pytest.raises(CredentialsError, match=f"{path}: {words} of another meter"):
        first_keys(folder / "keys")
    path.unlink()
    with pytest.raises(CredentialsError, match=f"{path}: key file not found"):
        first_keys(folder / "keys")


def test_a_key_with_two_uses_is_refused(folder):
    credentials = load_keys(folder / "keys")[Role.READER]
    rewrite(
        folder / "keys" / MASTER_KEY_NAME,
        lambda text: text.replace(text.split('"')[-2], credentials.authentication_key.hex()),
    )
    with pytest.raises(CredentialsError, match="two keys of the meter are the same"):
        first_keys(folder / "keys")


def test_no_mistake_in_a_key_file_ever_shows_a_key(folder):
    path = folder / "keys" / "management.toml"
    keys = [credentials for line in path.read_text().splitlines() if "key" in line for credentials in [line[-33:-1]]]
    assert len(keys) == 2
    spoils = [
        lambda text: text.replace('"\n', 'z"\n'),
        lambda text: text.replace("client_sap = 1", f'client_sap = "{keys[0]}"'),
        lambda text: text.replace("authentication_key = ", "authentication_ky = "),
        lambda text: text.replace(text.split('"')[1], keys[1]),
        lambda text: text[:-2],
    ]
    original = path.read_text()
    for spoil in spoils:
        rewrite(path, lambda _text, spoil=spoil: spoil(original))
        message = told(folder, BASE)[1]
        assert not any(key in message for key in keys), message
