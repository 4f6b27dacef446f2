"""The typed client: every call ends in a value or in one of four errors, and no connection is left over."""

from dataclasses import replace

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.errors import InvalidValueError, LocalError, RefusedError, RemoteError, TransportLostError
from dlms_objects.meter import meter
from dlms_objects.transport.client import (
    AccessRefusedByMeterError,
    AssociationRefusedByMeterError,
    ClientIdentity,
    client_parameters,
    open_session,
)
from dlms_objects.values.data import long64
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.access import AccessGet
from dlms_objects.wire.counters import COUNTER_CEILING, CounterExhausted, Counters, MemorySentCounters
from dlms_objects.wire.exception import ExceptionResponse, ServiceError, StateError
from dlms_objects.wire.get import GetResponseBlock
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.parameters import USUAL_CONFORMANCE
from dlms_objects.wire.wrapper import encode_frame
from tests.support.memory_network import MemoryReactor
from tests.support.meters import BALANCE, CLIENT_TITLE, CLOCK_TIME, ENDPOINT, JOURNAL_BUFFER, identifier
from tests.support.twisted_testing import has_result, result_of, started

ZERO = axdr.encode(long64(0))
TOP_UP = MethodDescriptor(PURSE.class_id, PURSE_NAME, 1)
CLOCK = [AttributeWithSelection(attribute=CLOCK_TIME)]
TIMEOUT_S = 10.0
EXCEPTION = ExceptionResponse(
    state_error=StateError.SERVICE_NOT_ALLOWED, service_error=ServiceError.OPERATION_NOT_POSSIBLE
).encode()


@pytest.fixture
def public(world):
    return world.connect(Role.PUBLIC)


def silent(_octets):
    """A line on which nothing arrives."""
    return b""


def is_over(client):
    """Whether the connection is gone and leaves no timer behind, and the session says so."""
    with pytest.raises(TransportLostError):
        client.read(CLOCK_TIME)
    return client.line.client.is_lost


def client_timers(world):
    return [call for call in world.reactor.getDelayedCalls() if "_Pump" in str(call.func)]


def test_values_are_read_written_and_acted_on(world):
    client = world.connect()
    assert client.read(BALANCE) == ZERO
    settings = AttributeDescriptor(PURSE.class_id, PURSE_NAME, 4)
    client.write(settings, client.read(settings))
    top_up = {"transaction_id": identifier(1), "amount": 5}
    assert client.do("top_up", top_up)["balance"] == 5


def test_a_long_value_comes_whole_in_blocks(world):
    client = world.connect()
    for number in range(1, 11):
        client.top_up(number, 1)
    whole = client.read(JOURNAL_BUFFER)
    client.release()
    parameters = replace(world.parameters(Role.MANAGEMENT), max_pdu=128)
    session = world.reactor.run(open_session(world.reactor, ENDPOINT, parameters))
    assert world.reactor.run(session.get(JOURNAL_BUFFER)) == whole


def test_a_legal_no_carries_its_result_and_the_session_goes_on(world):
    reader = world.connect(Role.READER)
    with pytest.raises(AccessRefusedByMeterError) as read:
        reader.read(AttributeDescriptor(PURSE.class_id, PURSE_NAME, 10))
    with pytest.raises(AccessRefusedByMeterError, match="read-write-denied") as written:
        reader.write(BALANCE, ZERO)
    with pytest.raises(AccessRefusedByMeterError) as called:
        reader.act(TOP_UP)
    assert [error.value.result for error in (read, written, called)] == [
        DataAccessResult.OBJECT_UNDEFINED,
        DataAccessResult.READ_WRITE_DENIED,
        ActionResult.READ_WRITE_DENIED,
    ]
    assert isinstance(read.value, RefusedError)
    assert reader.read(BALANCE) == ZERO


def test_releasing_closes_the_connection_and_leaves_no_timer(world):
    client = world.connect()
    client.release()
    assert is_over(client)
    assert client_timers(world) == []


# --- opening ---


def test_a_refused_association_is_a_legal_no_and_leaves_nothing_open(world):
    wrong = replace(world.credentials[Role.MANAGEMENT], encryption_key=bytes(range(100, 116)))
    with pytest.raises(
        AssociationRefusedByMeterError, match="the meter refused the association: authentication-failure"
    ):
        world.connect(credentials=wrong)
    assert world.reactor.lines == []
    assert client_timers(world) == []


def test_a_meter_with_another_title_is_not_believed(world):
    other = replace(world.credentials[Role.MANAGEMENT], system_title=SystemTitle(b"MPR\x00\x00\x00\x00\x09"))
    with pytest.raises(RemoteError):
        world.connect(credentials=other)
    assert world.reactor.lines == []


def test_a_line_that_cannot_be_opened_is_a_lost_transport(world):
    world.reactor.listener = None
    with pytest.raises(TransportLostError, match="tcp:meter:4059: cannot connect"):
        world.connect()


