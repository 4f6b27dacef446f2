"""The operator's tools on the command line: text for people, `--json` for programs, and the promised exit codes."""

import json
from pathlib import Path

import pytest

from dlms_objects.values.system_title import SystemTitle
from gateway.store import Store
from tests.deploy.commands.test_gateway import place_of, ready_made
from tests.support.command_line import call


def with_outbox(tmp_path: Path) -> Path:
    """The folder of a gateway that holds a row and a piece of evidence of a meter that it no longer reads."""
    folder = ready_made(tmp_path)
    store = Store(folder / "outbox.sqlite3")
    title = SystemTitle(b"MPR\x00\x00\x00\x00\x07").octets
    for statement, values in (
        ("insert into meter(title, sequence, digest, balance, uplink_status) values (?, 1, x'00', 0, 'gap')", (title,)),
        ("insert into row values (?, 1, ?, 0)", (title, bytes(98))),
        ("update fill set held_rows = 1", ()),
        ("insert into evidence values (1, ?, 0, 'fork', 1, x'00', 1, x'01', ?)", (title, bytes(98))),
    ):
        store.run(lambda connection, text=statement, bound=values: connection.execute(text, bound))  # type: ignore[misc]
    store.close()
    return folder


def test_check_in_json_names_every_mistake_with_its_line(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "gateway.toml"
    good = call("gateway", "check", folder, "--json")
    assert (good.code, json.loads(good.out)) == (
        0,
        {"file": str(config), "good": True, "problems": [], "meters": 1},
    )
    config.write_text(config.read_text().replace("gzip =", "gzipp ="))
    (folder / "headend.token").unlink()
    bad = call("gateway", "check", folder, "--json")
    document = json.loads(bad.out)
    assert (bad.code, bad.err, document["good"]) == (2, "", False)
    assert [(each["file"], each["line"]) for each in document["problems"]] == [
        (str(config), place_of("token_file", config)),
        (str(config), place_of("gzipp", config)),
    ]


def test_schema_prints_what_an_editor_wants() -> None:
    shown = call("gateway", "schema")
    assert shown.code == 0
    assert json.loads(shown.out)["properties"]["meter"]


def test_the_outbox_is_shown_with_evidence(tmp_path: Path) -> None:
    folder = with_outbox(tmp_path)
    shown = call("gateway", "outbox", folder)
    assert shown.code == 0
    assert "1 of 1000000 rows held" in shown.out
    assert "held back: gap" in " ".join(shown.out.split())
    document = json.loads(call("gateway", "outbox", folder, "--json").out)
    assert (document["held_rows"], len(document["evidence"])) == (1, 1)
    assert document["meters"][0]["uplink_status"] == "gap"


@pytest.mark.parametrize("as_json", [False, True])
def test_one_piece_of_evidence_is_shown_whole(as_json: bool, tmp_path: Path) -> None:
    arguments = ("gateway", "outbox", with_outbox(tmp_path), "--evidence")
    shown = call(*arguments, "1", *(["--json"] if as_json else []))
    assert shown.code == 0
    if as_json:
        assert json.loads(shown.out)["rows"] == [{"octets": bytes(98).hex(), "entry": None}]
    else:
        assert "not a journal row" in shown.out
    gone = call(*arguments, "2")
    assert (gone.code, gone.out) == (2, "")
    assert gone.err.startswith("there is no evidence 2")


def test_the_outbox_of_a_gateway_that_never_ran_is_one_clear_line(tmp_path: Path) -> None:
    shown = call("gateway", "outbox", ready_made(tmp_path))
    assert (shown.code, shown.out, len(shown.err.splitlines())) == (2, "", 1)
