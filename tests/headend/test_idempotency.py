"""One effect and one answer for a key; another request under the same key is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from headend.authentication import FIRST_ORGANISATION, Caller
from headend.idempotency import Asked, Given, KeyUsedError, once
from headend.permissions import Role
from headend.users import add_organisation

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CALLER = Caller(organisation_id=FIRST_ORGANISATION, name="olga", role=Role.OPERATOR)
ASKED = Asked(key="k-1-2-3-4", action="top up", content={"amount": 5})


def counting(done: list[int]) -> Callable[[], Given]:
    def work() -> Given:
        done.append(len(done))
        return Given(status=201, content={"number": len(done), "words": "房租"})

    return work


def test_the_same_request_again_does_nothing_and_is_answered_alike(connection: Connection) -> None:
    done: list[int] = []
    answers = [once(connection, CALLER, ASKED, counting(done), now=NOW) for _ in range(3)]
    assert answers == [Given(status=201, content={"number": 1, "words": "房租"})] * 3
    assert done == [0]


@pytest.mark.parametrize("changed", [{"action": "reverse"}, {"content": {"amount": 6}}])
def test_another_request_with_the_key_is_refused(connection: Connection, changed: dict[str, object]) -> None:
    done: list[int] = []
    once(connection, CALLER, ASKED, counting(done), now=NOW)
    with pytest.raises(KeyUsedError, match="k-1-2-3-4 was used for another request"):
        once(connection, CALLER, replace(ASKED, **changed), counting(done), now=NOW)  # type: ignore[arg-type]
    assert done == [0]


def test_keys_are_an_organisations_own(connection: Connection) -> None:
    done: list[int] = []
    other = replace(CALLER, organisation_id=add_organisation(connection, "other"))
    for caller in (CALLER, other):
        once(connection, caller, ASKED, counting(done), now=NOW)
    assert done == [0, 1]


def test_work_that_fails_leaves_the_key_free(connection: Connection) -> None:
    def failing() -> Given:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        once(connection, CALLER, ASKED, failing, now=NOW)
    assert once(connection, CALLER, ASKED, counting([]), now=NOW).status == 201
