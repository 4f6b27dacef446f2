"""Result codes have the standard's numbers (as in gurux-dlms 1.0.203 ErrorCode)."""

import pytest

from dlms_objects.values.results import ActionResult, DataAccessResult

COMMON = {
    "SUCCESS": 0,
    "HARDWARE_FAULT": 1,
    "TEMPORARY_FAILURE": 2,
    "READ_WRITE_DENIED": 3,
    "OBJECT_UNDEFINED": 4,
    "OBJECT_CLASS_INCONSISTENT": 9,
    "OBJECT_UNAVAILABLE": 11,
    "TYPE_UNMATCHED": 12,
    "SCOPE_OF_ACCESS_VIOLATED": 13,
    "DATA_BLOCK_UNAVAILABLE": 14,
    "OTHER_REASON": 250,
}


@pytest.mark.parametrize("results", [DataAccessResult, ActionResult])
def test_attributes_and_methods_share_these_numbers(results: type[DataAccessResult] | type[ActionResult]) -> None:
    assert {name: results[name].value for name in COMMON} == COMMON


def test_long_transfers_have_their_own() -> None:
    longer = {result.name: result.value for result in DataAccessResult if result.name not in COMMON}
    assert longer == {
        "LONG_GET_ABORTED": 15,
        "NO_LONG_GET_IN_PROGRESS": 16,
        "LONG_SET_ABORTED": 17,
        "NO_LONG_SET_IN_PROGRESS": 18,
        "DATA_BLOCK_NUMBER_INVALID": 19,
    }
    assert (ActionResult.LONG_ACTION_ABORTED, ActionResult.NO_LONG_ACTION_IN_PROGRESS) == (15, 16)
