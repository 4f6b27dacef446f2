"""ACCESS of a client: a value and a result for each specification, in its order and of its service."""

from dataclasses import replace
from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.access import AccessRequest, AccessResponse, AccessResult, AccessService
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.get import GetResponseNormal
from dlms_objects.wire.list_events import AccessDone
from tests.support.associations import VALUE
from tests.support.exchanges import begun, exchange_of, limits
from tests.support.services import mixed_access

COMMAND = mixed_access()
READ = AccessResult(service=AccessService.GET, result=DataAccessResult.SUCCESS)
WRITTEN = AccessResult(service=AccessService.SET, result=DataAccessResult.READ_WRITE_DENIED)
INVOKED = AccessResult(service=AccessService.ACTION, result=ActionResult.SUCCESS)
RESPONSE = AccessResponse(
    values=(b"\x00", VALUE, VALUE, b"\x00"),
    results=(WRITTEN, READ, INVOKED, READ),
    long_invoke_id_and_priority=0xC000_0005,
)


@pytest.mark.parametrize(("breaks_on_error", "options"), [(False, 0xC000_0000), (True, 0xE000_0000)])
def test_a_request_says_everything_and_its_results_end_the_exchange(breaks_on_error: bool, options: int) -> None:
    exchange, request = begun(replace(COMMAND, breaks_on_error=breaks_on_error))
    assert request == AccessRequest(
        specifications=COMMAND.specifications, values=COMMAND.values, long_invoke_id_and_priority=options | 5
    )
    assert exchange.take(RESPONSE) == AccessDone(RESPONSE.values, RESPONSE.results)


@pytest.mark.parametrize(
    "response",
    [
        GetResponseNormal(result=VALUE),
        replace(RESPONSE, values=(VALUE,) * 3, results=(WRITTEN, READ, INVOKED)),
        replace(RESPONSE, results=(READ, WRITTEN, INVOKED, READ)),
    ],
)
def test_what_does_not_answer_is_refused(response: Any) -> None:
    with pytest.raises(RemoteError):
        exchange_of(COMMAND).take(response)


def test_an_access_that_was_not_agreed_is_not_begun() -> None:
    with pytest.raises(LocalError):
        exchange_of(COMMAND, limits(without=Conformance.ACCESS))