class DeafReactor(MemoryReactor):
    """A network in which no connection is ever made, nor refused."""

    def connectTCP(self, host, port, factory, timeout=30, bindAddress=None):  # noqa: N802, N803
        factory.doStart()
        factory.startedConnecting(self)
        return self

    def getDestination(self):  # noqa: N802
        return IPv4Address("TCP", "192.0.2.9", 4059)

    def stopConnecting(self):  # noqa: N802
        """Given up."""


def test_a_connection_that_is_not_made_in_time_is_a_lost_transport(world):
    reactor = DeafReactor(0.0)
    opening = started(open_session(reactor, ENDPOINT, world.parameters(Role.PUBLIC)))
    reactor.advance(TIMEOUT_S - 0.1)
    assert not has_result(opening)
    reactor.advance(0.2)
    with pytest.raises(TransportLostError, match="no connection within 10 s"):
        result_of(opening)


def test_a_meter_that_does_not_answer_the_association_is_a_lost_transport(world):
    opening = started(open_session(world.reactor, ENDPOINT, world.parameters(Role.MANAGEMENT)))
    (line,) = world.reactor.lines
    line.to_meter = silent
    world.reactor.settle()
    world.reactor.advance(TIMEOUT_S + 0.1)
    with pytest.raises(TransportLostError, match="no answer within"):
        result_of(opening)
    assert line.client.is_lost


@pytest.mark.parametrize("endpoint", ["", "tcp:", "tcp:meter", "tcp:meter:port", "carrier pigeon", "pigeon:coop:1"])
def test_an_endpoint_that_is_none_is_our_mistake_and_says_what_is_wanted(world, endpoint):
    with pytest.raises(InvalidValueError, match="is no endpoint such as tcp:127.0.0.1:4059"):
        world.reactor.run(open_session(world.reactor, endpoint, world.parameters(Role.PUBLIC)))


def test_a_client_whose_key_is_used_up_says_so_and_leaves_nothing_open(world):
    for left in (0, 1, 2):
        spent = Counters(
            sent=MemorySentCounters(COUNTER_CEILING - left), received=world.counters[Role.MANAGEMENT].received
        )
        with pytest.raises(CounterExhausted):
            world.connect(counters=spent, title=SystemTitle(bytes((77, 80, 67, 0, 0, 0, 0, left))))
        assert world.reactor.lines == []


# --- lines that break, peers that break the protocol ---


def test_a_request_that_is_not_answered_in_time_ends_the_session(world, public):
    reading = started(public.session.get(CLOCK_TIME))
    public.line.to_meter = silent
    world.reactor.settle()
    world.reactor.advance(TIMEOUT_S - 0.1)
    assert not has_result(reading)
    world.reactor.advance(0.2)
    with pytest.raises(TransportLostError, match="no answer within"):
        result_of(reading)
    assert is_over(public)


def test_a_slow_answer_within_the_time_is_an_answer(world, public):
    for _ in range(3):
        reading = started(public.session.get(CLOCK_TIME))
        world.reactor.advance(TIMEOUT_S - 1)
        world.reactor.settle()
        assert len(result_of(reading)) == 14


def test_a_line_lost_while_waiting_is_a_lost_transport(world, public):
    reading = started(public.session.get(CLOCK_TIME))
    public.line.to_meter = silent
    public.line.meter.abortConnection()
    with pytest.raises(TransportLostError, match="the connection was lost"):
        result_of(reading)
    assert is_over(public)
    assert client_timers(world) == []


def answering(octets):
    """A line that carries these octets in place of the answer."""
    return lambda _answer: octets


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x02" + bytes(6),
        b"HTTP/1.1 400 Bad Request",
        encode_frame(1, 16, b""),
        encode_frame(1, 16, b"\xc4\x01"),
        encode_frame(1, 16, b"\xc5\x01\xc1\x00"),
        encode_frame(2, 16, b"\xc4\x01\xc1\x00\x00"),
        encode_frame(1, 17, b"\xc4\x01\xc1\x00\x00"),
        encode_frame(1, 16, b"\xc4\x01\xc9\x00\x00"),
        encode_frame(1, 16, EXCEPTION),
    ],
    ids=[
        "another version",
        "another protocol",
        "an empty APDU",
        "half an APDU",
        "a set-response",
        "from another server",
        "to another client",
        "to another request",
        "an exception",
    ],
)
def test_an_answer_that_is_none_is_the_peers_fault_and_ends_the_session(public, octets):
    public.line.to_client = answering(octets)
    with pytest.raises(RemoteError):
        public.read(CLOCK_TIME)
    assert is_over(public)


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.read(CLOCK_TIME),
        lambda client: client.write(CLOCK_TIME, ZERO),
        lambda client: client.act(TOP_UP),
        lambda client: client._run(client.session.get_list(CLOCK)),
        lambda client: client._run(client.session.set_list(CLOCK, [ZERO])),
        lambda client: client._run(client.session.action_list([TOP_UP], [ZERO])),
        lambda client: client._run(client.session.access([AccessGet(attribute=CLOCK_TIME)], [ZERO])),
    ],
    ids=["get", "set", "action", "get list", "set list", "action list", "access"],
)
def test_the_exception_of_a_meter_is_named_whatever_was_asked(public, ask):
    public.line.to_client = answering(encode_frame(1, 16, EXCEPTION))
    with pytest.raises(RemoteError, match="the meter answered with an exception: operation-not-possible"):
        ask(public)
    assert is_over(public)


