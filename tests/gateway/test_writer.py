"""gateway/writer.py: in order, in groups, each with its own answer."""

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from dlms_objects.errors import InvalidValueError
from gateway.writer import Writer
from tests.support.twisted_testing import has_result, result_of


class Recorder:
    """A store that gives each operation's own result, and notes the groups."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def transact(self, operations: Sequence[Any]) -> list[Any]:
        self.groups.append(len(operations))
        return [operation(None) for operation in operations]


class Thread:
    """`in_thread` whose calls run when told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Deferred[Any]]] = []

    def __call__(self, function: Any, operations: Any) -> Deferred[Any]:
        self.calls.append((function, operations, Deferred()))
        return self.calls[-1][2]

    def run(self) -> None:
        function, operations, done = self.calls.pop(0)
        done.callback(function(operations))


def test_what_waits_together_is_committed_together_and_in_order() -> None:
    store, thread = Recorder(), Thread()
    writer = Writer(store, thread)
    seen: list[int] = []

    def note(number: int) -> Any:
        return lambda _connection: seen.append(number)

    answers = [writer.run(note(number)) for number in range(4)]
    assert len(thread.calls) == 1, "one group at a time"
    thread.run()
    assert [has_result(answer) for answer in answers] == [True, False, False, False]
    thread.run()
    assert all(map(has_result, answers))
    assert (store.groups, seen) == ([1, 3], [0, 1, 2, 3])


def test_an_answer_may_ask_for_more() -> None:
    store, thread = Recorder(), Thread()
    writer = Writer(store, thread)
    chain = writer.run(lambda _connection: 1).addCallback(lambda _: writer.run(lambda _connection: 2))
    thread.run()
    thread.run()
    assert result_of(chain) == 2


def test_an_error_goes_to_the_one_whose_it_is() -> None:
    thread = Thread()
    writer = Writer(Recorder(), thread)
    first, bad, good = (
        writer.run(lambda _connection: None),
        writer.run(lambda _connection: InvalidValueError("no")),
        writer.run(lambda _connection: 5),
    )
    thread.run()
    thread.run()
    assert result_of(first) is None
    with pytest.raises(InvalidValueError):
        result_of(bad)
    assert result_of(good) == 5


def test_a_fault_is_told_to_all_of_its_group_and_work_goes_on() -> None:
    thread = Thread()
    writer = Writer(Recorder(), thread)
    answer = writer.run(lambda _connection: 1)
    thread.calls.pop()[2].errback(Failure(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        result_of(answer)
    again = writer.run(lambda _connection: 2)
    thread.run()
    assert result_of(again) == 2


def test_who_stops_waiting_stops_nothing() -> None:
    store, thread = Recorder(), Thread()
    writer = Writer(store, thread)
    answer = writer.run(lambda _connection: 1)
    answer.cancel()
    with pytest.raises(CancelledError):
        result_of(answer)
    thread.run()
    assert store.groups == [1]
