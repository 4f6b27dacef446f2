"""`meterpurse fleet`: init makes what run accepts; faults are switched; what cannot work is one line with its place."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dlms_objects.meter.fleet.config import FaultsConfig
from dlms_objects.transport.credentials import load_credentials
from tests.support.command_line import Run, call, invoke, served
from tests.support.fleets import read_config, read_faults
from tests.support.sources import ROOT


def ready_made(tmp_path: Path, *arguments: str) -> Path:
    """The folder of a new fleet of five on a free port."""
    folder = tmp_path / "f"
    made = call("fleet", "init", folder, "-n", "5", "--listen", "127.0.0.1:0", *arguments)
    assert made == Run(code=0, out=f"5 meters  {folder}/fleet.toml\n", err="")
    return folder


def test_init_makes_what_was_asked_for(tmp_path: Path) -> None:
    folder = ready_made(tmp_path, "--seed", "9", "--stores", "own", "--clock-rate", "60", "--clock-start", "now")
    config = read_config(folder)
    assert (config.meters, config.seed, config.stores, config.clock.rate) == (5, 9, "own", 60.0)
    assert len(list((folder / "stores").glob("*.sqlite"))) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--listen", "nowhere"), "host:port is wanted"),
        (("-n", "70000"), "run several on several ports"),
        (("--clock-start", "noon"), "a date-time with offset is wanted"),
        (("--stores", "many"), "'many' is not one of 'shared', 'own'"),
        (("--top-ups", "10000"), "fewer than 10000"),
    ],
)
def test_a_fleet_that_cannot_be_is_not_made(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    refused = call("fleet", "init", tmp_path / "f", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.split())
    assert not (tmp_path / "f").exists()


def test_init_over_an_existing_fleet_changes_nothing(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    again = call("fleet", "init", folder)
    assert again.code == 2
    assert "nothing was changed" in again.err


def test_faults_are_set_one_by_one_and_taken_back_together(tmp_path: Path) -> None:
    folder = ready_made(tmp_path, "--seed", "9")
    path = folder / "faults.toml"
    assert call("fleet", "faults", folder).out == "no faults\n"
    assert call("fleet", "faults", folder, "drop=0.1", "saps=3,1").out == "saps [1, 3], drop 0.1\n"
    assert call("fleet", "faults", folder, "restart=0.01").out == "saps [1, 3], drop 0.1, restart 0.01\n"
    assert read_faults(path) == FaultsConfig(seed=9, drop=0.1, restart=0.01, saps=frozenset({1, 3}))
    assert call("fleet", "faults", folder, "saps=", "drop=0").out == "restart 0.01\n"
    assert call("fleet", "faults", folder, "--off", "delay=1").out == "delay 1.0\n"
    assert call("fleet", "faults", folder, "--off").out == "no faults\n"
    assert read_faults(path) == FaultsConfig(seed=9)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("drop", "not of the form NAME=VALUE"),
        ("drop=2", "drop: Input should be less than or equal to 1"),
        ("dropp=0.1", "dropp"),
        ("saps=one", "saps.0"),
        ("drop=", "drop"),
    ],
)
def test_faults_that_cannot_be_are_refused_and_change_nothing(setting: str, words: str, tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    before = (folder / "faults.toml").read_text()
    refused = call("fleet", "faults", folder, setting)
    assert refused.code == 2
    assert words in " ".join(refused.err.split())
    assert (folder / "faults.toml").read_text() == before


def test_a_mistake_in_either_file_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "fleet.toml"
    config.write_text(config.read_text().replace("meters = 5", "meterss = 5"))
    run = call("fleet", "run", folder)
    assert run.code == 2
    assert f"{config}:2: meterss: unknown key; did you mean 'meters'?" in run.err
    faults = folder / "faults.toml"
    faults.write_text("drop = 3\n")
    told = call("fleet", "faults", folder)
    assert told.code == 2
    assert told.err.startswith(f"{faults}:1: drop: ")


def test_a_fleet_of_another_size_is_not_run(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    run = call("fleet", "run", folder, "--meters", "6")
    assert run == Run(code=2, out="", err=f"{folder}/fleet.toml: a fleet of 5 meters, not of 6; leave --meters out\n")


def test_a_port_in_use_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    config = folder / "fleet.toml"
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text(config.read_text().replace("127.0.0.1:0", listen))
        run = invoke("fleet", "run", folder, "--log-level", "error")
    assert run.code == 2
    assert run.err.startswith(f"{config}:4: listen: cannot listen on {listen}: ")


def test_run_makes_a_fleet_where_there_is_none_and_says_at_the_end_what_happened(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from deploy.cli import main; main()"]
    folder = tmp_path / "f"
    with subprocess.Popen(
        [*program, "fleet", "run", folder, "--meters", "3"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"3 meters  {folder}/fleet.toml\n"
        assert process.stdout.readline() == "ready tcp:127.0.0.1:4059 3 meters\n"
        os.kill(process.pid, signal.SIGTERM)
        names = [line.partition(":")[0] for line in process.stdout]
    assert process.returncode == 0
    assert names == ["connections", "checks", "faults"]


def test_one_meter_of_the_fleet_is_asked_with_its_own_key_file(tmp_path: Path) -> None:
    folder, key = ready_made(tmp_path, "--top-ups", "2"), tmp_path / "key.toml"
    assert call("fleet", "key", folder, "9", key).err.endswith("no meter of the fleet has the SAP 9\n")
    made = call("fleet", "key", folder, "3", key, "--role", "reader")
    credentials = load_credentials(key)
    assert made.out == f"{credentials.system_title}  {key}\n"
    assert (credentials.server_sap, credentials.client_sap) == (3, 2)
    with served("fleet", "run", folder) as process:
        endpoint = process.ready.split()[0]
        journal = invoke("dlms", "journal", "--keys", key, "--endpoint", endpoint)
    assert (journal.code, journal.err) == (0, "")
    assert journal.out.count("top_up") == 2
    assert process.code == 0
    assert "Traceback" not in process.err


def test_help_costs_no_import_of_the_product(tmp_path: Path) -> None:
    program = "import sys; from deploy.cli import run; run(['fleet', '--help']); print('twisted' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.endswith("False\n")
