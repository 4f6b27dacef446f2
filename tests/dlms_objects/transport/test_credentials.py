"""Key files: private, whole, never overwritten; and no key in any text, whatever is wrong."""

import os
import stat
from dataclasses import replace

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.transport.credentials import (
    EXAMPLE_KEYS,
    CourierCredentials,
    CredentialsError,
    KeyFiles,
    MasterKey,
    MeterCredentials,
    SecretCredentials,
    load_client_credentials,
    load_courier_credentials,
    load_credentials,
    load_master_key,
    save_courier_credentials,
    save_credentials,
    save_key_ring,
    save_master_key,
    save_secret,
)
from dlms_objects.values.system_title import SystemTitle

ENCRYPTION = bytes.fromhex("8d1c2b3a495867768594a3b2c1d0efae")
AUTHENTICATION = bytes.fromhex("5f4e3d2c1b0a99887766554433221101")
TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
CREDENTIALS = MeterCredentials(
    system_title=TITLE, client_sap=1, server_sap=1, encryption_key=ENCRYPTION, authentication_key=AUTHENTICATION
)
TEXT = (
    f'system_title = "{TITLE}"\n'
    "client_sap = 1\n"
    "server_sap = 1\n"
    f'global_unicast_encryption_key = "{ENCRYPTION.hex()}"\n'
    f'authentication_key = "{AUTHENTICATION.hex()}"\n'
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "management.toml"


def written(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def shows_a_key(words):
    lowered = words.lower()
    return any(key.hex() in lowered or repr(key).lower() in lowered for key in (ENCRYPTION, AUTHENTICATION))


def test_what_is_saved_is_loaded_as_it_was_and_is_private(path):
    save_credentials(path, CREDENTIALS)
    assert load_credentials(path) == CREDENTIALS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == TEXT


def test_an_existing_key_file_is_never_overwritten(path):
    save_credentials(path, CREDENTIALS)
    with pytest.raises(FileExistsError):
        save_credentials(path, CREDENTIALS)


def test_keys_never_appear_in_repr_or_str():
    assert not shows_a_key(f"{CREDENTIALS!r} {CREDENTIALS} {vars(type(CREDENTIALS))}")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o777])