def test_an_exception_in_place_of_the_association_leaves_nothing_open(world):
    opening = started(open_session(world.reactor, ENDPOINT, world.parameters(Role.PUBLIC)))
    (line,) = world.reactor.lines
    line.to_client = answering(encode_frame(1, 16, EXCEPTION))
    world.reactor.settle()
    with pytest.raises(RemoteError, match="operation-not-possible"):
        result_of(opening)
    assert world.reactor.lines == []


def test_a_method_that_was_done_but_whose_result_is_not_to_be_had_is_a_legal_no(public):
    public.line.to_client = answering(encode_frame(1, 16, bytes.fromhex("c701c1000101fa")))
    with pytest.raises(AccessRefusedByMeterError) as refusal:
        public.act(TOP_UP)
    assert refusal.value.result is DataAccessResult.OTHER_REASON


def test_a_list_that_breaks_off_is_a_legal_no(public):
    broken_off = GetResponseBlock(last=True, block_number=1, result=DataAccessResult.LONG_GET_ABORTED)
    public.line.to_client = answering(encode_frame(1, 16, broken_off.encode()))
    with pytest.raises(AccessRefusedByMeterError, match="long-get-aborted"):
        public._run(public.session.get_list(CLOCK))


def test_what_a_meter_sends_unasked_goes_to_who_wants_it_and_answers_nothing(world, monkeypatch):
    monkeypatch.setattr(meter, "SERVED_CONFORMANCE", USUAL_CONFORMANCE)
    world.restart()
    heard, pushed = [], DataNotification(body=ZERO)
    for notified in ({"notified": heard.append}, {}):
        opening = open_session(world.reactor, ENDPOINT, world.parameters(Role.PUBLIC), **notified)
        session = world.reactor.run(opening)
        world.reactor.lines[-1].to_client = lambda answer: encode_frame(1, 16, pushed.encode()) + answer
        assert len(world.reactor.run(session.get(CLOCK_TIME))) == 14
    assert heard == [pushed]


def test_an_answer_before_garbage_is_still_handed_out_and_then_the_session_is_over(public):
    public.line.to_client = lambda answer: answer + b"garbage!"
    assert len(public.read(CLOCK_TIME)) == 14
    assert is_over(public)


def test_who_asks_again_from_within_the_answer_before_garbage_is_told_that_it_is_over(world, public):
    async def twice():
        first = await public.session.get(CLOCK_TIME)
        with pytest.raises(TransportLostError):
            await public.session.get(CLOCK_TIME)
        return first

    public.line.to_client = lambda answer: answer + b"garbage!"
    assert len(world.reactor.run(twice())) == 14


def test_octets_nobody_asked_for_end_the_session(world, public):
    public.line.meter.write(encode_frame(1, 16, b"\xc4\x01\xc1\x00\x00"))
    world.reactor.settle()
    assert is_over(public)


# --- one call at a time ---


def test_a_second_request_while_one_waits_is_our_mistake_and_disturbs_nothing(world, public):
    first = started(public.session.get(CLOCK_TIME))
    with pytest.raises(LocalError, match="one request at a time"):
        result_of(public.session.get(CLOCK_TIME))
    world.reactor.settle()
    assert len(result_of(first)) == 14


def test_a_cancelled_request_ends_the_session(world, public):
    waiting = started(public.session.get(CLOCK_TIME))
    waiting.cancel()
    with pytest.raises((TransportLostError, CancelledError)):
        result_of(waiting)
    assert is_over(public)


def test_a_session_given_up_tells_who_waits(world, public):
    waiting = started(public.session.get(CLOCK_TIME))
    public.session.abort()
    public.session.abort()
    with pytest.raises(TransportLostError, match="given up"):
        result_of(waiting)
    assert is_over(public)


# --- releasing ---


def test_releasing_from_a_meter_that_is_gone_is_no_error(world, public):
    public.line.meter.abortConnection()
    public.release()


def test_releasing_from_a_meter_that_does_not_answer_ends_with_the_time_out(world, public):
    public.line.to_meter = silent
    releasing = started(public.session.release())
    world.reactor.settle()
    assert not has_result(releasing)
    world.reactor.advance(TIMEOUT_S + 0.1)
    result_of(releasing)
    assert is_over(public)


def test_neither_keys_nor_counters_show_in_the_parameters(world):
    credentials = world.credentials[Role.MANAGEMENT]
    words = f"{client_parameters(credentials, _identity(world))!r} {_identity(world)!r}"
    assert credentials.encryption_key.hex() not in words
    assert repr(credentials.encryption_key) not in words
    assert "counters" not in words


def _identity(world):

    return ClientIdentity(system_title=CLIENT_TITLE, counters=world.counters[Role.MANAGEMENT])
