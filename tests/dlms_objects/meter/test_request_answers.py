"""Lists and ACCESS at the meter: every item with its own rights, its own result, in order, and no effect unsaid."""

from dataclasses import replace

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.meter.logical_device import LogicalDevice
from dlms_objects.transport.client import open_session
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.access import AccessAction, AccessGet, AccessSet
from dlms_objects.wire.lists import AttributeWithSelection
from tests.support.meters import BALANCE, CLOCK_TIME, ENDPOINT, JOURNAL_BUFFER

SETTINGS = AttributeDescriptor(PURSE.class_id, PURSE_NAME, 4)
MISSING = AttributeDescriptor(PURSE.class_id, PURSE_NAME, 99)
TOP_UP = MethodDescriptor(PURSE.class_id, PURSE_NAME, 1)
ZERO = b"\x14" + bytes(8)
NOTHING = b"\x00"
DENIED, UNDEFINED, OTHER = (
    DataAccessResult.READ_WRITE_DENIED,
    DataAccessResult.OBJECT_UNDEFINED,
    DataAccessResult.OTHER_REASON,
)


def items(*attributes):
    return [AttributeWithSelection(attribute=attribute) for attribute in attributes]


def top_up(number, amount):
    """The parameter of a top-up, in A-XDR."""
    return b"\x02\x02\x09\x10" + number.to_bytes(16, "big") + b"\x14" + amount.to_bytes(8, "big", signed=True)


def run(client, awaitable):
    return client._run(awaitable)


def test_a_list_of_attributes_is_read_each_with_its_own_rights(world):
    client = world.connect()
    client.top_up(1, 5)
    results = run(client, client.session.get_list(items(BALANCE, MISSING, JOURNAL_BUFFER, CLOCK_TIME)))
    assert results[0] == client.read(BALANCE)
    assert results[1] == UNDEFINED
    assert results[2] == client.read(JOURNAL_BUFFER)
    assert len(results[3]) == 14
    public = world.connect(Role.PUBLIC)
    assert run(public, public.session.get_list(items(BALANCE, CLOCK_TIME)))[0] == DENIED


def test_a_list_of_attributes_is_written_each_with_its_own_result(world):
    client = world.connect()
    settings = client.read(SETTINGS)
    results = run(client, client.session.set_list(items(SETTINGS, BALANCE, SETTINGS), [settings, ZERO, ZERO]))
    assert results == (DataAccessResult.SUCCESS, DENIED, DataAccessResult.TYPE_UNMATCHED)
    assert client.read(BALANCE) == ZERO


def test_a_list_of_methods_is_carried_out_in_turn(world):
    client = world.connect()
    calls = [top_up(1, 5), top_up(1, 5), ZERO, top_up(2, 7)]
    responses = run(client, client.session.action_list([TOP_UP] * 4, calls))
    success, unmatched = ActionResult.SUCCESS, ActionResult.TYPE_UNMATCHED
    assert [response.result for response in responses] == [success, success, unmatched, success]
    assert responses[2].value is None
    assert axdr.decode(responses[3].value) != axdr.decode(responses[0].value)
    assert client.purse("balance") == 12


@pytest.mark.parametrize("breaks_on_error", [False, True])
def test_an_access_does_everything_in_order_until_a_failure_breaks_it_off(world, breaks_on_error):
    client = world.connect()
    specifications = [
        AccessAction(method=TOP_UP),
        AccessGet(attribute=BALANCE),
        AccessSet(attribute=BALANCE),
        AccessAction(method=TOP_UP),
        AccessGet(attribute=BALANCE),
        AccessSet(attribute=SETTINGS),
    ]
    values = [top_up(1, 5), NOTHING, ZERO, top_up(2, 7), NOTHING, client.read(SETTINGS)]
    done = run(client, client.session.access(specifications, values, breaks_on_error=breaks_on_error))
    rest = [ActionResult.OTHER_REASON, OTHER, OTHER] if breaks_on_error else [0, 0, 0]
    assert [result.result for result in done.results] == [0, 0, DENIED, *rest]
    five, twelve = ZERO[:-1] + b"\x05", ZERO[:-1] + b"\x0c"
    assert done.values[1:3] == (five, NOTHING)
    assert done.values[4:] == (NOTHING if breaks_on_error else twelve, NOTHING)
    assert client.read(BALANCE) == (five if breaks_on_error else twelve)


def test_an_error_nobody_foresaw_befalls_its_own_item_only(world, monkeypatch):
    client = world.connect()
    genuine = LogicalDevice.get

    def faulty(device, attribute, selection, requester):
        if attribute == CLOCK_TIME:
            raise ZeroDivisionError("a fault of ours")
        return genuine(device, attribute, selection, requester)

    monkeypatch.setattr(LogicalDevice, "get", faulty)
    results = run(client, client.session.get_list(items(BALANCE, CLOCK_TIME, BALANCE)))
    assert results == (ZERO, OTHER, ZERO)
    specifications = [AccessAction(method=TOP_UP), AccessGet(attribute=CLOCK_TIME), AccessGet(attribute=BALANCE)]
    done = run(client, client.session.access(specifications, [top_up(1, 5), NOTHING, NOTHING]))
    assert [result.result for result in done.results] == [0, OTHER, 0]
    assert done.values[2] == ZERO[:-1] + b"\x05"


def test_a_short_pdu_makes_no_difference_to_what_is_done(world):
    parameters = replace(world.parameters(Role.MANAGEMENT), max_pdu=128)
    session = world.reactor.run(open_session(world.reactor, ENDPOINT, parameters))
    calls = [top_up(number, 1) for number in (1, 2, 3)]
    responses = world.reactor.run(session.action_list([TOP_UP] * 3, calls))
    assert [response.result for response in responses] == [0, 0, 0]
    whole = world.reactor.run(session.get_list(items(JOURNAL_BUFFER, BALANCE, SETTINGS)))
    world.reactor.run(session.release())
    client = world.connect()
    assert whole == (client.read(JOURNAL_BUFFER), ZERO[:-1] + b"\x03", client.read(SETTINGS))
