"""Ten thousand requests, each operation two to five times, from 32 clients at once: one effect, same answer."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from headend.api.application import make_application
from headend.authentication import store_token
from headend.database import Database, transaction
from headend.permissions import Role
from headend.place import Place
from headend.schema_access import given_answer
from headend.schema_commands import command
from tests.headend.api.conftest import ADMIN, ADMIN_TOKEN, BODY_LIMIT
from tests.support.headend_books import OTHER_TITLE, TITLE

CLIENTS = 32
OPERATIONS = 3_000  # sent 3.5 times each on average: ten thousand requests and more
SEED = 20261127


@pytest.fixture
def api(database: Database) -> Iterator[TestClient]:
    """A client of a head-end."""
    application = make_application(database, maximum_body_octets=BODY_LIMIT)
    with TestClient(application, raise_server_exceptions=False, headers=ADMIN) as client:
        yield client


def operation(number: int) -> tuple[str, dict[str, object]]:
    """A top-up or a command, and what it says."""
    title = (TITLE, OTHER_TITLE)[number % 2]
    if number % 3:
        return f"/api/v1/purses/{title}/top-ups", {"amount_minor": number + 1}
    return "/api/v1/commands", {
        "system_title": str(title),
        "kind": "set_amount",
        "parameters": {"number": 1, "due": "2026-08-01", "amount_minor": number + 1, "reference": f"{number:032x}"},
    }


def test_every_request_has_one_effect_and_one_answer(fresh: Place) -> None:
    with transaction(fresh) as connection:
        store_token(connection, name="admin", role=Role.ADMIN, token=ADMIN_TOKEN)
    database = Database(fresh, write_queue=CLIENTS)
    dice = random.Random(SEED)
    sendings = [number for number in range(OPERATIONS) for _ in range(dice.randint(2, 5))]
    dice.shuffle(sendings)
    assert len(sendings) >= 10_000
    answers: dict[int, set[tuple[int, bytes]]] = defaultdict(set)

    async def client(transport: httpx.ASGITransport) -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://h", headers=ADMIN) as api:
            while sendings:
                number = sendings.pop()
                path, content = operation(number)
                answer = await api.post(path, json=content, headers={"Idempotency-Key": f"operation-{number}"})
                answers[number].add((answer.status_code, answer.content))

    async def all_clients() -> None:
        transport = httpx.ASGITransport(make_application(database, maximum_body_octets=BODY_LIMIT))
        await asyncio.gather(*(client(transport) for _ in range(CLIENTS)))

    asyncio.run(all_clients())
    assert {len(each) for each in answers.values()} == {1}
    assert {status for each in answers.values() for status, _content in each} == {201}
    counted = database.write_now(
        lambda connection: [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (command, given_answer)
        ]
    )
    database.close()
    assert counted == [OPERATIONS, OPERATIONS]


def test_a_head_end_that_forgets_its_answers_is_found_out(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deliberate fault: the key is not looked at, so the answer shows how things stand meanwhile."""

    def forgetful(_connection: object, _caller: object, _asked: object, work: object, **_now: object) -> object:
        return work()  # type: ignore[operator]

    monkeypatch.setattr("headend.api.idempotent.once", forgetful)
    sent = {"kind": "read_fee_item", "parameters": {"number": 1}, "system_title": str(TITLE)}
    first, other = (
        api.post("/api/v1/commands", json=sent | {"kind": kind}, headers={"Idempotency-Key": "operation-1"})
        for kind in ("read_fee_item", "delete_fee_item")
    )
    assert (first.status_code, other.status_code) == (201, 422)
    api.delete(f"/api/v1/commands/{first.json()['id']}")
    again = api.post("/api/v1/commands", json=sent, headers={"Idempotency-Key": "operation-1"})
    assert again.content != first.content
