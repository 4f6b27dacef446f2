"""gateway/purse_reader.py: what is asked, and that no answer of another shape gets through."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import RefusedError, RemoteError
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import open_session
from dlms_objects.values.money import Currency
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.errors import MalformedError
from gateway.purse_reader import PurseReader
from gateway.records import ItemDescriptor
from tests.support.fake_session import FakeItem, FakeMeter, FakeSession, NotPermittedError, page_of
from tests.support.meters import ENDPOINT, MeterWorld
from tests.support.mutation import mutations
from tests.support.twisted_testing import result_of


@pytest.fixture
def meter() -> FakeMeter:
    meter = FakeMeter(items={1: FakeItem("房租", "landlord", revision=4)})
    meter.book(100)
    meter.book(-7, fee_item=1)
    meter.items[1].revision = 6
    meter.book(-7, fee_item=1)
    return meter


@pytest.fixture
def reader(meter: FakeMeter) -> PurseReader:
    return PurseReader(FakeSession(meter))


class Says(FakeSession):
    """Answers everything with the same octets."""

    def __init__(self, octets: bytes) -> None:
        super().__init__(FakeMeter())
        self.octets = octets

    async def get(self, *_arguments: object) -> bytes:
        return self.octets

    async def action(self, *_arguments: object) -> bytes:
        return self.octets


def test_currency_and_head_are_read(reader: PurseReader, meter: FakeMeter) -> None:
    opening = result_of(reader.opening(with_currency=True))
    assert (opening.currency, opening.head) == (Currency("CNY", -2), meter.head)
    assert result_of(reader.opening(with_currency=False)).currency is None


def test_rows_come_raw_with_the_newest_revision_of_each_fee_item(reader: PurseReader, meter: FakeMeter) -> None:
    page = result_of(reader.journal(1, 3))
    assert page.rows == meter.rows
    assert page.revisions == {1: 6}
    assert result_of(reader.journal(2, 2)).rows == [meter.rows[1]]
    assert result_of(reader.journal(9, 9)).rows == []


def test_no_event_is_number_0(reader: PurseReader, meter: FakeMeter) -> None:
    assert result_of(reader.opening(with_currency=False)).last_event == 0
    meter.happen(EventCode.LOW_BALANCE)
    assert result_of(reader.opening(with_currency=False)).last_event == 1


def test_a_descriptor_has_the_revision_and_the_words(reader: PurseReader) -> None:
    expected = ItemDescriptor(number=1, revision=6, kind=1, label="房租", payee="landlord")
    assert result_of(reader.fee_items([1, 9])) == ([expected], [9])


def test_many_fee_items_are_asked_for_in_parts() -> None:
    meter = FakeMeter(items={number: FakeItem(f"fee {number}", "payee") for number in range(1, 100)})
    session = FakeSession(meter)
    found, missing = result_of(PurseReader(session).fee_items(range(1, 101)))
    assert ([item.number for item in found], missing) == (list(range(1, 100)), [100])
    assert session.questions == 4
    standing = result_of(PurseReader(session).standing(range(1, 101)))
    assert [item.number for item in standing.items] == list(range(1, 100))
    assert session.questions == 4 + 1 + 2


def test_a_meter_that_hides_its_purse_is_a_refusal() -> None:
    class Hides(FakeSession):
        async def get(self, attribute: Any, selection: Any = None) -> bytes:
            if attribute.class_id == 20101:
                raise NotPermittedError("read-write-denied")
            return await super().get(attribute, selection)

    with pytest.raises(RefusedError):
        result_of(PurseReader(Hides(FakeMeter())).opening(with_currency=False))
    with pytest.raises(RefusedError):
        result_of(PurseReader(Hides(FakeMeter())).standing([]))


def test_an_acknowledgement_carries_both_sequence_and_digest(reader: PurseReader, meter: FakeMeter) -> None:
    assert result_of(reader.acknowledge(meter.head)) == 0
    assert meter.acknowledged == meter.head
    assert result_of(reader.acknowledge(JournalHead(sequence=3, digest=bytes(16)))) == 5


def test_events_out_of_order_or_not_asked_for_are_refused(meter: FakeMeter) -> None:
    for _ in range(4):
        meter.happen(EventCode.LOW_BALANCE)

    class Swapped(FakeSession):
        async def get(self, attribute: Any, selection: Any = None) -> bytes:
            octets = await super().get(attribute, selection)
            return octets[:2] + b"".join(reversed([octets[2:46], octets[46:]]))

    reader = PurseReader(Swapped(meter))
    with pytest.raises(RemoteError):
        result_of(reader.events(1, 2))
    everything = result_of(FakeSession(meter).get(*_question(meter, 1, 4)))
    with pytest.raises(MalformedError, match="asked for"):
        result_of(PurseReader(Says(everything)).events(1, 2))


def _question(meter: FakeMeter, first: int, last: int) -> tuple[Any, Any]:
    asked: list[tuple[Any, Any]] = []

    class Listening(FakeSession):
        async def get(self, attribute: Any, selection: Any = None) -> bytes:
            asked.append((attribute, selection))
            return await super().get(attribute, selection)

    result_of(PurseReader(Listening(meter)).events(first, last))
    return asked[0]


QUESTIONS: dict[str, Callable[[PurseReader], Awaitable[Any]]] = {
    "opening": lambda reader: reader.opening(with_currency=True),
    "standing": lambda reader: reader.standing([1]),
    "journal": lambda reader: reader.journal(1, 3),
    "events": lambda reader: reader.events(1, 3),
    "fee item": lambda reader: reader.fee_items([1]),
    "acknowledge": lambda reader: reader.acknowledge(JournalHead(sequence=1, digest=bytes(16))),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "octets", [b"", b"\x00", b"\x01\x01\x00", b"\x02\x00", b"\x09\x10" + bytes(16), b"\x06\x00\x00\x00\x01"]
)
def test_an_answer_of_another_shape_is_refused(question: str, octets: bytes) -> None:
    with pytest.raises(MalformedError):
        result_of(QUESTIONS[question](PurseReader(Says(octets))))


def test_a_currency_that_is_none_is_the_meters_fault() -> None:
    class Wrong(FakeSession):
        async def get(self, attribute: Any, selection: Any = None) -> bytes:
            octets = await super().get(attribute, selection)
            return octets.replace(b"CNY", b"cny")

    with pytest.raises(RemoteError, match="currency"):
        result_of(PurseReader(Wrong(FakeMeter())).opening(with_currency=True))


def test_an_event_whose_time_is_none_is_the_meters_fault(meter: FakeMeter) -> None:
    meter.happen(EventCode.LOW_BALANCE)
    octets = result_of(FakeSession(meter).get(*_question(meter, 1, 1)))
    assert result_of(PurseReader(Says(octets)).events(1, 1))[0].number == 1
    month = octets.index(b"\x09\x0c") + 4
    with pytest.raises(MalformedError, match="month"):
        result_of(PurseReader(Says(octets[:month] + b"\x0d" + octets[month + 1 :])).events(1, 1))


@pytest.mark.parametrize("question", ["journal", "events", "opening", "standing", "fee item"])
def test_broken_octets_are_refused_or_read_and_nothing_else(question: str, meter: FakeMeter) -> None:
    for _ in range(3):
        meter.happen(EventCode.LOW_BALANCE)
    heard: list[bytes] = []

    class Listening(FakeSession):
        async def get(self, *arguments: Any) -> bytes:
            heard.append(await super().get(*arguments))
            return heard[-1]

    result_of(QUESTIONS[question](PurseReader(Listening(meter))))
    for place in range(len(heard)):
        for octets in mutations([heard[place]], count=1500 // len(heard)):
            answers = iter([*heard[:place], octets, *heard[place + 1 :]])

            class Broken(FakeSession):
                async def get(self, *_: Any) -> bytes:
                    return next(answers)  # noqa: B023 - asked before the next round

            try:
                result_of(QUESTIONS[question](PurseReader(Broken(meter))))
            except RemoteError:
                continue


def test_rows_of_another_length_are_refused(meter: FakeMeter) -> None:
    short = b"\x02\x0a" + b"\x00" * 10
    with pytest.raises(MalformedError, match="98"):
        result_of(PurseReader(Says(page_of([short]))).journal(1, 1))


def test_a_meter_that_answers_no_lists_is_asked_one_by_one(tmp_path: Path) -> None:
    world = MeterWorld(tmp_path / "meter")
    parameters = world.parameters(Role.READER)
    questions = []
    for conformance in (parameters.conformance, parameters.conformance & ~Conformance.MULTIPLE_REFERENCES):
        told = replace(parameters, conformance=conformance)
        session = world.reactor.run(open_session(world.reactor, ENDPOINT, told))
        carried = world.reactor.lines[-1].carried_to_meter
        before = len(carried)
        opening = world.reactor.run(PurseReader(session).opening(with_currency=True))
        assert (opening.head, opening.currency) == (world.empty_head(), Currency("CNY", -2))
        questions.append(len(carried) - before)
        world.reactor.run(session.release())
    assert questions == [1, 3]
    world.meter.close()
