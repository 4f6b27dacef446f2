"""Our classes as gurux objects: gurux-dlms uses them on our running meter, and the program of docs/gurux.md runs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.gurux_bridge.purse_objects import DeclaredObject, GXDLMSCourier, GXDLMSFeeItem, GXDLMSPurse, adopt
from tests.support.courier_headend import DONE, CourierHeadEnd
from tests.support.gurux_cipher import openssl
from tests.support.gurux_client import GuruxClient
from tests.support.gurux_meter import RunningMeter, associated, running_meter
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

DOCUMENT = ROOT / "docs" / "gurux.md"
LABEL = "Rent 房租"
LATER = "2035-01-15"


@pytest.fixture(autouse=True)
def _verifying_cipher() -> Iterator[None]:
    with openssl():
        yield


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMeter]:
    with running_meter(tmp_path_factory.mktemp("meter")) as running:
        yield running


@pytest.fixture
def gurux(meter: RunningMeter) -> Iterator[GuruxClient]:
    with associated(meter, Role.MANAGEMENT) as client:
        yield client


def read(gurux: GuruxClient, item: DeclaredObject, index: int) -> object:
    return item.update(index, gurux.exchange(gurux.client.read(item, index)))


def identifier(number: int) -> bytes:
    return number.to_bytes(16, "big")


def configured(gurux: GuruxClient, number: int, **parameters: object) -> GXDLMSFeeItem:
    item = GXDLMSFeeItem(number)
    read(gurux, item, 2)
    assert item.parameters is not None
    schedule = item.parameters["schedule"] | {"frequency": "monthly", "day": 15, "first": LATER}
    item.parameters |= {"enabled": True, "label": LABEL, "schedule": schedule, **parameters}
    gurux.exchange(gurux.client.write(item, 2))
    return item


def test_every_attribute_of_purse_and_fee_item_is_read_by_name(gurux: GuruxClient) -> None:
    for item in (GXDLMSPurse(), GXDLMSFeeItem(32)):
        for index in item.getAttributeIndexToRead(True):
            read(gurux, item, index)
        assert dict(zip(item.getNames(), item.getValues(), strict=True))["status"] is not None
    assert (item.revision, item.pending_amounts, item.passive_parameters) == (0, [], None)


def test_gurux_own_update_gives_the_same_values(gurux: GuruxClient) -> None:
    configured(gurux, 5)
    for index in (2, 5, 6, 7):
        ours, theirs = GXDLMSFeeItem(5), GXDLMSFeeItem(5)
        exact = read(gurux, ours, index)
        reply = gurux.exchange(gurux.client.read(theirs, index))
        assert gurux.client.updateValue(theirs, index, reply.value) == exact


def test_top_up_adjust_and_reverse_move_exactly_what_they_say(gurux: GuruxClient) -> None:
    purse = GXDLMSPurse()
    read(gurux, purse, 2)
    read(gurux, purse, 5)
    assert purse.balance is not None
    assert purse.journal_head is not None
    before, sequence = purse.balance, purse.journal_head["sequence"]
    for name, request, change in (
        ("top_up", purse.top_up(gurux.client, identifier(1), 5_000), 5_000),
        ("adjust", purse.adjust(gurux.client, identifier(2), 1_200), 1_200),
        ("reverse", purse.reverse(gurux.client, identifier(3), sequence + 1), -5_000),
    ):
        sequence, before = sequence + 1, before + change
        answer = purse.result(name, gurux.exchange(request))
        assert answer == {"outcome": "done", "sequence": sequence, "balance": before}
    again = purse.result("top_up", gurux.exchange(purse.top_up(gurux.client, identifier(1), 5_000)))
    assert again["outcome"] == "repeated"
    assert read(gurux, purse, 2) == before


def test_gurux_carries_batches_and_instructions_for_a_head_end(meter: RunningMeter, gurux: GuruxClient) -> None:
    head_end, courier = CourierHeadEnd(meter.keys[Role.READER].with_name("courier.toml")), GXDLMSCourier()
    gurux.exchange(GXDLMSPurse().top_up(gurux.client, identifier(30), 7))
    with associated(meter, Role.PUBLIC) as public:
        answer = courier.result("deliver", public.exchange(courier.deliver(public.client, head_end.top_up(31, 5))))
        assert head_end.read(bytes.fromhex(answer)).value[3] == DONE
        batch = bytes.fromhex(str(read(public, courier, 2)))
    assert head_end.take(batch) >= 2
    assert head_end.balance == read(gurux, GXDLMSPurse(), 2)


def test_acknowledge_and_check_now_answer_by_name(gurux: GuruxClient) -> None:
    purse = GXDLMSPurse()
    gurux.exchange(purse.top_up(gurux.client, identifier(10), 1))
    read(gurux, purse, 5)
    assert purse.journal_head is not None
    head = (purse.journal_head["sequence"], bytes.fromhex(purse.journal_head["digest"]))
    request = purse.acknowledge(gurux.client, *head)
    assert purse.result("acknowledge", gurux.exchange(request)) == "done"
    assert read(gurux, purse, 6) == purse.journal_head
    assert purse.result("check_now", gurux.exchange(purse.check_now(gurux.client))) == {"entries_made": 0}


def test_a_fee_items_parameters_and_amounts_are_set_and_taken_back(gurux: GuruxClient) -> None:
    item = configured(gurux, 1, kind="water", amount_source="cloud")
    wanted = item.parameters
    assert read(gurux, item, 2) == wanted
    assert wanted is not None
    assert wanted["label"] == LABEL
    request = item.set_amount(gurux.client, LATER, 6_120, identifier(20))
    assert item.result("set_amount", gurux.exchange(request)) == "done"
    expected = [{"due": LATER, "amount": 6_120, "reference": identifier(20).hex(), "source": "cloud"}]
    assert read(gurux, item, 6) == expected
    assert item.result("cancel_amount", gurux.exchange(item.cancel_amount(gurux.client, LATER))) == "done"
    assert read(gurux, item, 6) == []


def test_passive_parameters_are_written_cancelled_and_activated(gurux: GuruxClient) -> None:
    item = configured(gurux, 2, amount=1)
    for method, amount in (("cancel_passive", 1), ("activate_passive", 2)):
        assert item.parameters is not None
        item.passive_parameters = item.parameters | {"amount": 2}
        gurux.exchange(gurux.client.write(item, 3))
        assert read(gurux, item, 3) == item.passive_parameters
        assert item.result(method, gurux.exchange(getattr(item, method)(gurux.client))) == "done"
        assert read(gurux, item, 3) is None
        read(gurux, item, 2)
        assert item.parameters["amount"] == amount
    item.activation_time = "2035-06-01T00:00:00+08:00"
    item.passive_parameters = item.parameters
    gurux.exchange(gurux.client.write(item, 3))
    gurux.exchange(gurux.client.write(item, 4))
    assert read(gurux, item, 4) == item.activation_time
    assert item.result("delete", gurux.exchange(item.delete(gurux.client))) == "done"


def test_the_objects_of_an_association_are_ours(gurux: GuruxClient) -> None:
    listed = gurux.client.parseObjects(gurux.exchange(gurux.client.getObjectsRequest()).data, onlyKnownObjects=False)
    adopted = adopt(listed)
    assert len(adopted) == 34  # purse, courier, 32 fee items
    purse = next(item for item in listed if isinstance(item, GXDLMSPurse))
    assert isinstance(read(gurux, purse, 2), int)


def program() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(found)


def test_the_program_of_the_document_runs(meter: RunningMeter, tmp_path: Path) -> None:
    script = tmp_path / "purse_with_gurux.py"
    script.write_text(program())
    keys = meter.keys[Role.MANAGEMENT]
    ended = subprocess.run(
        [sys.executable, script, meter.host, str(meter.port), keys],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert any(line.startswith("rent Rent 房租 revision") for line in lines)
    outcomes = [line for line in lines if line.startswith("top-up")]
    assert ["'done'" in outcomes[0], "'repeated'" in outcomes[1]] == [True, True]
    balances = [int(line.split()[1]) for line in lines if line.startswith("balance")]
    assert balances[1] == balances[0] + 50_000
