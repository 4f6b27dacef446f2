"""The JSON that gateways send is as strict as the rows it carries."""

import pytest
from pydantic import ValidationError

from headend.api.uploads import EventMeterAnswer, EventsSent, ItemSent, MeterAnswer, RecordsSent
from headend.descriptors import Descriptor
from headend.events import EventAnswer
from headend.ingest import Answer, Status
from tests.support.headend_books import TITLE

ITEM = {"number": 1, "revision": 2, "kind": 3, "label": "水费", "payee": "waterworks"}


def test_an_item_is_a_descriptor() -> None:
    assert ItemSent.model_validate(ITEM).descriptor() == Descriptor(
        number=1, revision=2, kind=3, label="水费", payee="waterworks"
    )


@pytest.mark.parametrize(
    "changed", [{"number": 256}, {"revision": -1}, {"kind": True}, {"label": "x" * 65}, {"payee": "x" * 33}, {"x": 1}]
)
def test_an_item_that_no_meter_could_have_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ItemSent.model_validate(ITEM | changed)


def test_a_request_has_a_limit_of_batches() -> None:
    for model in (RecordsSent, EventsSent):
        with pytest.raises(ValidationError, match="at most 1000"):
            model.model_validate({"batches": [{}] * 1001})


def test_answers_carry_titles_and_digests_as_text() -> None:
    answer = MeterAnswer.of(Answer(title=TITLE, status=Status.GAP, sequence=3, digest=b"\x01" * 16, detail="why"))
    assert answer.model_dump(mode="json") == {
        "system_title": str(TITLE),
        "status": "gap",
        "sequence": 3,
        "digest": "01" * 16,
        "detail": "why",
    }
    events = EventMeterAnswer.of(EventAnswer(title=TITLE, status=Status.ACCEPTED, number=9))
    assert events.model_dump(mode="json", exclude_none=True) == {
        "system_title": str(TITLE),
        "status": "accepted",
        "number": 9,
    }
