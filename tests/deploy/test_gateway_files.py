"""A gateway's folder: of many ways to get it wrong, each is named by file and line, with the word that helps."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.gateway_files import load_gateway
from dlms_objects.transport.credentials import MeterCredentials, save_credentials
from dlms_objects.values.system_title import SystemTitle
from tests.support.command_line import call

TITLES = [f"4D5052000000000{number}" for number in (1, 2)]
KEYS = (b"e" * 16, b"a" * 16)
EXAMPLE = bytes(range(16)).hex()

GOOD = """\
system_title = "4D50470000000001"

[headend]
url = "https://head.example.org"
token_file = "headend.token"
timeout_s = 30

[outbox]
path = "outbox.sqlite3"
maximum_rows = 10_000

[collection]
concurrency = 50
back_off_first_s = 2
back_off_maximum_s = 600

[push]
listen = "127.0.0.1:4060"

[[meter]]
name = "flat-1"
system_title = "4D50520000000001"
endpoint = "tcp:10.0.0.1:4059"
key_file = "flat-1.toml"
page_rows = 200

[[meter]]
name = "flat-2"
system_title = "4D50520000000002"
endpoint = "hdlc+serial:/dev/ttyUSB0:baudrate=9600:physical=17"
key_file = "flat-2.toml"
"""


@dataclass(frozen=True)
class Broken:
    """One mistake: what stands in the good file, what is there instead, where it is told, and the words that help."""

    what: str
    good: str
    bad: str
    words: str
    at: str | None = None
    """The beginning of the line that must be named; the mistaken line itself where it is not another one."""

    def __str__(self) -> str:
        return self.what


def key_file(**changes: str) -> str:
    """The text of the key file of flat-1, changed as told."""
    lines = {
        "system_title": f'"{TITLES[0]}"',
        "client_sap": "1",
        "server_sap": "1",
        "global_unicast_encryption_key": f'"{KEYS[0].hex()}"',
        "authentication_key": f'"{KEYS[1].hex()}"',
    }
    return "".join(f"{name} = {value}\n" for name, value in (lines | changes).items())


IN_TEXT = [
    # syntax
    Broken(
        "a string without an end", 'url = "https://head.example.org"', 'url = "https://head.example.org', "not TOML"
    ),
    Broken("no equals sign", "timeout_s = 30", "timeout_s 30", "Expected '='"),
    Broken("a key twice", "timeout_s = 30", "timeout_s = 30\ntimeout_s = 31", "Cannot overwrite", at="timeout_s = 31"),
    Broken("a table twice", "[collection]", "[outbox]", "Cannot declare", at="[outbox]\nconc"),
    Broken("an array without an end", "concurrency = 50", "concurrency = [50", "not TOML", at="back_off_first_s"),
    # names
    Broken("a misspelt key", "timeout_s = 30", "timeout = 30", "did you mean 'timeout_s'?"),
    Broken("a key of another table", "timeout_s = 30", "concurency = 30", "headend.concurency: unknown key"),
    Broken("a misspelt table", "[collection]", "[colection]", "did you mean 'collection'?"),
    Broken(
        "meters instead of meter", '[[meter]]\nname = "flat-2"', '[[meters]]\nname = "flat-2"', "did you mean 'meter'?"
    ),
    Broken("a misspelt kind of endpoint", "tcp:10.0.0.1", "tpc:10.0.0.1", "did you mean 'tcp'?"),
    Broken("a misspelt kind of HDLC", "hdlc+serial", "hdlc+seral", "did you mean 'hdlc+serial'?"),
    Broken("a misspelt option of a line", "baudrate=9600", "baudrat=9600", "did you mean 'baudrate'?"),
    # what is missing
    Broken(
        "no address of the head-end", 'url = "https://head.example.org"\n', "", "headend.url: missing", at="[headend]"
    ),
    Broken(
        "no outbox", '[outbox]\npath = "outbox.sqlite3"\nmaximum_rows = 10_000\n', "", "outbox: missing", at="system"
    ),
    Broken("no name", 'name = "flat-2"\n', "", "meter[1].name: missing", at="[[meter]]\nsystem_title"),
    Broken("no title of its own", 'system_title = "4D50470000000001"', "", "system_title: missing", at=""),
    # types and ranges
    Broken("a word for a number", "timeout_s = 30", 'timeout_s = "long"', "valid number"),
    Broken("a number for a word", 'name = "flat-1"', "name = 1", "valid string"),
    Broken("not a whole number", "page_rows = 200", "page_rows = 10.5", "valid integer"),
    Broken("a deadline of nothing", "timeout_s = 30", "timeout_s = 0", "greater than or equal to 1"),
    Broken("too many at a time", "concurrency = 50", "concurrency = 5000", "less than or equal to 2000"),
    Broken("a name with a blank", 'name = "flat-1"', 'name = "flat 1"', "pattern"),
    Broken("a title of 15 digits", TITLES[0], TITLES[0][:-1], "system_title"),
    Broken("an address without http", "https://head.example.org", "head.example.org", "http(s)://host"),
    Broken("an address with a password", "https://head", "https://me:secret@head", "http(s)://host"),
    Broken("no port of the meter", "tcp:10.0.0.1:4059", "tcp:10.0.0.1", "host:port is wanted"),
    Broken("a port too large", "tcp:10.0.0.1:4059", "tcp:10.0.0.1:70000", "host:port is wanted"),
    Broken("a baud rate that is none", "baudrate=9600", "baudrate=fast", "'baudrate=fast'"),
    Broken("an address too large for HDLC", "physical=17", "physical=20000", "0..16383"),
    Broken("nowhere to listen", "127.0.0.1:4060", "4060", "host:port is wanted"),
    # what does not go together
    Broken(
        "a name twice",
        'name = "flat-2"',
        'name = "flat-1"',
        "the same as that of meter 'flat-1'",
        at='name = "flat-1"\nsystem_title = "4D50520000000002"',
    ),
    Broken(
        "a place twice",
        "hdlc+serial:/dev/ttyUSB0:baudrate=9600:physical=17",
        "tcp:10.0.0.1:4059",
        "the same as that",
        at='endpoint = "tcp:10.0.0.1:4059"\nkey_file = "flat-2',
    ),
    Broken(
        "a page larger than the outbox",
        "maximum_rows = 10_000",
        "maximum_rows = 150",
        "less than one page",
    ),
    Broken("the first wait longer than the longest", "back_off_first_s = 2", "back_off_first_s = 700", "longer than"),
    # files
    Broken("the outbox in no folder", '"outbox.sqlite3"', '"gone/outbox.sqlite3"', "no such folder"),
    Broken("a token that is not there", '"headend.token"', '"gone.token"', "cannot read the token"),
    Broken("a key file that is not there", '"flat-1.toml"', '"flat-l.toml"', "key file not found"),
    Broken(
        "the key file of another meter",
        '"flat-2.toml"',
        '"flat-1.toml"',
        f"the key file is for {TITLES[0]}",
        at=f'system_title = "{TITLES[1]}"',
    ),
    Broken("another client than the keys'", "page_rows = 200", "client_sap = 2", "the key file is for 1"),
    Broken("another logical device than the keys'", "page_rows = 200", "server_sap = 17", "the key file is for 1"),
]


def token(folder: Path) -> Path:
    """The file of the gateway's token."""
    return folder / "headend.token"