def test_a_key_file_that_others_may_use_is_refused(path, mode):
    written(path, TEXT).chmod(mode)
    with pytest.raises(CredentialsError, match=r"others may read this key file; make it private \(chmod 600\)"):
        load_credentials(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_file_of_its_owner_alone_is_accepted(path, mode):
    written(path, TEXT).chmod(mode)
    assert load_credentials(path) == CREDENTIALS


def test_a_missing_key_file_is_told_with_what_writes_one(path):
    with pytest.raises(CredentialsError, match="key file not found .meterpurse meter init writes one"):
        load_credentials(path)


MALFORMED = {
    "not TOML": ("system_title MPR", "not a key file"),
    "not text": (b"\xff\xfe" * 8, "cannot read the key file"),
    "empty": ("", "system_title is missing"),
    "no authentication key": (TEXT.rpartition("authentication_key")[0], "authentication_key is missing"),
    "an unknown member": (TEXT + "suite = 1\n", "unknown key suite"),
    "a short key": (TEXT.replace(ENCRYPTION.hex(), ENCRYPTION.hex()[:-2]), "encryption key is 16 octets"),
    "a key that is no number": (TEXT.replace(ENCRYPTION.hex(), "x" * 32), "is 32 hexadecimal digits"),
    "a key that is a list": (TEXT.replace(f'"{ENCRYPTION.hex()}"', "[1, 2]"), "is 32 hexadecimal digits"),
    "equal keys": (TEXT.replace(ENCRYPTION.hex(), AUTHENTICATION.hex()), "are the same"),
    "a title that is none": (TEXT.replace(str(TITLE), "MPR1"), "system_title is 16 hexadecimal digits"),
    "a key in the title's place": (TEXT.replace(str(TITLE), ENCRYPTION.hex()), "system_title is 16 hexadecimal digits"),
    "a key in a SAP's place": (
        TEXT.replace("client_sap = 1", f'client_sap = "{ENCRYPTION.hex()}"'),
        "client_sap is a whole number 0..65535",
    ),
    "a SAP that is too large": (TEXT.replace("server_sap = 1", "server_sap = 65536"), "server_sap is a whole number"),
    "a SAP that is true": (TEXT.replace("server_sap = 1", "server_sap = true"), "server_sap is a whole number"),
    "a negative SAP": (TEXT.replace("client_sap = 1", "client_sap = -1"), "client_sap is a whole number"),
}


@pytest.mark.parametrize(("text", "words"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_key_file_is_refused_with_its_path_and_no_key(path, text, words):
    with pytest.raises(CredentialsError, match=words) as refusal:
        load_credentials(written(path, text))
    assert str(path) in str(refusal.value)
    assert not shows_a_key(f"{refusal.value} {refusal.value!r} {refusal.value.__cause__!r}")


def test_the_search_for_keys_in_texts_finds_one():
    assert shows_a_key(f"error in {ENCRYPTION.hex().upper()}")
    assert shows_a_key(f"error in {AUTHENTICATION!r}")


@pytest.mark.parametrize("name", ["encryption_key", "authentication_key"])
@pytest.mark.parametrize("example", EXAMPLE_KEYS, ids=["00..0F", "D0..DF"])
def test_published_example_keys_are_refused(path, name, example):
    own = {"encryption_key": ENCRYPTION, "authentication_key": AUTHENTICATION}
    with pytest.raises(InvalidValueError, match="published example key"):
        MeterCredentials(system_title=TITLE, client_sap=1, server_sap=1, **own | {name: example})
    with pytest.raises(CredentialsError, match="published example key"):
        load_credentials(written(path, TEXT.replace(own[name].hex(), example.hex())))


def test_a_folder_in_place_of_a_key_file_is_refused(path):
    path.mkdir(mode=0o700)
    with pytest.raises(CredentialsError, match="cannot read the key file"):
        load_credentials(path)


MASTER = MasterKey(system_title=TITLE, key=bytes(range(7, 23)))
MASTER_TEXT = f'system_title = "{TITLE}"\nmaster_key = "{MASTER.key.hex()}"\n'


def test_a_master_key_that_is_saved_is_loaded_as_it_was_and_is_private(path):
    save_master_key(path, MASTER)
    assert load_master_key(path) == MASTER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == MASTER_TEXT
    with pytest.raises(FileExistsError):
        save_master_key(path, MASTER)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        MASTER_TEXT + "more = 1\n",
        MASTER_TEXT.replace(str(TITLE), "4D5052"),
        MASTER_TEXT.replace(MASTER.key.hex(), MASTER.key.hex()[2:]),
        MASTER_TEXT.replace(MASTER.key.hex(), EXAMPLE_KEYS[0].hex()),
        MASTER_TEXT.replace("master_key", "key"),
    ],
)
def test_a_wrong_file_of_a_master_key_is_told_without_the_key(path, text):
    with pytest.raises(CredentialsError, match=str(path)) as refused:
        load_master_key(written(path, text))
    assert MASTER.key.hex() not in str(refused.value)
    assert MASTER.key.hex() not in repr(MASTER)
    assert repr(MASTER.key) not in repr(MASTER)


def test_counters_are_kept_by_meter_client_and_encryption_key():
    ids = {
        replace(CREDENTIALS, **changes).key_id
        for changes in (
            {},
            {"client_sap": 2},
            {"system_title": SystemTitle(b"MPR\x00\x00\x00\x00\x02")},
            {"encryption_key": b"N" * 16},
        )
    }
    assert len(ids) == 4
    assert replace(CREDENTIALS, authentication_key=b"N" * 16).key_id == CREDENTIALS.key_id
    assert not shows_a_key(CREDENTIALS.key_id)


def test_the_wire_gets_the_keys_of_the_file():
    keys = CREDENTIALS.cipher_keys()
    assert (keys.global_unicast_encryption_key, keys.authentication_key) == (ENCRYPTION, AUTHENTICATION)


COURIER = CourierCredentials(
    system_title=TITLE,
    head_end_title=SystemTitle(b"MPH\x00\x00\x00\x00\x01"),
    encryption_key=ENCRYPTION,
    authentication_key=AUTHENTICATION,
)


def test_a_courier_s_keys_are_saved_private_and_loaded_as_they_were(path):
    save_courier_credentials(path, COURIER)
    assert load_courier_credentials(path) == COURIER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert COURIER.cipher_keys() == CREDENTIALS.cipher_keys()
    assert not shows_a_key(repr(COURIER))
    with pytest.raises(FileExistsError):
        save_courier_credentials(path, COURIER)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"head_end_title": TITLE}, "the head-end has the meter's own system title"),
        ({"authentication_key": ENCRYPTION}, "are the same"),
        ({"encryption_key": b"short"}, "the encryption key is 16 octets"),
    ],
)
def test_a_courier_s_keys_that_cannot_be_are_refused(changes, words):
    with pytest.raises(InvalidValueError, match=words):
        replace(COURIER, **changes)


