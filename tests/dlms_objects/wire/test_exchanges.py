"""The tables of exchanges: no command and no response is forgotten."""

from typing import get_args

from dlms_objects.wire import events
from dlms_objects.wire.access import AccessResponse
from dlms_objects.wire.action import ActionResponse
from dlms_objects.wire.exchange import Exchange
from dlms_objects.wire.exchanges import EXCHANGES, RESPONSES
from dlms_objects.wire.get import GetResponse
from dlms_objects.wire.set import SetResponse


def test_every_command_but_association_and_release_begins_an_exchange() -> None:
    assert set(EXCHANGES) == set(get_args(events.ClientCommand)) - {events.Associate, events.Release}
    kinds = [begin for _, begin in EXCHANGES.values()]
    assert all(isinstance(kind, type) and issubclass(kind, Exchange) for kind in kinds)
    assert len(set(kinds)) == len(kinds)


def test_every_response_of_a_service_is_an_input_of_the_table() -> None:
    responses = {*get_args(GetResponse), *get_args(SetResponse), *get_args(ActionResponse), AccessResponse}
    assert set(RESPONSES) == responses
    for response, input_ in RESPONSES.items():
        service = input_.name.removesuffix("_RESPONSE").title()
        assert response.__name__.startswith(service)
