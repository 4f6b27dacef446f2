"""Commands and events of lists are plain values that cannot be made with lists that do not go together."""

from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import list_events as lev
from dlms_objects.wire.access import AccessAction, AccessGet, AccessService, AccessSet
from tests.support.associations import REGISTER, TOP_UP, VALUE
from tests.support.services import ITEMS, METHODS

SPECIFICATIONS = (AccessGet(attribute=REGISTER), AccessAction(method=TOP_UP), AccessSet(attribute=REGISTER))


@pytest.mark.parametrize(
    ("kind", "lists"),
    [
        (lev.GetList, ((),)),
        (lev.SetList, ((), ())),
        (lev.SetList, (ITEMS[:2], (VALUE,))),
        (lev.ActionList, ((), ())),
        (lev.ActionList, (METHODS, (VALUE,) * 3)),
        (lev.Access, ((), ())),
        (lev.Access, (SPECIFICATIONS, (VALUE,))),
        (lev.AccessAnswer, ((VALUE,), ())),
    ],
)
def test_empty_lists_and_lists_of_another_length_are_refused(kind: Any, lists: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidValueError):
        kind(*lists)


def test_the_service_of_each_specification_is_told_in_order() -> None:
    assert lev.services_of(SPECIFICATIONS) == [AccessService.GET, AccessService.ACTION, AccessService.SET]
    assert lev.services_of(()) == []
