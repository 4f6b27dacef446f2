"""What three programs write and read in their folders: read exactly, made once, durable on return."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from dlms_objects import program_folder
from dlms_objects.program_folder import (
    checked_listen,
    counted_from_folder,
    host_and_port,
    is_loopback,
    make_folder,
    sync_to_disk,
    toml_value,
    write_new,
)


class Settings(BaseModel):
    """Settings with one of each."""

    listen: Annotated[str, AfterValidator(checked_listen)] = "localhost:1"
    file: Annotated[Path, AfterValidator(counted_from_folder)] = Path("unseen")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("127.0.0.1:4059", ("127.0.0.1", 4059)), ("[::1]:0", ("::1", 0)), ("localhost:65535", ("localhost", 65535))],
)
def test_an_address_is_read_in_two_parts(text: str, parts: tuple[str, int]) -> None:
    assert host_and_port(text) == parts
    assert Settings(listen=text).listen == text


@pytest.mark.parametrize("text", ["", "4059", ":4059", "[]:4059", "host:", "host:x", "host:-1", "host:٣", "host:65536"])
def test_anything_else_is_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match="host:port is wanted"):
        host_and_port(text)
    with pytest.raises(ValidationError, match="host:port is wanted"):
        Settings(listen=text)


@pytest.mark.parametrize(("told", "meant"), [("keys/a.toml", "/srv/keys/a.toml"), ("/etc/a.toml", "/etc/a.toml")])
def test_a_path_is_counted_from_the_folder_of_its_file(told: str, meant: str) -> None:
    assert Settings.model_validate({"file": told}, context={"folder": Path("/srv")}).file == Path(meant)
    assert Settings.model_validate({"file": told}).file == Path(told)


@pytest.mark.parametrize(
    "value", ["", 'a "quoted" \\ one', "tab\tand\nline\x01", "二号楼", 0, -7, 1.5, True, Path("a/b")]
)
def test_toml_reads_back_what_was_written(value: object) -> None:
    read = tomllib.loads(f"value = {toml_value(value)}")["value"]
    assert read == (str(value) if isinstance(value, Path) else value)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_new_file_is_private_if_asked_and_never_replaces_one(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "new"
    umask = os.umask(0o022)
    try:
        write_new(path, "二\n", mode=mode)
    finally:
        os.umask(umask)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == ("二\n".encode(), mode)
    with pytest.raises(FileExistsError):
        write_new(path, "other", mode=mode)
    assert path.read_text(encoding="utf-8") == "二\n"


def test_a_new_file_is_synced_whole_and_then_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def fsync(descriptor: int) -> None:
        place = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((place, place.read_text() if place.is_file() else None))

    monkeypatch.setattr(program_folder.os, "fsync", fsync)
    write_new(tmp_path / "new", "all of it", mode=0o600)
    assert synced == [(tmp_path / "new", "all of it"), (tmp_path, None)]


def test_what_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_to_disk(tmp_path / "none")


def test_a_new_folder_is_private_and_its_name_and_those_above_it_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(program_folder, "sync_to_disk", synced.append)
    folder = tmp_path / "a" / "b" / "keys"
    make_folder(folder, mode=0o700)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    with pytest.raises(FileExistsError):
        make_folder(folder, mode=0o700)


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("localhost", False)],
)
def test_only_a_loopback_address_is_this_machines_alone(host, is_it):
    assert is_loopback(host) is is_it
