"""Commands: kept once under their id, handed out until reported, final once; each organisation's own."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from headend.audit import records
from headend.authentication import FIRST_ORGANISATION
from headend.command_kinds import CommandError, CommandKind
from headend.commands import (
    Result,
    State,
    amount_reversed,
    cancel,
    commands,
    enqueue,
    hand_out,
    has_open,
    progress,
    several,
    state_of,
    take_result,
)
from headend.ingest import ingest
from headend.users import add_organisation
from tests.support.headend_books import OTHER_TITLE, TITLE, UNKNOWN_TITLE, usual_journal
from tests.support.headend_commands import ID, NOW, OPERATOR, gateway, reading

DONE = Result(state=State.CONFIRMED, reason=None, answer={"value": 1})


def test_the_same_command_again_changes_nothing_and_another_under_its_id_is_refused(connection: Connection) -> None:
    first = enqueue(connection, OPERATOR, reading(), now=NOW)
    assert (first.state, first.created_by, first.command_id) == (State.QUEUED, "operator olga", ID)
    assert enqueue(connection, OPERATOR, reading(), now=NOW + timedelta(days=1)) == first
    for changed in (
        {"parameters": {"number": 2}},
        {"kind": CommandKind.DELETE_FEE_ITEM},
        {"system_title": str(OTHER_TITLE)},
    ):
        with pytest.raises(CommandError, match="was given before with other values"):
            enqueue(connection, OPERATOR, reading(**changed), now=NOW)
    assert [each.action for each in records(connection, FIRST_ORGANISATION, after=0, limit=9)] == [
        "command read_fee_item"
    ]


def test_a_gateway_gets_its_meters_commands_in_order_and_again_until_it_reports(connection: Connection) -> None:
    north = gateway(connection)
    south = gateway(connection, "south", meters=False)
    enqueue(connection, OPERATOR, reading(1), now=NOW)
    enqueue(connection, OPERATOR, reading(2, priority=0), now=NOW)
    enqueue(connection, OPERATOR, reading(3, not_before=NOW + timedelta(hours=1)), now=NOW)
    assert has_open(connection, north, now=NOW)
    assert not has_open(connection, south, now=NOW)
    for _ in range(2):
        assert [each.command_id[-1] for each in hand_out(connection, north, now=NOW)] == ["2", "1"]
        assert hand_out(connection, south, now=NOW) == []
    taken = take_result(connection, north, reading(2).command_id, DONE, now=NOW)
    assert taken is not None
    assert (taken.state, taken.answer) == (State.CONFIRMED, {"value": 1})
    later = hand_out(connection, north, now=NOW + timedelta(hours=1))
    assert [each.command_id[-1] for each in later] == ["1", "3"]


def test_a_result_is_final_and_the_same_again_is_no_other(connection: Connection) -> None:
    north = gateway(connection)
    enqueue(connection, OPERATOR, reading(), now=NOW)
    hand_out(connection, north, now=NOW)
    first = take_result(connection, north, ID, DONE, now=NOW)
    assert take_result(connection, north, ID, DONE, now=NOW + timedelta(hours=1)) == first
    for other in (replace(DONE, state=State.FAILED), replace(DONE, answer={})):
        with pytest.raises(CommandError, match="is confirmed already"):
            take_result(connection, north, ID, other, now=NOW)
    assert take_result(connection, north, "f" * 32, DONE, now=NOW) is None
    assert take_result(connection, gateway(connection, "south", meters=False), ID, DONE, now=NOW) is None


def test_what_nobody_fetched_in_time_expires_and_what_was_fetched_does_not(connection: Connection) -> None:
    north = gateway(connection)
    soon = NOW + timedelta(minutes=5)
    enqueue(connection, OPERATOR, reading(1, expires_at=soon), now=NOW)
    hand_out(connection, north, now=NOW)
    enqueue(connection, OPERATOR, reading(2, expires_at=soon), now=NOW)
    later = soon + timedelta(seconds=1)
    assert [each.command_id for each in hand_out(connection, north, now=later)] == [ID]
    expired = state_of(connection, OPERATOR, reading(2).command_id)
    assert expired is not None
    assert (expired.state, expired.reason) == (State.EXPIRED, "no gateway fetched it in time")


def test_only_what_no_gateway_has_is_taken_back(connection: Connection) -> None:
    north = gateway(connection)
    enqueue(connection, OPERATOR, reading(1), now=NOW)
    hand_out(connection, north, now=NOW)
    enqueue(connection, OPERATOR, reading(2), now=NOW)
    states = [cancel(connection, OPERATOR, reading(number).command_id, now=NOW) for number in (1, 2)]
    assert [each and each.state for each in states] == [State.SENT, State.CANCELLED]
    assert cancel(connection, OPERATOR, "f" * 32, now=NOW) is None


def test_many_at_once_each_on_its_own_merits_with_progress(connection: Connection) -> None:
    new = [
        reading(number, system_title=str(title), bulk="b")
        for number, title in enumerate((TITLE, UNKNOWN_TITLE, OTHER_TITLE), 1)
    ]
    outcomes = several(connection, OPERATOR, new, now=NOW)
    assert [error is None for _new, error in outcomes] == [True, False, True]
    assert progress(connection, OPERATOR, "b") == {State.QUEUED: 2}
    assert [each.system_title for each in commands(connection, OPERATOR, bulk="b")] == [str(TITLE), str(OTHER_TITLE)]
    assert commands(connection, OPERATOR, state=State.SENT) == []
    assert len(commands(connection, OPERATOR, system_title=str(TITLE), limit=1)) == 1


def test_another_organisation_neither_sees_nor_commands(connection: Connection) -> None:
    enqueue(connection, OPERATOR, reading(bulk="b"), now=NOW)
    other = replace(OPERATOR, organisation_id=add_organisation(connection, "other"))
    with pytest.raises(CommandError, match="no meter .* is registered"):
        enqueue(connection, other, reading(), now=NOW)
    assert state_of(connection, other, ID) is None
    assert commands(connection, other) == []
    assert progress(connection, other, "b") == {}
    assert cancel(connection, other, ID, now=NOW) is None


def test_the_amount_of_what_is_reversed_is_the_ledgers(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    assert (amount_reversed(connection, 1, 1), amount_reversed(connection, 1, 99)) == (500_000, 0)
