"""From an operator's request to the meter and back into the ledger, with every process killed on the way."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from deploy.configuration import load
from deploy.demo.world import World, make_world
from deploy.household import Household
from headend import setup as headend_setup
from headend.config import HeadendConfig
from tests.support.plain_fee_item import RENT
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

EXAMPLE = ROOT / "deploy" / "examples" / "household.toml"
PATIENCE_S = 90.0
KILLS = 9
SEED = 20261127


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Meter, gateway and head-end at work; the meter is the gateway's, which has its management keys."""
    made = make_world(tmp_path / "world", load(EXAMPLE, Household), datetime(2026, 1, 1, tzinfo=UTC))
    config = made.folder / "gateway" / "gateway.toml"
    config.write_text(config.read_text().rstrip() + f'\ncommand_keys = "{made.address.keys}"\n')
    try:
        made.headend.start()
        folder = made.folder / "headend"
        headend = load(folder / headend_setup.CONFIG_NAME, HeadendConfig)
        headend_setup.assign_meter(headend, str(made.system_title), "gateway", None)
        made.meter.start()
        made.gateway.start()
        yield made
    finally:
        for daemon in made.daemons:
            daemon.kill()


class Office:
    """An operator who sends everything until it is answered."""

    def __init__(self, world: World) -> None:
        """Call with the admin's token."""
        token = (world.folder / "headend" / "admin.token").read_text().strip()
        self._api = httpx.Client(
            base_url=f"{world.headend_url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        self.purse = f"/purses/{world.system_title}"

    def post(self, path: str, content: object, key: str) -> dict[str, object]:
        """Send with a key until it is answered."""
        return self._until_answered("POST", path, json=content, headers={"Idempotency-Key": key})

    def get(self, path: str) -> dict[str, object]:
        """Read."""
        return self._until_answered("GET", path)

    def _until_answered(self, method: str, path: str, **told: object) -> dict[str, object]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._api.request(method, path, **told)  # type: ignore[arg-type]
                if answer.status_code < 500:
                    assert answer.is_success, answer.text
                    found: dict[str, object] = answer.json()
                    return found
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, f"{method} {path} is not answered"
            time.sleep(0.1)

    def done(self, path: str, wanted: str = "confirmed") -> dict[str, object]:
        """Wait until it has that state."""
        deadline = time.monotonic() + PATIENCE_S
        while (shown := self.get(path))["state"] != wanted:
            assert time.monotonic() < deadline, shown
            time.sleep(0.1)
        return shown


def test_every_top_up_is_in_the_purse_once_whoever_is_killed_on_the_way(world: World) -> None:
    office, dice = Office(world), random.Random(SEED)
    made = []
    for number in range(KILLS):
        victim = world.daemons[number % 3]
        made.append(office.post(f"{office.purse}/top-ups", {"amount_minor": 100 + number}, f"top-up-{number}"))
        time.sleep(dice.uniform(0, 0.8))
        victim.kill()
        victim.start()
    for number, each in enumerate(made):
        again = office.post(f"{office.purse}/top-ups", {"amount_minor": 100 + number}, f"top-up-{number}")
        assert again == each
        office.done(f"{office.purse}/top-ups/{each['id']}")
    deadline = time.monotonic() + PATIENCE_S
    while not all(office.get(f"{office.purse}/top-ups/{each['id']}")["is_booked"] for each in made):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    entries = office.get(f"{office.purse}/entries?limit=1000")["entries"]
    assert isinstance(entries, list)
    booked = Counter((entry["reference"], entry["amount"]["minor"]) for entry in entries if entry["kind"] == "top_up")
    assert booked == Counter((each["id"], 100 + number) for number, each in enumerate(made))


def test_a_fee_item_is_written_read_back_and_a_top_up_taken_back(world: World) -> None:
    office = Office(world)
    parameters = RENT | {"schedule": RENT["schedule"] | {"first": "2030-01-01"}}
    title = str(world.system_title)
    told = {"system_title": title, "kind": "set_fee_item", "parameters": {"number": 9, "parameters": parameters}}
    written = office.post("/commands", told, "write-item-9")
    office.done(f"/commands/{written['id']}")
    told = {"system_title": title, "kind": "read_fee_item", "parameters": {"number": 9}}
    read = office.done(f"/commands/{office.post('/commands', told, 'read-item-9')['id']}")
    assert isinstance(read["answer"], dict)
    assert read["answer"]["parameters"] == parameters
    top_up = office.post(f"{office.purse}/top-ups", {"amount_minor": 500}, "top-up-1")
    office.done(f"{office.purse}/top-ups/{top_up['id']}")
    refund = office.post(f"{office.purse}/top-ups/{top_up['id']}/refund", None, "refund-1")
    assert office.done(f"{office.purse}/top-ups/{refund['id']}")["balance"] == {"minor": 0, "text": "0.00"}
