"""Commands over HTTP: made once, listed, taken back; keys shown without the keys and replaced."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from headend.api.application import make_application
from headend.database import Database
from headend.meter_keys import store
from headend.root_key import RootKey, create
from tests.headend.api.conftest import ADMIN, BODY_LIMIT, READER
from tests.headend.test_meter_keys import KEYS, MASTER
from tests.support.headend_books import OTHER_TITLE, TITLE, UNKNOWN_TITLE
from tests.support.headend_commands import NOW

READ = {"system_title": str(TITLE).lower(), "kind": "read_fee_item", "parameters": {"number": 1}}


def key(number: int) -> dict[str, str]:
    return ADMIN | {"Idempotency-Key": f"key-{number:08}"}


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Iterator[httpx.Client]:
    """A head-end with a root key that keeps the first meter's keys."""
    create(tmp_path / "root.key")
    root = RootKey.load(tmp_path / "root.key")
    for keys in (KEYS, MASTER):
        database.write_now(lambda connection, keys=keys: store(connection, root, keys, now=NOW))  # type: ignore[misc]
    application = make_application(database, maximum_body_octets=BODY_LIMIT, root_key=root)
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


def test_a_command_is_made_once_and_answered_alike(api: httpx.Client) -> None:
    made = [api.post("/api/v1/commands", json=READ, headers=key(1)) for _ in range(3)]
    assert [answer.status_code for answer in made] == [201] * 3
    assert made[0].content == made[1].content == made[2].content
    command = made[0].json()
    assert (command["state"], command["system_title"], command["created_by"]) == ("queued", str(TITLE), "admin admin")
    page = api.get("/api/v1/commands", headers=READER, params={"state": "queued"}).json()
    assert ([each["id"] for each in page["commands"]], page["next_after"]) == ([command["id"]], None)
    assert api.get(f"/api/v1/commands/{command['id']}", headers=READER).json() == command
    other = api.post("/api/v1/commands", json=READ | {"kind": "delete_fee_item"}, headers=key(1))
    assert (other.status_code, "was used for another request" in other.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"system_title": str(UNKNOWN_TITLE)}, "is registered"),
        ({"parameters": {"number": 33}}, "parameters.number"),
        ({"kind": "top_up"}, "is made by POST top-ups"),
        ({"kind": "dance"}, "/body/kind"),
        ({"priority": 10}, "/body/priority"),
    ],
)
def test_what_cannot_be_done_is_refused_and_the_key_stays_free(
    api: httpx.Client, changed: dict[str, object], words: str
) -> None:
    refused = api.post("/api/v1/commands", json=READ | changed, headers=key(1))
    assert (refused.status_code, words in refused.text) == (422, True)
    assert api.post("/api/v1/commands", json=READ, headers=key(1)).status_code == 201


def test_without_a_key_nothing_is_done(api: httpx.Client) -> None:
    assert "Idempotency-Key" in api.post("/api/v1/commands", json=READ, headers=ADMIN).text.title()
    assert api.get("/api/v1/commands", headers=READER).json()["commands"] == []


def test_many_meters_at_once_with_progress(api: httpx.Client) -> None:
    told = {"kind": "read_fee_item", "parameters": {"number": 1}}
    titles = [str(title) for title in (TITLE, OTHER_TITLE, TITLE, UNKNOWN_TITLE)]
    made = api.post("/api/v1/bulks", json=told | {"system_titles": titles}, headers=key(1))
    assert made.status_code == 201
    bulk = made.json()
    assert (bulk["total"], bulk["open"], bulk["states"]) == (2, 2, {"queued": 2})
    assert [each["system_title"] for each in bulk["refused"]] == [str(UNKNOWN_TITLE)]
    first = api.get("/api/v1/commands", headers=READER, params={"bulk": bulk["id"], "limit": 1}).json()
    assert first["next_after"] == first["commands"][0]["number"]
    assert api.delete(f"/api/v1/commands/{first['commands'][0]['id']}", headers=ADMIN).json()["state"] == "cancelled"
    shown = api.get(f"/api/v1/bulks/{bulk['id']}", headers=READER).json()
    assert (shown["total"], shown["open"]) == (2, 1)
    assert api.get(f"/api/v1/bulks/{'0' * 32}", headers=READER).status_code == 404


def test_keys_are_shown_without_the_keys_and_replaced(api: httpx.Client) -> None:
    place = f"/api/v1/meters/{TITLE}"
    shown = api.get(f"{place}/keys", headers=READER)
    assert [(each["role"], each["state"]) for each in shown.json()["keys"]] == [
        ("master", "in_force"),
        ("reader", "in_force"),
    ]
    assert KEYS.encryption_key.hex() not in shown.text
    made = [api.post(f"{place}/key-rotations", json={"role": "reader"}, headers=key(1)) for _ in range(2)]
    assert (made[0].status_code, made[0].content) == (201, made[1].content)
    assert made[0].json()["kind"] == "key_transfer"
    refused = api.post(f"{place}/key-rotations", json={"role": "management"}, headers=key(2))
    assert (refused.status_code, "are not kept here" in refused.text) == (422, True)
    assert api.get(f"/api/v1/meters/{OTHER_TITLE}/keys", headers=READER).status_code == 404