def keys(folder: Path) -> Path:
    """The key file of the first meter."""
    return folder / "flat-1.toml"


def key_text(**changes: str) -> Callable[[Path], object]:
    """Write another text into the key file of the first meter."""
    return lambda folder: keys(folder).write_text(key_file(**changes))


IN_FILES: list[tuple[str, Callable[[Path], object], str, str]] = [
    ("others may read the token", lambda folder: token(folder).chmod(0o644), "token_file", "chmod 600"),
    ("a token of two words", lambda folder: token(folder).write_text("two words"), "token_file", "without spaces"),
    ("an empty token", lambda folder: token(folder).write_text(""), "token_file", "a token is one line"),
    ("others may read the keys", lambda folder: keys(folder).chmod(0o640), "key_file", "chmod 600"),
    ("keys that are no TOML", lambda folder: keys(folder).write_text("keys"), "key_file", "not a key file"),
    ("an example key", key_text(authentication_key=f'"{EXAMPLE}"'), "key_file", "published example key"),
    ("a key that is too short", key_text(authentication_key='"00ff"'), "key_file", "16 octets"),
    ("one key for both", key_text(authentication_key=f'"{KEYS[0].hex()}"'), "key_file", "are the same"),
    ("a misspelt key of keys", key_text(authentification_key='"00"'), "key_file", "did you mean 'authentication_key'?"),
    ("a folder for keys", lambda folder: (keys(folder).unlink(), keys(folder).mkdir()), "key_file", "cannot read"),
    (
        "no outbox at all",
        lambda folder: (folder / "outbox.sqlite3").write_text("x" * 99),
        "path",
        "cannot read the out",
    ),
    ("an outbox of tomorrow", lambda folder: tomorrow(folder / "outbox.sqlite3"), "path", "version 99"),
]


