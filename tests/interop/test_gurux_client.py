"""The gurux-dlms client, an independent implementation, does a household's business with our running meter over TCP."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from gurux_dlms.enums import DataType, ObjectType
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXDLMSExceptionResponse import GXDLMSExceptionResponse
from gurux_dlms.objects import GXDLMSProfileGeneric

from dlms_objects.classes.catalogue import CATALOGUE, Role
from tests.support.gurux_cipher import TagError, openssl
from tests.support.gurux_client import GuruxClient, GuruxError, TcpLine, encoded, encoded_structure
from tests.support.gurux_meter import RunningMeter, associated, running_meter

pytestmark = pytest.mark.e2e

PURSE = (20101, "0.0.128.0.0.255")
FEE_ITEM_1 = (20102, "0.0.128.1.1.255")
REGISTER = (3, "1.0.1.8.0.255")
CLOCK = (8, "0.0.1.0.0.255")
BALANCE, PARAMETERS, TOP_UP = 2, 2, 1
JOURNAL, EVENT_LOG = "0.0.99.128.0.255", "0.0.99.98.0.255"
ROWS, ROW_OCTETS = 120, 98
LABEL = "房租"
LABEL_READ = LABEL.encode().hex(" ").upper()  # how gurux shows a utf8-string that is not ASCII
DONE, REPEATED, USED_OTHERWISE = 0, 1, 2
DECRYPTION_FAILED = 31
READ_WRITE_DENIED, SCOPE_OF_ACCESS_VIOLATED, OTHER_REASON = 3, 13, 250

Session = Callable[..., AbstractContextManager[GuruxClient]]


@pytest.fixture(autouse=True)
def _verifying_cipher() -> Iterator[None]:
    with openssl():
        yield


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMeter]:
    """A new meter whose journal holds ROWS top-ups of 1, 2, 3, ... minor units."""
    with running_meter(tmp_path_factory.mktemp("meter")) as running:
        with openssl(), associated(running, Role.MANAGEMENT) as client:
            for number in range(1, ROWS + 1):
                assert client.call(*PURSE, TOP_UP, top_up(number, number))[0] == DONE
        yield running


@pytest.fixture
def session(meter: RunningMeter) -> Session:
    """Opens an association with the meter as a role."""
    return lambda role, **options: associated(meter, role, **options)


def top_up(transaction: int, amount: int) -> bytes:
    return encoded_structure(
        encoded(DataType.OCTET_STRING, bytearray(transaction.to_bytes(16, "big"))), encoded(DataType.INT64, amount)
    )


def parameters(label: str, amount: int) -> bytes:
    """A fixed monthly rent that is due long after the test."""
    register = encoded_structure(
        encoded(DataType.UINT16, 0), encoded(DataType.OCTET_STRING, bytearray(6)), encoded(DataType.INT8, 0)
    )
    unit_price = encoded_structure(encoded(DataType.UINT32, 0), encoded(DataType.INT8, 0), register)
    schedule = encoded_structure(
        encoded(DataType.ENUM, 3),
        encoded(DataType.UINT8, 1),
        encoded(DataType.INT8, 1),
        encoded(DataType.OCTET_STRING, bytearray((8, 30, 0, 0))),
        encoded(DataType.OCTET_STRING, bytearray.fromhex("08340101FF")),
        encoded(DataType.OCTET_STRING, bytearray.fromhex("FFFFFFFFFF")),
        encoded(DataType.UINT16, 12),
    )
    return encoded_structure(
        encoded(DataType.ENUM, 1),
        encoded(DataType.STRING_UTF8, label),
        encoded(DataType.STRING, "landlord"),
        encoded(DataType.BOOLEAN, True),
        encoded(DataType.UINT8, 7),
        encoded(DataType.ENUM, 0),
        encoded(DataType.INT64, amount),
        unit_price,
        schedule,
    )


def sequences(rows: list[Any] | None) -> list[int]:
    """The second column; gurux gives None for an empty array."""
    return [row[1] for row in rows or []]


def by_sequence(client: GuruxClient, first: int, last: int) -> list[Any]:
    """A range on the sequence column, which gurux has no method for, built with its encoder."""
    column = encoded_structure(
        encoded(DataType.UINT16, PURSE[0]),
        encoded(DataType.OCTET_STRING, bytearray((0, 0, 128, 0, 0, 255))),
        encoded(DataType.INT8, 8),
        encoded(DataType.UINT16, 2),
    )
    bounds = encoded(DataType.UINT32, first), encoded(DataType.UINT32, last)
    selection = b"\x01" + encoded_structure(column, *bounds, encoded(DataType.ARRAY, []))
    request = client.client._read(JOURNAL, ObjectType.PROFILE_GENERIC, 2, GXByteBuffer(selection))
    rows: list[Any] = client.exchange(request).value
    return rows


def test_gurux_reads_balance_currency_fee_item_clock_and_register(session: Session) -> None:
    with session(Role.READER) as client:
        assert client.read(*PURSE, BALANCE) == ROWS * (ROWS + 1) // 2
        assert client.read(*PURSE, 3) == ["CNY", -2]
        kind, label, payee, enabled, *_, schedule = client.read(*FEE_ITEM_1, PARAMETERS)
        assert (kind, label, payee, enabled) in ((0, "", "", False), (1, LABEL_READ, "landlord", True))
        assert len(schedule) == 7
        year = int.from_bytes(client.read(*CLOCK, 2)[:2], "big")
        assert abs(year - datetime.now().astimezone().year) <= 1
        assert client.read(*REGISTER, 2) >= 0
        assert client.read(*REGISTER, 3) == [0, 30]


def test_gurux_lists_every_object_of_the_catalogue(session: Session) -> None:
    with session(Role.MANAGEMENT) as client:
        answer = client.exchange(client.client.getObjectsRequest())
        listed = client.client.parseObjects(answer.data, onlyKnownObjects=False)
    declared = {
        (declaration.interface.class_id, str(declaration.logical_name))
        for declaration in CATALOGUE.values()
        if Role.MANAGEMENT in declaration.rights
    }
    assert {(int(item.objectType), item.logicalName) for item in listed} == declared


def test_gurux_writes_a_fee_item_and_reads_it_back(session: Session) -> None:
    with session(Role.MANAGEMENT) as client:
        revision = client.read(*FEE_ITEM_1, 5)
        client.write(*FEE_ITEM_1, PARAMETERS, parameters(LABEL, 350_000))
        kind, label, payee, enabled, priority, source, amount, unit_price, schedule = client.read(*FEE_ITEM_1, 2)
        assert (kind, label, payee, enabled, priority, source) == (1, LABEL_READ, "landlord", True, 7, 0)
        assert (amount, unit_price[0], schedule[0], schedule[6]) == (350_000, 0, 3, 12)
        assert client.read(*FEE_ITEM_1, 5) == revision + 1


def test_a_fee_item_with_a_wrong_type_or_value_is_refused_whole(session: Session) -> None:
    with session(Role.MANAGEMENT) as client:
        before = client.read(*FEE_ITEM_1, PARAMETERS)
        with pytest.raises(GuruxError):
            client.write(*FEE_ITEM_1, PARAMETERS, encoded_structure(encoded(DataType.ENUM, 1)))
        with pytest.raises(GuruxError) as refused:
            client.write(*FEE_ITEM_1, PARAMETERS, parameters("rent", -1))
        assert refused.value.code == OTHER_REASON
        assert client.read(*FEE_ITEM_1, PARAMETERS) == before


def test_a_top_up_sent_twice_is_booked_once(session: Session) -> None:
    with session(Role.MANAGEMENT) as client:
        balance = client.read(*PURSE, BALANCE)
        sequence = client.read(*PURSE, 5)[0]
        transaction = 1_000_000
        first = client.call(*PURSE, TOP_UP, top_up(transaction, 5_000))
        assert first == [DONE, sequence + 1, balance + 5_000]
        assert client.call(*PURSE, TOP_UP, top_up(transaction, 5_000)) == [REPEATED, *first[1:]]
        assert client.call(*PURSE, TOP_UP, top_up(transaction, 5_001))[0] == USED_OTHERWISE
        assert client.read(*PURSE, BALANCE) == balance + 5_000
        reversal = encoded_structure(
            encoded(DataType.OCTET_STRING, bytearray((transaction + 1).to_bytes(16, "big"))),
            encoded(DataType.UINT32, sequence + 1),
        )
        assert client.call(*PURSE, 2, reversal) == [DONE, sequence + 2, balance]


def test_gurux_reads_the_journal_by_entry(session: Session) -> None:
    with session(Role.READER) as client:
        journal = GXDLMSProfileGeneric(JOURNAL)
        assert sequences(client.exchange(client.client.readRowsByEntry(journal, 10, 3)).value) == [10, 11, 12]
        rest = client.exchange(client.client.readRowsByEntry(journal, 100, 0)).value
        assert sequences(rest) == list(range(100, 100 + len(rest)))
        assert len(rest) >= ROWS - 99


def test_gurux_reads_the_journal_by_time(session: Session) -> None:
    now, day = datetime.now().astimezone(), timedelta(days=1)
    with session(Role.READER) as client:
        journal = GXDLMSProfileGeneric(JOURNAL)
        today = client.exchange(client.client.readRowsByRange(journal, now - day, now + day)).value
        assert sequences(today)[:ROWS] == list(range(1, ROWS + 1))
        later = client.exchange(client.client.readRowsByRange(journal, now + day, now + 2 * day)).value
        assert sequences(later) == []


def test_gurux_reads_the_journal_by_sequence(session: Session) -> None:
    with session(Role.READER) as client:
        rows = by_sequence(client, 7, 106)
        assert sequences(rows) == list(range(7, 107))
        assert [row[5] for row in rows] == list(range(7, 107))
        assert [row[6] for row in rows] == [number * (number + 1) // 2 for number in range(7, 107)]
        assert by_sequence(client, 1_000_000, 2_000_000) is None


def test_a_range_on_what_is_no_column_is_refused(session: Session) -> None:
    """What gurux asks once it knows the capture objects: it always names attribute 2 of the first one."""
    now = datetime.now().astimezone()
    with session(Role.READER) as client:
        journal = GXDLMSProfileGeneric(JOURNAL)
        journal.sortObject = client.client.createObject(ObjectType.DATA)
        journal.sortObject.logicalName = PURSE[1]
        with pytest.raises(GuruxError) as refused:
            client.exchange(client.client.readRowsByRange(journal, now, now))
    assert refused.value.code == SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize("max_pdu", [65535, 1024, 512, 128])
def test_gurux_reads_the_whole_journal_with_and_without_blocks(meter: RunningMeter, max_pdu: int) -> None:
    with associated(meter, Role.READER, max_pdu=max_pdu) as client:
        line = client._exchange
        assert isinstance(line, TcpLine)
        before = line.round_trips
        rows = client.exchange(client.client.read(GXDLMSProfileGeneric(JOURNAL), 2)).value
        trips = line.round_trips - before
        columns = client.read(7, JOURNAL, 3)
    assert sequences(rows) == list(range(1, len(rows) + 1))
    assert len(rows) >= ROWS
    assert [(column[0], column[2], column[3]) for column in columns] == [(20101, 8, k) for k in range(1, 11)]
    least = len(rows) * ROW_OCTETS // max_pdu
    assert (trips == 1) == (max_pdu == 65535)
    assert least <= trips <= 1.6 * least + 2


def test_gurux_reads_the_event_log(session: Session) -> None:
    with session(Role.READER) as client:
        rows = client.exchange(client.client.read(GXDLMSProfileGeneric(EVENT_LOG), 2)).value
    assert rows[0][1:3] == [1, 1]
    assert sequences(rows) == list(range(1, len(rows) + 1))


def test_a_reader_may_neither_write_nor_top_up(session: Session) -> None:
    with session(Role.READER) as client:
        balance, item = client.read(*PURSE, BALANCE), client.read(*FEE_ITEM_1, PARAMETERS)
        with pytest.raises(GuruxError) as written:
            client.write(*FEE_ITEM_1, PARAMETERS, parameters("rent", 1))
        with pytest.raises(GuruxError) as called:
            client.call(*PURSE, TOP_UP, top_up(2_000_000, 1))
        assert (written.value.code, called.value.code) == (READ_WRITE_DENIED, READ_WRITE_DENIED)
        assert (client.read(*PURSE, BALANCE), client.read(*FEE_ITEM_1, PARAMETERS)) == (balance, item)


def test_the_public_client_reads_no_purse(session: Session) -> None:
    with session(Role.PUBLIC) as client:
        assert client.read(1, "0.0.42.0.0.255", 2).startswith(b"MPR")
        with pytest.raises(GuruxError) as refused:
            client.read(*PURSE, BALANCE)
        assert refused.value.code == READ_WRITE_DENIED


@pytest.mark.parametrize("wrong", ["encryption_key", "authentication_key"])
def test_a_client_with_a_wrong_key_is_refused(meter: RunningMeter, wrong: str) -> None:
    credentials = replace(meter.credentials[Role.MANAGEMENT], **{wrong: bytes(range(100, 116))})
    with pytest.raises(GXDLMSException), associated(meter, Role.MANAGEMENT, credentials=credentials):
        pytest.fail("associated with a wrong key")


def test_an_answer_altered_on_its_way_is_refused_by_the_swapped_in_cipher(meter: RunningMeter) -> None:
    with associated(meter, Role.READER) as client:
        line = client._exchange
        client._exchange = lambda frame: flipped(line(frame))
        with pytest.raises(TagError):
            client.read(*PURSE, BALANCE)
        client._exchange = line
        assert client.read(*PURSE, BALANCE) >= 0


def test_a_request_altered_on_its_way_changes_nothing_and_is_logged(meter: RunningMeter) -> None:
    with associated(meter, Role.MANAGEMENT) as client:
        line, balance = client._exchange, client.read(*PURSE, BALANCE)
        client._exchange = lambda frame: line(flipped(frame))
        with pytest.raises(GXDLMSExceptionResponse):
            client.call(*PURSE, TOP_UP, top_up(3_000_000, 1))
        client._exchange = line
        assert client.read(*PURSE, BALANCE) == balance
        assert client.read(*PURSE, 9)[2] == DECRYPTION_FAILED


def flipped(frame: bytes) -> bytes:
    """The frame with one bit of its ciphertext flipped."""
    return frame[:-20] + bytes((frame[-20] ^ 1,)) + frame[-19:]


def test_a_client_that_starts_with_a_used_invocation_counter_is_refused(meter: RunningMeter) -> None:
    with associated(meter, Role.MANAGEMENT) as client:
        client.read(*PURSE, BALANCE)
    with pytest.raises(GXDLMSException), associated(meter, Role.MANAGEMENT, invocation_counter=1):
        pytest.fail("associated with a counter that was used")
