"""What gateways fetch and report: a long poll that wakes, results that are final, keys for their holder alone."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from pyrage import decrypt, x25519

from headend.api.application import make_application
from headend.assignments import assign
from headend.authentication import FIRST_ORGANISATION
from headend.database import Database
from headend.meter_keys import store
from headend.root_key import RootKey, create
from tests.headend.api.conftest import ADMIN, BODY_LIMIT, GATEWAY, READER
from tests.headend.test_meter_keys import KEYS
from tests.support.headend_books import OTHER_TITLE, TITLE
from tests.support.headend_commands import NOW

READ = {"system_title": str(TITLE), "kind": "read_fee_item", "parameters": {"number": 1}}
KEY = {"Idempotency-Key": "key-00000001"}
BASE = "/api/gateway/v1"
DONE = {"state": "confirmed", "reason": None, "answer": {"value": 1}, "at": "2026-07-01T08:00:00Z"}


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    """A head-end with a root key, whose first meter is the gateway's."""
    create(tmp_path / "root.key")
    root = RootKey.load(tmp_path / "root.key")
    database.write_now(lambda connection: store(connection, root, KEYS, now=NOW))
    database.write_now(lambda connection: assign(connection, FIRST_ORGANISATION, str(TITLE), "gateway"))
    application = make_application(database, maximum_body_octets=BODY_LIMIT, root_key=root)
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


def test_who_waits_is_woken_by_a_command(api: TestClient) -> None:
    answers: list[httpx.Response] = []

    def poll() -> None:
        answers.append(api.get(f"{BASE}/commands", params={"wait": 30}, headers=GATEWAY))

    waiting = threading.Thread(target=poll)
    begun = time.monotonic()
    waiting.start()
    time.sleep(0.2)
    made = api.post("/api/v1/commands", json=READ, headers=ADMIN | KEY).json()
    waiting.join(timeout=20)
    assert time.monotonic() - begun < 15
    (command,) = answers[0].json()["commands"]
    assert (command["id"], command["kind"], command["parameters"]) == (made["id"], "read_fee_item", {"number": 1})


def test_nothing_to_do_is_an_empty_list_when_the_wait_is_over(api: TestClient) -> None:
    assert api.get(f"{BASE}/commands", params={"wait": 1}, headers=GATEWAY).json() == {"commands": []}
    assert api.get(f"{BASE}/commands", params={"wait": 61}, headers=GATEWAY).status_code == 422


def test_a_result_is_taken_any_number_of_times_and_no_other_after_it(api: TestClient) -> None:
    made = api.post("/api/v1/commands", json=READ, headers=ADMIN | KEY).json()
    place = f"{BASE}/commands/{made['id']}/result"
    assert len(api.get(f"{BASE}/commands", headers=GATEWAY).json()["commands"]) == 1
    assert [api.post(place, json=DONE, headers=GATEWAY).status_code for _ in range(3)] == [204] * 3
    assert api.post(place, json=DONE | {"state": "failed"}, headers=GATEWAY).status_code == 409
    assert api.post(f"{BASE}/commands/{'0' * 32}/result", json=DONE, headers=GATEWAY).status_code == 404
    shown = api.get(f"/api/v1/commands/{made['id']}", headers=READER).json()
    assert (shown["state"], shown["answer"]) == ("confirmed", {"value": 1})
    assert api.delete(f"/api/v1/commands/{made['id']}", headers=ADMIN).status_code == 409


def test_a_gateway_sees_its_meters_and_gets_their_keys_wrapped(api: TestClient) -> None:
    api.post("/api/v1/commands", json=READ, headers=ADMIN | KEY)
    assert api.get(f"{BASE}/meters", headers=GATEWAY).json() == {
        "meters": [{"system_title": str(TITLE), "household": "一号楼301", "sequence": 0, "open_commands": 1}],
        "next_after": None,
    }
    place = f"{BASE}/meters/{TITLE}/keys"
    assert api.get(place, headers=GATEWAY).status_code == 409
    holder = x25519.Identity.generate()
    told = api.put(f"{BASE}/recipient", json={"recipient": str(holder.to_public())}, headers=GATEWAY)
    assert told.status_code == 204
    wrapped = api.get(place, headers=GATEWAY)
    (keys,) = json.loads(decrypt(wrapped.content, [holder]))["keys"]
    assert keys["encryption_key"] == KEYS.encryption_key.hex()
    assert api.get(f"{BASE}/meters/{OTHER_TITLE}/keys", headers=GATEWAY).status_code == 404
    wrong = api.put(f"{BASE}/recipient", json={"recipient": "age1" + "q" * 58}, headers=GATEWAY)
    assert wrong.status_code == 422


def test_counters_are_kept_for_the_gateways_own_meters(api: TestClient) -> None:
    def sent(title: object) -> httpx.Response:
        counters = [{"system_title": str(title), "role": "reader", "invocation_counter": 7}]
        return api.post(f"{BASE}/counters", json={"counters": counters}, headers=GATEWAY)

    assert (sent(TITLE).status_code, sent(OTHER_TITLE).status_code) == (204, 404)
    shown = api.get(f"/api/v1/meters/{TITLE}/keys", headers=READER).json()["keys"]
    assert [each["invocation_counter"] for each in shown] == [7]