def tomorrow(path: Path) -> None:
    """An outbox file of a version that nobody knows yet."""
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a gateway without a mistake."""
    (tmp_path / "gateway.toml").write_text(GOOD)
    token(tmp_path).write_text("a-token\n")
    token(tmp_path).chmod(0o600)
    for number, title in enumerate(TITLES, start=1):
        save_credentials(
            tmp_path / f"flat-{number}.toml",
            MeterCredentials(
                system_title=SystemTitle.parse(title),
                client_sap=1,
                server_sap=1,
                encryption_key=KEYS[0],
                authentication_key=KEYS[1],
            ),
        )
    return tmp_path


def line_of(text: str, beginning: str) -> int:
    """The line on which `beginning` stands first."""
    return text[: re.search(f"^{re.escape(beginning)}", text, re.MULTILINE).start()].count("\n") + 1  # type: ignore[union-attr]


def told(folder: Path) -> list[str]:
    """What `gateway check` says of a folder that is wrong."""
    run = call("gateway", "check", folder)
    assert (run.code, run.out) == (2, "")
    assert "Traceback" not in run.err
    return run.err.splitlines()


def test_the_folder_is_good_to_begin_with(folder: Path) -> None:
    assert len(load_gateway(folder).meter) == 2


def test_there_are_enough_ways_to_get_it_wrong() -> None:
    names = [case.what for case in IN_TEXT] + [what for what, *_ in IN_FILES]
    assert len(set(names)) == len(names) >= 30


@pytest.mark.parametrize("case", IN_TEXT, ids=str)
def test_a_mistake_in_the_text_is_named_by_its_line(case: Broken, folder: Path) -> None:
    assert GOOD.count(case.good) >= 1
    text = GOOD.replace(case.good, case.bad, 1)
    config = folder / "gateway.toml"
    config.write_text(text)
    changed = next(line for line, old in zip(text.splitlines(), GOOD.splitlines(), strict=False) if line != old)
    (said,) = told(folder)
    assert said.startswith(f"{config}:{line_of(text, changed if case.at is None else case.at)}: ")
    assert case.words in said


@pytest.mark.parametrize(("what", "spoil", "key", "words"), IN_FILES, ids=[what for what, *_ in IN_FILES])
def test_a_mistake_in_a_file_is_named_by_the_line_that_names_the_file(
    what: str, spoil: Callable[[Path], object], key: str, words: str, folder: Path
) -> None:
    spoil(folder)
    (said,) = told(folder)
    assert said.startswith(f"{folder}/gateway.toml:{line_of(GOOD, f'{key} =')}: ")
    assert words in said
    assert not any(secret.hex() in said for secret in KEYS)


def test_a_check_that_names_the_wrong_line_would_be_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.toml_lines.TomlLines._line", lambda _self: 1)
    with pytest.raises(AssertionError):
        test_a_mistake_in_the_text_is_named_by_its_line(IN_TEXT[5], folder)


def test_mistakes_of_form_and_of_files_are_told_in_one_run(folder: Path) -> None:
    text = GOOD.replace("timeout_s = 30", "timeout = 30").replace("page_rows = 200", "page_rows = 0")
    (folder / "gateway.toml").write_text(text)
    token(folder).unlink()
    (folder / "flat-2.toml").chmod(0o644)
    lines = [int(said.split(":")[1]) for said in told(folder)]
    wanted = ("token_file", "timeout = 30", "page_rows = 0", 'key_file = "flat-2')
    assert lines == [line_of(text, beginning) for beginning in wanted]
