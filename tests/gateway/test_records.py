"""gateway/records.py: what a batch knows of its rows."""

from dlms_objects.values.money import Currency
from gateway.records import RecordBatch
from tests.support.fake_session import TITLE, FakeMeter


def test_a_batch_knows_the_digests_of_its_own_rows_only() -> None:
    meter = FakeMeter()
    rows = tuple(meter.book(1) for _ in range(5))
    batch = RecordBatch(title=TITLE, first=3, rows=rows[2:4], items=(), currency=Currency("CNY", -2))
    assert batch.last == 4
    assert batch.digest_at(3) == rows[2][-16:]
    assert batch.digest_at(4) == rows[3][-16:]
    assert batch.digest_at(2) is None
    assert batch.digest_at(5) is None
