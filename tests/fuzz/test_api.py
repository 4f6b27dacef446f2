"""The whole OpenAPI under schemathesis: whatever is sent, no answer is a fault of the head-end, each is described."""

from collections.abc import Callable, Iterator

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from pyrage import x25519
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from headend.api.application import make_application
from headend.api.rate_limit import RateLimit
from headend.assignments import assign
from headend.authentication import FIRST_ORGANISATION, new_token, store_token
from headend.database import Database, transaction
from headend.ingest import ingest
from headend.permissions import Role
from headend.root_key import RootKey
from tests.support.headend_books import TITLE, make_database, usual_journal

CASES = 20
"""Of each operation; `python -m pytest tests/fuzz/test_api.py` finds more when this is raised."""
TOKENS = {role: new_token() for role in (Role.ADMIN, Role.GATEWAY)}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
NO_LIMIT = RateLimit(burst=10**9, per_minute=10**9)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """A head-end with a meter, its journal and its gateway."""
    place = make_database(tmp_path_factory.mktemp("api") / "headend.sqlite")
    with transaction(place) as connection:
        for role, token in TOKENS.items():
            store_token(connection, name=role.value, role=role, token=token)
        ingest(connection, [usual_journal().batch()])
        assign(connection, FIRST_ORGANISATION, str(TITLE), Role.GATEWAY.value)
    database = Database(place, write_queue=8)
    root = RootKey(x25519.Identity.generate())
    yield make_application(
        database, maximum_body_octets=65536, root_key=root, courier_limit=NO_LIMIT, login_limit=NO_LIMIT
    )
    database.close()


def asking(requests: SearchStrategy[schemathesis.Case], token: str, cases: int) -> Callable[[], None]:
    """Send so many generated requests of one operation and judge each answer."""

    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests)
    def ask(case: schemathesis.Case) -> None:
        case.query.pop("wait", None)  # a long poll would be long
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    return ask


def faults(application: FastAPI, *, cases: int = CASES) -> tuple[int, list[str]]:
    """Call every operation with generated requests: how many operations, and what was wrong with the answers."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", application)
    found: list[str] = []
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations:
        role = Role.GATEWAY if operation.path.startswith("/api/gateway/") else Role.ADMIN
        try:
            asking(operation.as_strategy(), TOKENS[role], cases)()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            found.append(f"{operation.method.upper()} {operation.path}: {error}")
    return len(operations), found


def test_no_request_is_answered_by_a_fault_or_by_what_is_not_described(application: FastAPI) -> None:
    operations, found = faults(application)
    assert found == []
    assert operations >= 40


def test_a_fault_in_one_route_is_found(application: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_told: object, **_more: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("headend.api.purses.fleet.gateways", faulty)
    _operations, found = faults(application, cases=1)
    assert [each.split(":")[0] for each in found] == ["GET /api/v1/fleet"]
