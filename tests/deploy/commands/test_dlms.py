"""`meterpurse dlms`: an operator sets up a purse over DLMS, and every refusal is one clear line."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dlms_objects.transport.credentials import load_credentials
from dlms_objects.values.system_title import SystemTitle
from tests.support.command_line import Run, call, invoke, served
from tests.support.push_listener import PushListener
from tests.support.sources import ROOT

EXAMPLE = ROOT / "deploy" / "examples" / "household.toml"
IDENTIFIER = "0123456789abcdef0123456789abcdef"


class Operator:
    """The operator of one running meter."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.keys = folder / "keys" / "management.toml"
        self.endpoint = endpoint

    def run(self, command: str, *arguments: str | Path, keys: Path | None = None) -> Run:
        return invoke("dlms", command, *arguments, "--keys", keys or self.keys, "--endpoint", self.endpoint)

    def json(self, command: str, *arguments: str | Path) -> object:
        ended = self.run(command, *arguments, "--json")
        assert ended.code == 0, ended.err
        return json.loads(ended.out)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("meter") / "m"
    made = call("meter", "init", folder, "--listen", "127.0.0.1:0", "--clock-start", "2025-12-31T12:00:00+08:00")
    assert made.code == 0, made.err
    with served("meter", "run", folder, "--log-level", "error") as meter:
        yield Operator(folder, meter.ready.split()[0])


@pytest.fixture(scope="module")
def configured(operator: Operator) -> Operator:
    written = operator.json("fee-set", EXAMPLE, "--settings")
    assert [item["number"] for item in written] == [1, 2, 3, 4, 5]
    return operator


def test_a_top_up_is_made_once_however_often_it_is_sent(operator: Operator) -> None:
    before = operator.json("purse")["balance"]
    first = operator.json("top-up", "12.34", "--transaction-id", IDENTIFIER)
    again = operator.json("top-up", "12.34", "--transaction-id", IDENTIFIER)
    assert (first["outcome"], again["outcome"]) == ("done", "repeated")
    assert operator.json("purse")["balance"] == before + 1234
    assert [row["reference"] for row in operator.json("journal") if row["kind"] == "top_up"].count(IDENTIFIER) == 1


