"""`meterpurse headend`: init makes what check and run accept; what cannot work is one line with its place."""

import contextlib
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.support.command_line import Run, call, invoke, served

TITLE = "4D50303030303031"


def ready_made(tmp_path: Path) -> Path:
    """The folder of a new head-end on a free port."""
    folder = tmp_path / "h"
    made = call("headend", "init", folder, "--listen", "127.0.0.1:0")
    assert made == Run(code=0, out=made.out, err="")
    return folder


def test_init_names_what_it_made(tmp_path: Path) -> None:
    folder = tmp_path / "h"
    named = [Path(line.split()[-1]) for line in call("headend", "init", folder).out.splitlines()]
    names = ["admin.token", "auditor.token", "gateway.token", "headend.sqlite", "headend.toml", "root.key"]
    assert sorted(path.name for path in named) == names
    assert all(path.is_file() for path in named)


def test_init_over_an_existing_head_end_changes_nothing(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = call("headend", "init", folder)
    assert again.code == 2
    assert again.err.endswith("exists already\n")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_check_counts_the_meters_that_were_added(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    assert call("headend", "check", folder).out == f"{folder}/headend.toml: good; 0 meters, 0 entries\n"
    assert call("headend", "add-meter", folder, TITLE, "--household", "Flat 3").code == 0
    assert call("headend", "check", folder).out.endswith("good; 1 meters, 0 entries\n")


def test_a_meter_that_cannot_be_is_refused_with_its_reason(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    refused = call("headend", "add-meter", folder, "XYZ", "--household", "Flat 3")
    assert refused.code == 2
    assert "system_title" in refused.err
    assert call("headend", "check", folder).out.endswith("good; 0 meters, 0 entries\n")


@pytest.mark.parametrize(
    ("offence", "line", "words"),
    [
        ("lisen = 1\n", 1, "lisen: unknown key; did you mean 'listen'?"),
        ("listen = 5\n", 1, "listen: should be a valid string, not 5"),
        ('\nlisten = "nowhere"\n', 2, "listen: host:port is wanted, such as 127.0.0.1:4059"),
        ("listen = \n", 1, "not TOML: Invalid value (column 10)"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_mistake_is_one_line_with_its_place(
    command: str, offence: str, line: int, words: str, tmp_path: Path
) -> None:
    folder = ready_made(tmp_path)
    (folder / "headend.toml").write_text(offence)
    assert call("headend", command, folder) == Run(code=2, out="", err=f"{folder}/headend.toml:{line}: {words}\n")


def test_a_missing_ledger_is_blamed_on_its_key(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    (folder / "headend.sqlite").unlink()
    lines = (folder / "headend.toml").read_text().splitlines()
    place = 1 + next(index for index, line in enumerate(lines) if line.startswith("database"))
    checked = call("headend", "check", folder)
    assert checked.code == 2
    assert checked.err.startswith(f"{folder}/headend.toml:{place}: database: no database at ")


def test_a_port_in_use_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        (folder / "headend.toml").write_text(f'# first\nlisten = "{listen}"\n')
        run = invoke("headend", "run", folder, "--log-level", "error")
    words = f"listen: cannot listen on {listen}: Address already in use"
    assert run == Run(code=2, out="", err=f"{folder}/headend.toml:2: {words}\n")


def test_run_says_where_it_is_ready_and_stops_when_told(tmp_path: Path) -> None:
    with served("headend", "run", ready_made(tmp_path), "--log-json") as process:
        host, _, port = process.ready.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(b"GET /healthz/live HTTP/1.0\r\n\r\n")
            assert line.recv(64).startswith(b"HTTP/1.1 200")
    assert process.code == 0
    assert "Traceback" not in process.err


def test_a_token_of_influxdb_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "headend.toml"
    told = config.read_text() + '\n[influx]\nurl = "http://127.0.0.1:9"\nbucket = "b"\ntoken_file = "none.token"\n'
    config.write_text(told)
    line = told.splitlines().index('token_file = "none.token"') + 1
    for command in ("check", "run"):
        ended = invoke("headend", command, folder)
        assert ended.code == 2
        last = ended.err.splitlines()[-1]
        assert last.startswith(f"{config}:{line}: influx.token_file: the token of InfluxDB cannot be read")


def test_the_points_are_told_where_influxdb_is_away(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    plain = call("headend", "influx", "status", folder)
    assert (plain.code, plain.out.splitlines()[:2]) == (0, ["points are kept  no", "waiting          0"])
    with (folder / "headend.toml").open("a") as config:
        config.write('\n[influx]\nurl = "http://127.0.0.1:9"\nbucket = "b"\n')
    away = call("headend", "influx", "check", folder)
    assert (away.code, len(away.err.splitlines())) == (2, 1)
    assert "does not answer" in away.err
    assert call("headend", "influx", "rebuild", folder).out == "0 points written, 0 refused\n"


def test_a_root_key_that_is_gone_is_named_with_its_line(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    (folder / "root.key").unlink()
    for ended in (call("headend", "check", folder), invoke("headend", "run", folder)):
        assert (ended.code, ended.out) == (2, "")
        assert f"{folder}/headend.toml:10: root_key_file: {folder}/root.key: there is no root key" in ended.err


def test_courier_keys_are_taken_over_once_the_meter_is_registered(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    assert call("meter", "init", tmp_path / "m").code == 0
    keys = tmp_path / "m" / "keys" / "courier.toml"
    title = keys.read_text().split('"')[1]
    add = ("headend", "add-courier-keys", folder, keys)
    assert f"meter {title} is not registered" in call(*add).err
    assert call("headend", "add-meter", folder, title, "--household", "Flat 3").code == 0
    assert "say it with --currency" in call(*add).err
    assert "is not a currency such as CNY:-2" in call(*add, "--currency", "Yuan").err
    taken = call(*add, "--currency", "CNY:-2")
    assert (taken.code, taken.err) == (0, "")
    assert title in taken.out
    assert call(*add).code == 0
    without = (folder / "headend.toml").read_text().replace("root_key_file", "# root_key_file")
    (folder / "headend.toml").write_text(without)
    assert "names no root_key_file" in call(*add).err


def test_organisations_and_people_are_entered_and_mistakes_told(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    assert call("headend", "add-organisation", folder, "north").code == 0
    again = call("headend", "add-organisation", folder, "north")
    assert (again.code, again.err) == (2, "there is an organisation named 'north' already\n")
    told = ("headend", "add-user", folder, "anna", "--role", "admin", "--password", "correct horse battery")
    assert call(*told, "--organisation", "north").code == 0
    assert call(*told).err == "the login 'anna' is taken\n"
    unknown = call("headend", "add-user", folder, "bert", *told[4:], "--organisation", "south")
    assert (unknown.code, "no organisation named 'south'" in unknown.err) == (2, True)
    short = call("headend", "add-user", folder, "bert", "--role", "admin", "--password", "short")
    assert (short.code, "password" in short.err, "Traceback" in short.err) == (2, True, False)
    meter = call("headend", "add-meter", folder, "4D505200000000AA", "--household", "x", "--organisation", "north")
    assert meter.code == 0
    taken = call("headend", "add-meter", folder, "4D505200000000AA", "--household", "x")
    assert (taken.code, "another organisation's" in taken.err) == (2, True)


def test_verify_backup_and_migrate_say_what_they_did(tmp_path: Path) -> None:
    folder, copy = ready_made(tmp_path), tmp_path / "copy"
    assert call("headend", "verify", folder).out == "0 meters, 0 entries: no findings\n"
    assert '"total": 0' in call("headend", "verify", folder, "--json").out
    assert call("headend", "backup", folder, copy).code == 0
    assert call("headend", "backup", folder, copy) == Run(code=2, out="", err=f"{copy} exists already\n")
    assert call("headend", "migrate", folder).out.startswith("the tables have the shape ")
    with contextlib.closing(sqlite3.connect(folder / "headend.sqlite")) as planted, planted:
        planted.execute("DROP TRIGGER entry_refuses_update")
    found = call("headend", "verify", folder)
    assert found.code == 2
    assert found.out.startswith("guard: the trigger that refuses to update rows of entry")
