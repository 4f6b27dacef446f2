"""`meterpurse meter`: init makes what run accepts; what cannot work is one line with its place."""

import contextlib
import socket
from pathlib import Path

import pytest

from deploy.demo.influxdb import free_port
from dlms_objects.meter.panel_pin import PinHash
from dlms_objects.transport.credentials import load_credentials
from tests.support.command_line import Run, call, invoke, served


def ready_made(tmp_path: Path) -> Path:
    """The folder of a new meter on a free port."""
    folder = tmp_path / "m"
    made = call("meter", "init", folder, "--listen", "127.0.0.1:0")
    assert made == Run(code=0, out=made.out, err="")
    return folder


def test_init_names_what_it_made(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    title, *made = [line.split()[-1] for line in call("meter", "init", folder).out.splitlines()]
    names = [str(Path(path).relative_to(folder)) for path in made]
    assert names == ["meter.toml", "meter.sqlite", "keys/reader.toml", "keys/management.toml", "keys/courier.toml"]
    assert all(Path(path).is_file() for path in made)
    assert str(load_credentials(folder / "keys" / "reader.toml").system_title) == title


def test_init_over_an_existing_meter_changes_nothing(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    before = (folder / "keys" / "management.toml").read_bytes()
    again = call("meter", "init", folder)
    assert again.code == 2
    assert "nothing was changed" in again.err
    assert (folder / "keys" / "management.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--listen", "nowhere"), "host:port is wanted"),
        (("--currency", "yuan"), "three capital letters"),
        (("--scale", "3"), "scale"),
        (("--time-zone", "Mars/Olympus"), "Mars/Olympus"),
    ],
)
def test_a_meter_that_cannot_be_is_not_made(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    refused = call("meter", "init", tmp_path / "m", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.split())
    assert "Traceback" not in refused.err
    assert not (tmp_path / "m").exists()


def test_a_mistake_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "meter.toml"
    config.write_text('listen = "127.0.0.1:0"\nstore = "gone.sqlite"\nkeys = "keys"\nlissten = 1\n')
    run = call("meter", "run", folder)
    assert run.code == 2
    missing, unknown = run.err.splitlines()
    assert missing.startswith(f"{config}:2: store: no meter store at {folder}/gone.sqlite")
    assert unknown == f"{config}:4: lissten: unknown key; did you mean 'listen'?"


def test_a_missing_key_file_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    (folder / "keys" / "reader.toml").unlink()
    lines = (folder / "meter.toml").read_text().splitlines()
    place = 1 + next(index for index, line in enumerate(lines) if line.startswith("keys"))
    run = call("meter", "run", folder)
    assert run.code == 2
    assert run.err.startswith(f"{folder}/meter.toml:{place}: keys: {folder}/keys/reader.toml: key file not found")
    assert len(run.err.splitlines()) == 1


def test_a_port_in_use_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "meter.toml"
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text("# first\n" + config.read_text().replace("127.0.0.1:0", listen))
        lines = config.read_text().splitlines()
        place = 1 + next(index for index, line in enumerate(lines) if line.startswith("listen"))
        run = invoke("meter", "run", folder, "--log-level", "error")
    assert (run.code, run.out) == (2, "")
    (line,) = run.err.splitlines()
    assert line.startswith(f"{config}:{place}: listen: cannot listen on {listen}: ")
    assert "in use" in line


def test_run_says_where_it_is_ready_and_stops_when_told(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    with served("meter", "run", folder, "--log-json") as process:
        endpoint, title = process.ready.split()
        kind, host, port = endpoint.split(":")
        assert kind == "tcp"
        socket.create_connection((host, int(port)), timeout=5).close()
    assert str(load_credentials(folder / "keys" / "reader.toml").system_title) == title
    assert process.code == 0
    assert "Traceback" not in process.err


def with_panel(folder: Path) -> str:
    """Give the meter a front panel on a free port; its listening address."""
    listen = f"127.0.0.1:{free_port()}"
    with (folder / "meter.toml").open("a") as config:
        config.write(f'[panel]\nlisten = "{listen}"\n')
    return listen


def test_a_pin_is_set_by_the_command_and_kept_as_a_hash_only(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    with_panel(folder)
    for pin in ("270614", "27061401"):
        assert call("meter", "panel-pin", folder, "--pin", pin) == Run(
            code=0, out=f"PIN    {folder}/panel.pin\n", err=""
        )
        kept = PinHash.load(folder / "panel.pin")
        assert kept is not None
        assert kept.matches(pin)
    assert "27061401" not in (folder / "panel.pin").read_text()


def test_a_pin_for_a_meter_without_a_panel_says_that_it_is_off(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    run = call("meter", "panel-pin", folder, "--pin", "270614")
    assert run.code == 0
    assert run.out.splitlines()[1] == f"the panel itself is off: give {folder}/meter.toml a table [panel]"


def test_a_pin_that_is_none_is_one_line_and_the_old_one_stays(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    call("meter", "panel-pin", folder, "--pin", "270614")
    run = call("meter", "panel-pin", folder, "--pin", "1234")
    assert (run.code, run.out, run.err) == (2, "", "a PIN is 6 to 12 digits\n")
    kept = PinHash.load(folder / "panel.pin")
    assert kept is not None
    assert kept.matches("270614")


def test_the_panel_of_a_running_meter_is_printed_without_a_terminal(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    with_panel(folder)
    with served("meter", "run", folder):
        run = invoke("meter", "panel", folder)
    assert (run.code, run.err) == (0, "")
    assert "0.00 CNY" in run.out
    assert "No PIN is set: no amount can be typed in" in " ".join(run.out.replace("│", "").split())


def test_the_panel_of_a_meter_that_does_not_run_is_one_line(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    listen = with_panel(folder)
    run = call("meter", "panel", folder)
    assert (run.code, run.out) == (2, "")
    (line,) = run.err.splitlines()
    assert line.startswith(f"no front panel answers at http://{listen}: ")


def test_a_meter_without_a_panel_says_what_is_missing(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    run = call("meter", "panel", folder)
    assert run.code == 2
    assert "has no table [panel]" in " ".join(run.err.split())


def test_a_panel_that_would_listen_to_strangers_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "meter.toml"
    config.write_text(config.read_text() + '[panel]\nlisten = "0.0.0.0:8090"\n')
    run = call("meter", "run", folder)
    assert run.code == 2
    (line,) = run.err.splitlines()
    place = len(config.read_text().splitlines())
    assert line.startswith(f"{config}:{place}: panel.listen: ")
    assert "a loopback address only" in line


def test_a_port_of_the_panel_in_use_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "meter.toml"
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text(config.read_text() + f'[panel]\nlisten = "{listen}"\n')
        run = invoke("meter", "run", folder, "--log-level", "error")
    assert (run.code, run.out) == (2, "")
    (line,) = run.err.splitlines()
    place = len(config.read_text().splitlines())
    assert line.startswith(f"{config}:{place}: panel.listen: cannot listen on {listen}: ")