def test_what_the_household_file_says_is_what_the_meter_shows(configured: Operator) -> None:
    fees = {item["number"]: item for item in configured.json("fees")}
    assert fees[1]["parameters"]["amount"] == 350_000
    assert fees[5]["parameters"]["unit_price"] == {
        "price": 5283,
        "scaler": -5,
        "register": {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute": 2},
    }
    assert fees[1]["status"]["next_due"] == "2026-01-01T00:10:00"
    shown = configured.run("fees")
    assert "Rent, flat 1204" in shown.out
    assert "3500.00" in shown.out


def test_a_bill_is_set_for_its_occurrence(configured: Operator) -> None:
    done = configured.json("amount-set", "3", "2026-01-15", "61.20", "--reference", "ab" * 16)
    assert done == {"outcome": "done", "reference": "ab" * 16}
    water = configured.json("fees")[2]
    assert water["pending_amounts"] == [
        {"due": "2026-01-15", "amount": 6120, "reference": "ab" * 16, "source": "cloud"}
    ]


def test_a_future_dated_change_waits_for_its_time(configured: Operator) -> None:
    configured.json("fee-set", EXAMPLE, "--number", "2", "--activate-at", "2026-06-01T00:00:00")
    item = configured.json("fees")[1]
    assert item["activation_time"] == "2026-06-01T00:00:00+08:00"
    assert item["passive_parameters"] == item["parameters"]


def test_the_clock_is_shown_and_set(operator: Operator) -> None:
    shown = operator.json("clock", "--set", "2025-12-31T13:00:00+08:00")
    assert shown["time"].startswith("2025-12-31T13:00:0")
    assert "time zone" in operator.run("clock").out


def test_the_event_log_names_what_happened(configured: Operator) -> None:
    assert "power_up" in configured.run("journal", "--events").out
    assert {row["code"] for row in configured.json("journal", "--events")} >= {1, 20}


def test_objects_and_any_attribute_are_read(operator: Operator) -> None:
    objects = operator.json("objects")
    assert any(entry["class_id"] == 20101 and entry["version"] == 0 for entry in objects)
    assert "0.0.128.0.0.255" in operator.run("objects").out
    assert operator.json("read", "1", "0.0.42.0.0.255", "2")[:6] == b"MPR".hex()


def test_objects_are_described_by_their_obis_codes(operator: Operator) -> None:
    shown = operator.run("objects").out
    for words in ("COSEM Logical device name", "Event log #1", "Fee item 32", "Purse journal"):
        assert words in shown


def test_what_is_read_is_shown_as_people_read_it(configured: Operator) -> None:
    assert configured.run("read", "1", "0.0.42.0.0.255", "2").out.startswith("MPR")
    assert re.fullmatch(r"\d+ Wh\n", configured.run("read", "3", "1.0.1.8.0.255", "2").out)
    assert configured.run("read", "3", "1.0.1.8.0.255", "3").out == "scaler: 0\nunit: Wh\n"
    assert re.match(r"2025-12-31 1\d:\d\d:\d\d\+08:00\n", configured.run("read", "8", "0.0.1.0.0.255", "2").out)
    parameters = configured.run("read", "20102", "0.0.128.1.5.255", "2").out
    assert "kind: electricity" in parameters
    assert "  register:\n    class_id: 3\n    logical_name: 1.0.1.8.0.255" in parameters
    events = configured.run("read", "7", "0.0.99.98.0.255", "2").out
    assert events.startswith("Profile generic.buffer 0.0.99.98.0.255")
    assert "number" in events.splitlines()[1]


def test_a_trace_shows_each_frame_and_no_keys(operator: Operator, tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    secrets = re.findall(r'_key = "(\w{32})"', operator.keys.read_text())
    assert len(secrets) == 2
    read = ("read", "3", "1.0.1.8.0.255", "3")
    plain = operator.run(*read, "--trace", trace)
    text = trace.read_text()
    assert plain.code == 0
    assert (plain.out, plain.err) == (operator.run(*read).out, "")
    assert trace.stat().st_mode & 0o077 == 0
    assert "> 1>1 aarq, " in text
    assert "> 1>1 glo-get-request (C8), system title " in text
    assert "Register.scaler_unit" not in text
    asked = operator.run(*read, "--trace", "-", "--trace-plaintext", "--trace-xml")
    assert "plain get-request-normal" in asked.err
    assert "Register.scaler_unit 1.0.1.8.0.255" in asked.err
    assert '<ClassId Value="0003" />' in asked.err
    assert asked.out == plain.out
    for secret in secrets:
        assert secret.lower() not in (text + asked.err).lower()


def test_a_reader_is_told_no_and_nothing_changes(operator: Operator) -> None:
    before = operator.json("purse")["balance"]
    refused = operator.run("top-up", "5", keys=operator.keys.with_name("reader.toml"))
    assert refused.code == 2
    assert refused.err.splitlines()[-1].endswith("the meter answers read-write-denied")
    assert operator.json("purse")["balance"] == before


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        ("top-up", ("1.234",), "more than the 2 decimals of CNY"),
        ("top-up", ("1", "--transaction-id", "abc"), "32 hexadecimal digits"),
        ("top-up", ("0",), "amount out of range"),
        ("amount-set", ("1", "2026-02-01", "5"), "no such entry"),
        ("amount-set", ("33", "2026-02-01", "5"), "less than or equal to 32"),
        ("clock", ("--set", "2026-01-01"), "date-time with offset"),
        ("read", ("3", "1.0.1.8.0", "2"), "not a logical name"),
        ("read", ("3", "1.0.99.8.0.255", "2"), "object-undefined"),
        ("fee-set", (EXAMPLE, "--number", "9"), "no fee item 9"),
        ("clock", ("--trace-plaintext",), "--trace-xml and --trace-plaintext need --trace"),
        ("clock", ("--trace", "/nowhere/trace"), "No such file or directory: '/nowhere/trace'"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    configured: Operator, command: str, arguments: tuple[str | Path, ...], words: str
) -> None:
    refused = configured.run(command, *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.split())
    assert "Traceback" not in refused.err


def test_a_meter_that_is_not_there_and_keys_that_are_not_there_are_named(operator: Operator, tmp_path: Path) -> None:
    gone = invoke("dlms", "purse", "--keys", operator.keys, "--endpoint", "tcp:127.0.0.1:1")
    assert (gone.code, gone.err.startswith("tcp:127.0.0.1:1: cannot connect")) == (2, True)
    keyless = operator.run("purse", keys=tmp_path / "none.toml")
    assert keyless.code == 2
    assert keyless.err.startswith(f"{tmp_path}/none.toml: key file not found")


def test_the_wrong_keys_do_not_open_the_meter(operator: Operator, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    lines = operator.keys.read_text().splitlines()
    wrong.write_text("\n".join(line if "encryption" not in line else line[:-33] + "5a" * 16 + '"' for line in lines))
    wrong.chmod(0o600)
    refused = operator.run("purse", keys=wrong)
    assert (refused.code, refused.out) == (2, "")
    assert "refused" in refused.err


def test_the_supply_is_shown_and_switched(operator: Operator) -> None:
    assert operator.json("supply", "--off") == {"output_state": False, "control_state": 0, "control_mode": 4}
    assert operator.json("supply") == {"output_state": False, "control_state": 0, "control_mode": 4}
    assert operator.json("supply", "--on")["output_state"] is True
    assert re.search(r"^output state +True$", operator.run("supply").out, re.MULTILINE)


def test_pushes_reach_who_listens_and_are_opened_with_the_management_keys(operator: Operator) -> None:
    credentials = load_credentials(operator.keys)
    listener = PushListener(credentials, SystemTitle(b"MPG\x00\x00\x00\x00\x09"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        there = f"127.0.0.1:{server.getsockname()[1]}"
        shown = operator.run("push", "--to", there, "--retries", "1", "--delay", "1")
        assert re.search(rf"^destination +{there}$", shown.out, re.MULTILINE), shown.err
        made = operator.json("top-up", "1.00")
        while made["sequence"] not in [heard.sequence for heard in listener.heard]:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                listener.hear(stream.read(), datetime.now(UTC))
    assert {heard.title for heard in listener.heard} == {credentials.system_title}
    assert re.search(r"^destination +none$", operator.run("push", "--nowhere").out, re.MULTILINE)


@pytest.mark.parametrize("wrong", [("--to", "nowhere"), ("--to", "192.0.2.1:4059", "--nowhere"), ("--retries", "256")])
def test_what_is_no_push_setup_is_refused_in_one_line(operator: Operator, wrong: tuple[str, ...]) -> None:
    ended = operator.run("push", *wrong)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert operator.json("push")["send_destination_and_method"]["destination"] == ""


@pytest.fixture
def own_meter(tmp_path: Path) -> Iterator[Operator]:
    """The operator of a meter whose keys this test may change."""
    folder = tmp_path / "m"
    assert call("meter", "init", folder, "--listen", "127.0.0.1:0").code == 0
    with served("meter", "run", folder, "--log-level", "error") as meter:
        yield Operator(folder, meter.ready.split()[0])


def test_keys_are_replaced_at_the_meter_and_in_their_files(own_meter: Operator) -> None:
    files = [own_meter.keys.with_name(f"{name}.toml") for name in ("management", "reader", "master_key")]
    before = [path.read_bytes() for path in files]
    ended = own_meter.run("rotate-keys", *files[:2], "--with-master")
    assert ended.out.splitlines() == [f"replaced {path}" for path in files], ended.err
    assert all(path.read_bytes() != old for path, old in zip(files, before, strict=True))
    assert own_meter.json("top-up", "1.00")["outcome"] == "done"
    assert own_meter.run("purse", keys=files[1]).code == 0
    files[1].write_bytes(before[1])
    refused = own_meter.run("purse", keys=files[1])
    assert refused.code == 2
    assert "refused" in refused.err


def test_a_rotation_that_broke_off_says_where_its_keys_are_and_is_taken_up_by_any_command(own_meter: Operator) -> None:
    nobody = invoke("dlms", "rotate-keys", "--keys", own_meter.keys, "--endpoint", "tcp:127.0.0.1:1")
    assert nobody.code == 2
    assert "the same command again goes on from here" in nobody.err
    before = own_meter.keys.read_bytes()
    assert own_meter.run("rotate-keys").code == 0
    following = own_meter.keys.with_suffix(".next.toml")
    following.write_bytes(own_meter.keys.read_bytes())  # as if cut off after the meter had taken them
    following.chmod(0o600)
    own_meter.keys.write_bytes(before)
    assert own_meter.run("purse").code == 0
    assert own_meter.keys.read_bytes() != before
    assert not following.exists()


def test_a_reader_rotates_nothing(own_meter: Operator) -> None:
    reader = own_meter.keys.with_name("reader.toml")
    before = reader.read_bytes()
    refused = own_meter.run("rotate-keys", keys=reader)
    assert refused.code == 2
    assert "read-write-denied" in refused.err
    assert reader.read_bytes() == before
