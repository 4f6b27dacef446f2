"""The points: exact, unique and repeatable."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.values.cosem_time import CosemDateTime
from headend import measurements
from tests.support.headend_books import SHANGHAI, TITLE, usual_journal

NOW = datetime(2026, 11, 22, 8, 0, 0, 123456, tzinfo=UTC)
NOW_NS = 1_795_334_400_123_456_000
MOMENT = CosemDateTime.from_instant(datetime(2026, 1, 1, tzinfo=UTC), SHANGHAI)
MOMENT_NS = 1_767_225_600 * 10**9


def entry_point(number: int, *, account: str = "payable:landlord", label: str = "房租") -> str:
    entry = usual_journal().entries[number - 1]
    return measurements.purse_entry(entry, meter=str(TITLE), currency="CNY", account=account, label=label)


def test_a_deduction_says_what_to_whom_how_much_and_how_late() -> None:
    assert entry_point(2) == (
        "purse_entry,meter=4D50520000000001,currency=CNY,kind=deduction,item=房租,payee=landlord "
        "amount_minor=-350000i,balance_minor=150000i,sequence=2i,item_number=1i,late_s=0i 1767232800000000002"
    )


@pytest.mark.parametrize(
    ("number", "account", "label", "tags"),
    [
        (1, "clearing:top_up", "", "kind=top_up,item=-,payee=- "),
        (2, "payable:unassigned", "", "kind=deduction,item=1,payee=unassigned "),
        (3, "payable:water works", "Water, cold", r"kind=deduction,item=Water\,\ cold,payee=water\ works "),
        (4, "payable:waterworks", "Water", "kind=reversal,item=Water,payee=waterworks "),
        (6, "adjustment", "", "kind=adjustment,item=-,payee=- "),
    ],
)
def test_every_entry_has_item_and_payee(number: int, account: str, label: str, tags: str) -> None:
    assert tags in entry_point(number, account=account, label=label)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 2**32 - 1)), unique=True, min_size=2, max_size=20))
def test_rows_of_a_journal_never_share_a_timestamp(rows: list[tuple[int, int]]) -> None:
    """Two rows of one hundredth of a second would need numbers ten million apart."""
    numbers = [number % 10_000_000 for _, number in rows]
    moments = [
        CosemDateTime(MOMENT.octets[:7] + bytes([second % 60, second % 100]) + MOMENT.octets[9:]) for second, _ in rows
    ]
    keys = {(moment.octets, number) for moment, number in zip(moments, numbers, strict=True)}
    made = {measurements.row_timestamp_ns(moment, number) for moment, number in zip(moments, numbers, strict=True)}
    assert len(made) == len(keys)


def test_a_timestamp_is_the_hundredth_and_the_number() -> None:
    assert measurements.row_timestamp_ns(MOMENT, 4_000_000_007) == MOMENT_NS + 7
    later = CosemDateTime(MOMENT.octets[:8] + b"\x63" + MOMENT.octets[9:])
    assert measurements.row_timestamp_ns(later, 1) == MOMENT_NS + 990_000_001


@pytest.mark.parametrize("time", [CosemDateTime.NOT_SPECIFIED, CosemDateTime.from_civil(datetime(2026, 1, 1))])
def test_a_row_without_an_instant_is_kept_at_the_beginning_of_1970(time: CosemDateTime) -> None:
    assert measurements.row_timestamp_ns(time, 12) == 12


def test_an_event_has_its_name_or_its_number() -> None:
    told = {"meter": "A", "number": 3, "time": MOMENT, "fee_item": 1, "value": -5}
    assert measurements.meter_event(code=12, **told) == (
        f"meter_event,meter=A,code=insufficient value=-5i,item_number=1i,number=3i {MOMENT_NS + 3}"
    )
    assert ",code=999 " in measurements.meter_event(code=999, **told)


def test_a_meters_status_says_how_late_its_records_came() -> None:
    told = {"meter": "A", "status": "accepted", "sequence": 9, "rows": 2, "now": NOW}
    last = CosemDateTime.from_instant(datetime(2026, 11, 22, 7, 59, 0, tzinfo=UTC), SHANGHAI)
    assert measurements.meter_status(last=last, **told) == (
        f"meter_status,meter=A,status=accepted sequence=9i,rows=2i,latency_s=60i {NOW_NS}"
    )
    for unknown in (None, CosemDateTime.NOT_SPECIFIED):
        assert "latency" not in measurements.meter_status(last=unknown, **told)


def test_a_heartbeat_is_its_whole_numbers() -> None:
    status = {"lines": 2, "oldest_row_age_s": None, "system_title": "4D", "up": True, "load": 0.5, "huge": 2**63}
    made = measurements.gateway_status(gateway="north wing", status=status, now=NOW)
    assert made == rf"gateway_status,gateway=north\ wing lines=2i,oldest_row_age_s=0i {NOW_NS}"
    assert measurements.gateway_status(gateway="x", status={"words": "only"}, now=NOW) is None


def test_the_head_ends_own_figures() -> None:
    assert measurements.headend_status({"meters": 3}, now=NOW) == f"headend_status meters=3i {NOW_NS}"


def test_attempts_of_one_moment_are_kept_apart() -> None:
    told = {"meter": "A", "kind": "deduction", "channel": "mail", "outcome": "sent", "attempts": 1, "waited_s": 4}
    first, second = (measurements.notice_delivery(number=number, now=NOW, **told) for number in (7, 8))
    assert first == (
        "notice_delivery,meter=A,kind=deduction,channel=mail,outcome=sent "
        f"attempts=1i,waited_s=4i,notice=7i {NOW_NS + 7}"
    )
    assert first.rpartition(" ")[2] != second.rpartition(" ")[2]
