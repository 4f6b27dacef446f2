"""Laws of the root key: only its file opens what it sealed, and no mistake about the file goes on quietly."""

from pathlib import Path

import pytest

from headend.root_key import RootKey, RootKeyError, create


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "root.key")
    return tmp_path / "root.key"


def test_what_is_sealed_is_opened_with_the_same_file_alone(path: Path, tmp_path: Path) -> None:
    sealed = RootKey.load(path).seal(b"secret")
    assert b"secret" not in sealed
    assert RootKey.load(path).open(sealed) == b"secret"
    create(tmp_path / "other.key")
    with pytest.raises(RootKeyError, match="not sealed with this root key"):
        RootKey.load(tmp_path / "other.key").open(sealed)
    with pytest.raises(RootKeyError, match="damaged"):
        RootKey.load(path).open(sealed[:-1] + bytes((sealed[-1] ^ 1,)))


def test_the_file_is_private_and_never_overwritten(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    with pytest.raises(FileExistsError):
        create(path)
    assert path.read_text() == before


def test_what_age_keygen_writes_is_read(path: Path) -> None:
    path.write_text(f"# created: 2026-11-27\n# public key: age1...\n{path.read_text()}\n")
    RootKey.load(path)


@pytest.mark.parametrize("text", ["", "AGE-SECRET-KEY-1QQQ\n", "two\nlines\n", "age1publickey\n"])
def test_another_text_is_no_root_key_and_is_not_repeated(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(RootKeyError, match="not an age identity") as refused:
        RootKey.load(path)
    assert not text.strip() or text.strip() not in str(refused.value)


def test_a_file_that_is_missing_unreadable_or_open_to_others_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(RootKeyError, match="there is no root key"):
        RootKey.load(tmp_path / "none")
    with pytest.raises(RootKeyError, match="Is a directory"):
        RootKey.load(tmp_path)
    path.chmod(0o640)
    with pytest.raises(RootKeyError, match="chmod 600"):
        RootKey.load(path)
    path.chmod(0o600)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RootKeyError, match="not text"):
        RootKey.load(path)
