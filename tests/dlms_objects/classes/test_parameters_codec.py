"""Fee item parameters travel as structure P and come back the same."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.classes.fee_item_class import PARAMETERS
from dlms_objects.classes.parameters_codec import UNCONFIGURED, parameters_from_data, parameters_to_data
from dlms_objects.classes.shape import conforms, to_plain
from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.parameters import AmountSource, FeeKind, Parameters, RegisterReference, UnitPrice
from dlms_objects.purse.schedule import Frequency, Schedule
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire import axdr

RENT = Parameters(
    kind=FeeKind.RENT,
    label="房租",
    payee="landlord",
    priority=1,
    amount=350_000,
    schedule=Schedule(
        frequency=Frequency.MONTHLY, day=1, time=time(0, 10), first=date(2026, 1, 1), last=date(2026, 12, 31)
    ),
)
ENERGY = RegisterReference(3, LogicalName.parse("1.0.1.8.0.255"), 2)


def replaced(value: Data, path: tuple[int, ...], member: Data) -> Data:
    if not path:
        return member
    members = list(value.value)
    members[path[0]] = replaced(members[path[0]], path[1:], member)
    return Data(value.type, tuple(members))


@given(
    kind=st.sampled_from(FeeKind),
    label=st.text(max_size=16),
    priority=st.integers(0, 255),
    amount=st.integers(0, 2**63 - 1),
    price=st.integers(0, 2**32 - 1),
    scaler=st.integers(-9, 9),
    frequency=st.sampled_from([Frequency.ONCE, Frequency.DAILY]),
    interval=st.integers(1, 255),
    clock=st.times().map(lambda moment: moment.replace(microsecond=0)),
    first=st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    count=st.integers(0, 65535),
)
def test_any_parameters_survive_the_wire(  # noqa: PLR0913 - one strategy per member
    kind, label, priority, amount, price, scaler, frequency, interval, clock, first, count
):
    parameters = Parameters(
        kind=kind,
        label=label,
        priority=priority,
        amount_source=AmountSource.METERED,
        amount=amount,
        unit_price=UnitPrice(price=price, scaler=scaler, register=ENERGY),
        schedule=Schedule(frequency=frequency, interval=interval, time=clock, first=first, count=count),
    )
    value = parameters_to_data(parameters)
    assert conforms(PARAMETERS, value)
    assert parameters_from_data(axdr.decode(axdr.encode(value))) == parameters


@pytest.mark.parametrize(
    ("path", "member", "words"),
    [
        ((0,), cosem.enum(9), "kind has no value 9"),
        ((5,), cosem.enum(4), "amount_source has no value 4"),
        ((6,), cosem.long64(-1), "amount"),
        ((8, 0), cosem.enum(5), "schedule.frequency has no value 5"),
        ((8, 2), cosem.integer(0), "schedule.day"),
        ((8, 3), cosem.octet_string(b"\xff" * 4), "schedule.time"),
        ((8, 4), cosem.octet_string(b"\xff" * 5), "schedule.first"),
        ((8, 4), cosem.octet_string(bytes.fromhex("07ea021eff")), "schedule.first"),
        ((8, 5), cosem.octet_string(bytes.fromhex("07ea021eff")), "schedule.last"),
        ((8, 5), cosem.octet_string(bytes.fromhex("07d0010106")), "schedule.last"),
        ((6,), cosem.double_long(1), "not a structure of fee item parameters"),
    ],
)
def test_invalid_parameters_are_refused_whole_and_named(path, member, words):
    with pytest.raises(InvalidValueError, match=words):
        parameters_from_data(replaced(parameters_to_data(RENT), path, member))


def test_an_item_that_was_never_configured_reads_disabled_with_an_empty_label():
    plain = to_plain(PARAMETERS, parameters_to_data(UNCONFIGURED))
    assert (plain["enabled"], plain["label"]) == (False, "")


def test_the_octets_of_structure_p_are_those_of_the_object_model():
    expected = (
        "0209 1601 0c06e688bfe7a79f 0a086c616e646c6f7264 0301 1101 1600 140000000000055730"
        "0203 0600000000 0f00 0203 120000 0906000000000000 0f00"
        "0207 1603 1101 0f01 0904000a0000 090507ea010104 090507ea0c1f04 120000"
    )
    assert axdr.encode(parameters_to_data(RENT)).hex() == expected.replace(" ", "")
