"""No row of another organisation: every route, asked for everything of a stranger's, twenty thousand times."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from pyrage import x25519
from sqlalchemy import Connection, func, select

from headend.api.application import make_application
from headend.assignments import assign
from headend.authentication import Caller, new_token, store_token
from headend.books import register
from headend.command_kinds import CommandKind
from headend.commands import NewCommand, enqueue
from headend.config import MeterConfig
from headend.database import Database
from headend.descriptors import Descriptor
from headend.ingest import ingest
from headend.permissions import Role
from headend.place import Place
from headend.root_key import RootKey
from headend.schema import entry, meter
from headend.schema_commands import command
from headend.users import User, add_organisation, add_user, hashed
from tests.support.headend_books import UNKNOWN_TITLE, usual_journal
from tests.support.headend_commands import NOW
from tests.support.headend_uploads import records_json
from tests.support.ledgers import KINDS, ledgers

TRIES = 10_000  # on each of the two databases
SEED = 20261127
CANARY = "canary-of-the-others"
THEIR_PAYEE = "their-payee"
THEIRS = UNKNOWN_TITLE
THEIR_COMMAND, THEIR_BULK = "c0" * 16, "b0" * 16
TOKENS = {role: new_token() for role in Role}
SCOPE: dict[Role, dict[str, str]] = {Role.PAYEE: {"payee": THEIR_PAYEE}, Role.RESIDENT: {"household": CANARY}}


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A database on which two organisations have all they can have; ours knows a token for each role."""
    with ledgers(request.param, tmp_path_factory.mktemp("tenants")) as made:
        yield made.copy()


def fill(connection: Connection) -> None:
    """Let the others have a meter with a journal, a gateway, people, commands; and us a token for each role."""
    theirs = add_organisation(connection, CANARY)
    register(connection, MeterConfig(system_title=str(THEIRS), household=CANARY), organisation_id=theirs)
    rent = Descriptor(number=1, revision=1, kind=1, label=CANARY, payee=THEIR_PAYEE)
    ingest(connection, [usual_journal(THEIRS).batch(items=[rent])])
    store_token(connection, name=CANARY, role=Role.GATEWAY, token=new_token(), organisation_id=theirs)
    assign(connection, theirs, str(THEIRS), CANARY)
    add_user(connection, theirs, User(login=CANARY, role=Role.ADMIN), hashed("correct horse battery"))
    operator = Caller(organisation_id=theirs, name=CANARY, role=Role.OPERATOR)
    new = NewCommand(
        command_id=THEIR_COMMAND,
        system_title=str(THEIRS),
        kind=CommandKind.READ_FEE_ITEM,
        parameters={"number": 1},
        bulk=THEIR_BULK,
    )
    enqueue(connection, operator, new, now=NOW)
    for role in Role:
        store_token(connection, name=role.value, role=role, token=TOKENS[role], **SCOPE.get(role, {}))


def theirs_as_it_is(connection: Connection) -> list[object]:
    """Whatever a stranger could have changed of the others'."""
    number = select(meter.c.id).where(meter.c.system_title == str(THEIRS)).scalar_subquery()
    return [
        *connection.execute(select(meter).where(meter.c.id == number)).all(),
        *connection.execute(select(command).where(command.c.meter_id == number)).all(),
        connection.execute(select(func.count()).select_from(entry).where(entry.c.meter_id == number)).scalar_one(),
    ]


def bodies(dice: random.Random) -> object:
    """What may be sent to do something with the others' meter."""
    forked = usual_journal(THEIRS)
    return dice.choice(
        [
            {},
            {"amount_minor": 5},
            {"system_title": str(THEIRS), "kind": "read_fee_item", "parameters": {"number": 2}},
            {"system_titles": [str(THEIRS)], "kind": "read_fee_item", "parameters": {"number": 2}},
            {"role": "reader"},
            {"state": "confirmed", "answer": {}, "at": "2026-07-01T00:00:00Z"},
            {"counters": [{"system_title": str(THEIRS), "role": "reader", "invocation_counter": 9}]},
            records_json(forked.batch()),
            {"readings": []},
        ]
    )


def asked(paths: dict[str, dict[str, object]], dice: random.Random) -> tuple[str, str, dict[str, str], object]:
    """A request for something of the others': method, path, query, body."""
    path = dice.choice(sorted(paths))
    method = dice.choice(sorted(paths[path]))
    names = {
        "system_title": str(THEIRS),
        "month": "2026-01",
        "name": CANARY,
        "login": CANARY,
        "command_id": THEIR_COMMAND,
        "top_up_id": THEIR_COMMAND,
        "bulk": THEIR_BULK,
        "payee": THEIR_PAYEE,
        "number": "1",
    }
    if path.endswith(".svg"):
        names["name"] = "balance"
    queries = [
        {"system_title": str(THEIRS)},
        {"bulk": THEIR_BULK},
        {"limit": "1000"},
        {"after": "0"},
        {"wait": "0"},
        {"first": "2026-01-01", "last": "2026-12-31"},
    ]
    return method.upper(), path.format_map(names), dice.choice(queries), bodies(dice)


def application_over(database: Database) -> FastAPI:
    """The application with a root key of its own."""
    root = RootKey(x25519.Identity.generate())
    return make_application(database, maximum_body_octets=65536, root_key=root)


async def storm(application: FastAPI, dice: random.Random, leaks: list[str], tries: int = TRIES) -> Counter[int]:
    """Ask so often, in every role; what shows a canary is a leak."""
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://h") as api:
        paths = (await api.get("/openapi.json")).json()["paths"]
        for _ in range(tries):
            method, path, query, body = asked(paths, dice)
            headers = {
                "Authorization": f"Bearer {TOKENS[dice.choice(list(Role))]}",
                "Idempotency-Key": f"key-{dice.randrange(10**9)}",
            }
            sent = None if method == "GET" else json.dumps(body)
            answer = await api.request(method, path, params=query, headers=headers, content=sent)
            statuses[answer.status_code] += 1
            shown = answer.text.replace(path.rpartition("/")[2], "")  # an echo of what was asked for is no row
            if CANARY in shown and not path.endswith("/session"):
                leaks.append(f"{method} {path} {query}: {answer.text}")
    return statuses


def test_twenty_thousand_tries_show_and_change_nothing_of_another_organisation(place: Place) -> None:
    database = Database(place, write_queue=8)
    database.write_now(fill)
    before = database.write_now(theirs_as_it_is)
    leaks: list[str] = []
    statuses = asyncio.run(storm(application_over(database), random.Random(SEED), leaks))
    after = database.write_now(theirs_as_it_is)
    database.close()
    assert leaks[:3] == []
    assert after == before
    assert sum(statuses.values()) == TRIES
    assert statuses[200] > TRIES // 20  # the tries are not all turned away at the door
    assert max(statuses) < 500


def test_a_filter_that_is_left_out_is_found_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deliberate fault: whoever reads purses sees every meter."""
    monkeypatch.setattr("headend.api.purses.seen_by", lambda _caller: meter.c.id > 0)
    database = Database(place, write_queue=8)
    leaks: list[str] = []
    asyncio.run(storm(application_over(database), random.Random(SEED), leaks, 500))
    database.close()
    assert leaks