def ring_of(path, count):
    ring = [
        replace(CREDENTIALS, system_title=SystemTitle(b"MPR" + number.to_bytes(5, "big")), server_sap=number)
        for number in range(1, count + 1)
    ]
    save_key_ring(path, ring)
    return ring


def test_a_key_ring_holds_the_keys_of_many_meters_and_is_private(path):
    ring, files = ring_of(path, 5), KeyFiles()
    assert [files.credentials(path, each.system_title) for each in ring] == ring
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CredentialsError, match="a key ring without keys of 4D5052000000002A"):
        files.credentials(path, SystemTitle(b"MPR\x00\x00\x00\x00\x2a"))


def test_a_key_file_is_looked_up_like_a_ring_whatever_the_title(path):
    save_credentials(path, CREDENTIALS)
    assert KeyFiles().credentials(path, SystemTitle(b"MPR\x00\x00\x00\x00\x2a")) == CREDENTIALS


def test_a_ring_is_read_once(path):
    ring, files = ring_of(path, 2), KeyFiles()
    first = files.credentials(path, ring[0].system_title)
    path.unlink()
    assert files.credentials(path, ring[0].system_title) is first
    with pytest.raises(CredentialsError, match="not found"):
        KeyFiles().credentials(path, TITLE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("meter = 1\n", r"a key ring is made of \[\[meter\]\] tables"),
        ("meter = [1]\n", r"a key ring is made of \[\[meter\]\] tables"),
        (f"[[meter]]\n{TEXT}extra = 1\n", "unknown key extra"),
        (f"[[meter]]\n{TEXT.replace(ENCRYPTION.hex(), ENCRYPTION.hex()[2:])}", "the encryption key is 16 octets"),
    ],
)
def test_a_ring_that_is_wrong_is_refused_without_a_key_in_the_words(path, text, words):
    written(path, text)
    with pytest.raises(CredentialsError, match=words) as caught:
        KeyFiles().credentials(path, TITLE)
    assert not shows_a_key(str(caught.value))


def test_a_ring_in_place_of_a_key_file_says_what_to_do(path):
    ring_of(path, 2)
    with pytest.raises(
        CredentialsError, match="a key ring of many meters; meterpurse fleet key writes the file of one"
    ):
        load_credentials(path)


SECRET = SecretCredentials(system_title=TITLE, client_sap=3, server_sap=1, secret=b"a secret of ours")


def test_a_secret_is_saved_private_and_loaded_as_it_was(path):
    save_secret(path, SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_client_credentials(path) == SECRET
    assert "secret of" not in repr(SECRET)
    assert SECRET.secret.hex() not in repr(SECRET)


def test_whichever_file_a_client_has_is_told_by_what_is_in_it(path):
    path.write_text(TEXT)
    path.chmod(0o600)
    assert load_client_credentials(path) == CREDENTIALS


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("00" * 7, "8..64 octets"),
        ("00" * 65, "8..64 octets"),
        (bytes(range(16)).hex(), "example key"),
        ("xy", "digits"),
    ],
)
def test_a_secret_that_cannot_be_is_refused_and_not_repeated(path, secret, words):
    save_secret(path, SECRET)
    path.write_text(path.read_text().replace(SECRET.secret.hex(), secret))
    with pytest.raises(CredentialsError, match=words) as refused:
        load_client_credentials(path)
    assert secret not in str(refused.value)
