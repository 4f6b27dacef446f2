"""`meterpurse gateway`: init makes what check and run accept; what cannot work is one line with its place."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.command_line import Run, call, invoke, served


def ready_made(tmp_path: Path) -> Path:
    """The folder of a new gateway of one meter; neither meter nor head-end answers."""
    assert call("meter", "init", tmp_path / "m").code == 0
    token = tmp_path / "token"
    token.write_text("a-token-of-a-test\n")
    meter = f"flat-1=tcp:127.0.0.1:1,{tmp_path}/m/keys/management.toml"
    folder = tmp_path / "g"
    arguments = ("--headend", "http://127.0.0.1:1", "--token-file", token, "--meter", meter)
    assert call("gateway", "init", folder, *arguments) == Run(
        code=0, out=f"configuration  {folder}/gateway.toml\n", err=""
    )
    return folder


def place_of(key: str, config: Path) -> int:
    """The line on which a key of the configuration stands first."""
    return 1 + next(index for index, line in enumerate(config.read_text().splitlines()) if line.startswith(f"{key} ="))


def test_check_accepts_what_init_made(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    assert call("gateway", "check", folder) == Run(code=0, out=f"{folder}/gateway.toml: good; 1 meters\n", err="")


def test_init_over_an_existing_gateway_changes_nothing(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    before = (folder / "gateway.toml").read_bytes()
    again = call("gateway", "init", folder)
    assert again.code == 2
    assert again.err.endswith("exists already\n")
    assert (folder / "gateway.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--meter", "flat-1"), "is not of the form NAME=ENDPOINT,KEY_FILE"),
        (("--meter", "flat-1=tcp:h:1,gone.toml"), "gone.toml: key file not found"),
        (("--headend", "ftp://x"), "a head-end address is http(s)://host[:port][/path]"),
        (("--token-file", "gone"), "does not exist"),
    ],
)
def test_a_gateway_that_cannot_be_is_not_made(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    refused = call("gateway", "init", tmp_path / "g", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.split())
    assert not (tmp_path / "g").exists()


@pytest.mark.parametrize("command", ["check", "run"])
def test_mistakes_of_all_kinds_are_told_at_once_without_the_token(command: str, tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "gateway.toml"
    (tmp_path / "m" / "keys" / "management.toml").unlink()
    (folder / "headend.token").write_text("two words\n")
    run = call("gateway", command, folder)
    assert (run.code, run.out) == (2, "")
    token, key = run.err.splitlines()
    assert token.startswith(f"{config}:{place_of('token_file', config)}: headend.token_file: ")
    assert key.startswith(f"{config}:{place_of('key_file', config)}: meter[0].key_file: ")
    assert "two words" not in run.err


def test_an_unknown_key_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "gateway.toml"
    config.write_text(config.read_text().replace("gzip =", "gzipp ="))
    words = "headend.gzipp: unknown key; did you mean 'gzip'?"
    assert call("gateway", "check", folder).err == f"{config}:{place_of('gzipp', config)}: {words}\n"


def test_run_is_ready_though_nobody_answers_and_stops_when_told(tmp_path: Path) -> None:
    with served("gateway", "run", ready_made(tmp_path), "--log-json") as process:
        assert process.ready.startswith("1 meters, head-end http://")
        shown = json.loads(call("gateway", "status", tmp_path / "g", "--json").out)
        assert (shown["held_rows"], shown["oldest_row_age_s"]) == (0, None)
        assert "held rows                 0" in call("gateway", "status", tmp_path / "g").out
    assert process.code == 0
    assert "Traceback" not in process.err


def test_a_push_address_that_is_taken_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with (folder / "gateway.toml").open("a") as config:
            config.write(f'\n[push]\nlisten = "{listen}"\n')
        refused = invoke("gateway", "run", folder)
    assert (refused.code, refused.out) == (2, "")
    line = place_of("listen", folder / "gateway.toml")
    assert f"{folder}/gateway.toml:{line}: push.listen: cannot listen for pushes on {listen}" in refused.err


def test_the_status_of_a_gateway_that_never_ran_is_one_clear_line(tmp_path: Path) -> None:
    shown = call("gateway", "status", ready_made(tmp_path))
    assert (shown.code, shown.out, len(shown.err.splitlines())) == (2, "", 1)
