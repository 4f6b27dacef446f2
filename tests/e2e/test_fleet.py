"""A gateway collects from a fleet of fifty as real processes, through faults: every row once, and the books agree."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.meter.fleet.identity import FleetIdentity
from tests.support.command_line import call, served
from tests.support.fleets import read_config

pytestmark = pytest.mark.e2e

METERS, TOP_UPS = 50, 30
PATIENCE_S = 60.0
FAULTS = ("drop=0.003", "corrupt=0.005", "truncate=0.005", "duplicate=0.005", "refuse=0.05", "restart=0.005")


def collected(outbox: Path) -> dict[bytes, list[bytes]]:
    """The rows that the gateway holds, by the meter's title."""
    rows: dict[bytes, list[bytes]] = {}
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as connection:
        for title, row in connection.execute("SELECT title, row FROM row ORDER BY title, sequence"):
            rows.setdefault(title, []).append(row)
    return rows


def journals(folder: Path) -> dict[bytes, list[bytes]]:
    """The rows in the meters' journals, by title."""
    identity, rows = FleetIdentity(read_config(folder).seed), {}
    with closing(sqlite3.connect(f"file:{folder}/fleet.sqlite?mode=ro", uri=True)) as connection:
        for number in range(1, METERS + 1):
            found = connection.execute("SELECT row FROM entry WHERE meter = ? ORDER BY sequence", (number,))
            rows[identity.title(number).octets] = [row for (row,) in found]
    return rows


def make_impatient(config: Path) -> None:
    """Let the gateway try again soon after a fault."""
    text = config.read_text()
    for name, value in (("timeout_s", 1), ("back_off_first_s", 0.1), ("back_off_maximum_s", 0.5)):
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    config.write_text(text)


def wait_for(outbox: Path) -> dict[bytes, list[bytes]]:
    """What was collected once there is enough of every meter, or when the patience is at its end."""
    end_s = time.monotonic() + PATIENCE_S
    found: dict[bytes, list[bytes]] = {}
    while time.monotonic() < end_s:
        found = collected(outbox)
        if len(found) == METERS and min(map(len, found.values())) >= TOP_UPS:
            break
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("faults", [(), FAULTS], ids=["no faults", "faults"])
def test_a_gateway_collects_every_row_of_every_meter_once(tmp_path: Path, faults: tuple[str, ...]) -> None:
    fleet, gateway = tmp_path / "fleet", tmp_path / "gateway"
    options: list[Any] = ["-n", METERS, "--top-ups", TOP_UPS, "--listen", "127.0.0.1:0"]
    assert call("fleet", "init", fleet, *map(str, options)).code == 0
    if faults:
        assert call("fleet", "faults", fleet, *faults, "away_s=0.5").code == 0
    token = tmp_path / "token"
    token.write_text("a-token-of-a-test\n")
    with served("fleet", "run", fleet, "--log-level", "error") as meters:
        endpoint = meters.ready.split()[0]
        arguments = ("--endpoint", endpoint, "--token-file", token, "--headend", "http://127.0.0.1:1")
        made = call("fleet", "gateway", fleet, gateway, *arguments, "--collect-every", "1")
        assert made.code == 0, made.err
        make_impatient(gateway / "gateway.toml")
        with served("gateway", "run", gateway, "--log-level", "error") as collecting:
            found = wait_for(gateway / "outbox.sqlite3")
            expected = journals(fleet)
    assert (meters.code, collecting.code) == (0, 0)
    assert ("faults: none" in meters.out) is not bool(faults)
    assert found.keys() == expected.keys()
    for title, rows in found.items():
        assert rows == expected[title][: len(rows)]
        assert len(rows) >= TOP_UPS
