"""gateway/check.py: every mistake at once, each at its place, and no secret in any of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.transport.credentials import MeterCredentials, save_credentials
from dlms_objects.values.system_title import SystemTitle
from gateway.check import problems
from gateway.config import CollectionSection, GatewayConfig, HeadendSection, MeterSection, OutboxSection
from gateway.store import Store

GATEWAY = SystemTitle(b"MPG\x00\x00\x00\x00\x01")
KEYS = (b"e" * 16, b"a" * 16)


def title(number: int) -> SystemTitle:
    return SystemTitle(b"MPR\x00\x00\x00\x00" + bytes((number,)))


def meter(folder: Path, number: int, **changes: Any) -> MeterSection:
    """A meter with a good key file."""
    path = folder / f"keys-{number}.toml"
    if not path.exists():
        keys = MeterCredentials(
            system_title=title(number), client_sap=1, server_sap=1, encryption_key=KEYS[0], authentication_key=KEYS[1]
        )
        save_credentials(path, keys)
    good: dict[str, Any] = {
        "name": f"flat-{number}",
        "system_title": title(number),
        "endpoint": f"tcp:10.0.0.{number}:4059",
        "key_file": path,
    }
    return MeterSection(**(good | changes))


def config(folder: Path, *meters: MeterSection, **changes: Any) -> GatewayConfig:
    """A good configuration, but for the changes."""
    token = folder / "token"
    if not token.exists():
        token.write_text("secret-token\n")
        token.chmod(0o600)
    good: dict[str, Any] = {
        "system_title": GATEWAY,
        "headend": HeadendSection(url="http://127.0.0.1:8460", token_file=token),
        "outbox": OutboxSection(path=folder / "outbox.sqlite3"),
        "meter": meters or (meter(folder, 1), meter(folder, 2)),
    }
    return GatewayConfig(**(good | changes))


def places(config: GatewayConfig) -> list[tuple[str | int, ...]]:
    found = problems(config)
    for problem in found:
        assert "secret" not in problem.message
        assert all(key.hex() not in problem.message for key in KEYS)
    return [problem.place for problem in found]


def test_a_good_configuration_has_no_problem_with_or_without_an_outbox(tmp_path: Path) -> None:
    assert places(config(tmp_path)) == []
    assert not (tmp_path / "outbox.sqlite3").exists(), "looking makes nothing"
    Store(tmp_path / "outbox.sqlite3").close()
    assert places(config(tmp_path)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("\n"),
        lambda path: path.write_text("two words\n"),
        lambda path: path.chmod(0o644),
    ],
)
def test_the_token_file_is_looked_at(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    good = config(tmp_path)
    spoil(tmp_path / "token")
    assert places(good) == [("headend", "token_file")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("not toml"),
        lambda path: path.write_text("server_sap = 1"),
        lambda path: path.chmod(0o640),
    ],
)
def test_each_key_file_is_looked_at(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    good = config(tmp_path)
    spoil(tmp_path / "keys-2.toml")
    assert places(good) == [("meter", 1, "key_file")]


def test_keys_of_another_association_are_found(tmp_path: Path) -> None:
    wrong = meter(tmp_path, 1, system_title=title(9), client_sap=2, server_sap=7)
    assert places(config(tmp_path, wrong)) == [
        ("meter", 0, key) for key in ("system_title", "server_sap", "client_sap")
    ]


def test_what_must_not_be_twice_is_found(tmp_path: Path) -> None:
    first = meter(tmp_path, 1)
    twin = meter(tmp_path, 2, name="flat-1", endpoint=first.endpoint)
    again = meter(tmp_path, 1, name="other", endpoint="tcp:10.0.0.9:4059")
    assert places(config(tmp_path, first, twin, again)) == [
        ("meter", 1, "name"),
        ("meter", 1, "endpoint"),
        ("meter", 2, "system_title"),
    ]
    neighbour = meter(tmp_path, 2, endpoint=first.endpoint, server_sap=2)
    assert ("meter", 1, "endpoint") not in places(config(tmp_path, first, neighbour)), "two devices behind one address"


def test_the_gateways_own_title_is_no_meter(tmp_path: Path) -> None:
    assert ("meter", 0, "system_title") in places(config(tmp_path, meter(tmp_path, 1), system_title=title(1)))


def test_the_outbox_is_looked_at(tmp_path: Path) -> None:
    assert places(config(tmp_path, outbox=OutboxSection(path=tmp_path / "gone" / "outbox"))) == [("outbox", "path")]
    (tmp_path / "outbox.sqlite3").write_bytes(b"no database at all" * 100)
    assert places(config(tmp_path)) == [("outbox", "path")]


def test_a_folder_that_may_not_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.check.os.access", lambda *_arguments: False)  # tests may run as root
    assert places(config(tmp_path)) == [("outbox", "path")]


def test_limits_that_contradict_each_other_are_found(tmp_path: Path) -> None:
    wide = meter(tmp_path, 1, page_rows=500)
    small = OutboxSection(path=tmp_path / "outbox.sqlite3", maximum_rows=100)
    assert places(config(tmp_path, wide, outbox=small)) == [("outbox", "maximum_rows")]
    waits = CollectionSection(back_off_first_s=10, back_off_maximum_s=5)
    assert places(config(tmp_path, collection=waits)) == [("collection", "back_off_first_s")]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    bad = config(tmp_path, outbox=OutboxSection(path=tmp_path / "gone" / "outbox"))
    for name in ("token", "keys-1.toml", "keys-2.toml"):
        (tmp_path / name).unlink()
    assert places(bad) == [
        ("headend", "token_file"),
        ("outbox", "path"),
        ("meter", 0, "key_file"),
        ("meter", 1, "key_file"),
    ]
