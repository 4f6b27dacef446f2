"""The sealed way between meter and head-end: whatever happens to what a courier carries, nobody is fooled or harmed.

The head-end is `tests/support/courier_headend`, which shares no code with the meter. Everything goes over the public
association, as a courier's does.
"""

import sys

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.courier_class import COURIER, COURIER_NAME
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.values.data import octet_string
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.wire import axdr
from dlms_objects.wire.ciphered import decode_general_glo_ciphering
from tests.support.courier_headend import DONE, PURSE, REPEATED, TOP_UP, CourierHeadEnd, Refused
from tests.support.meters import MeterWorld

BATCH = AttributeDescriptor(COURIER.class_id, COURIER_NAME, 2)
DELIVER = MethodDescriptor(COURIER.class_id, COURIER_NAME, 1)


class Courier:
    """Carries octets between one meter and its head-end, and knows no key."""

    def __init__(self, world: MeterWorld) -> None:
        self.world = world
        self.connect()

    def connect(self) -> None:
        self.public = self.world.connect(Role.PUBLIC)

    def fetch(self) -> bytes:
        return axdr.decode(self.public.read(BATCH)).value

    def deliver(self, instruction: bytes) -> bytes:
        octets = self.public.act(DELIVER, axdr.encode(octet_string(instruction)))
        assert octets is not None
        return axdr.decode(octets).value


@pytest.fixture
def worlds(tmp_path):
    made = [MeterWorld(tmp_path / name) for name in ("first", "second")]
    yield made
    for world in made:
        world.meter.close()


@pytest.fixture
def world(worlds):
    return worlds[0]


@pytest.fixture
def courier(world):
    return Courier(world)


@pytest.fixture
def head_end(world):
    return CourierHeadEnd(world.made.courier_keys)


def topped_up(world, *amounts):
    """Top up by these amounts, each once: the amount is its id."""
    client = world.connect()
    for amount in amounts:
        assert client.top_up(amount, amount)["outcome"] in ("done", "repeated")
    client.release()


def balance_of(world):
    return world.meter.keeper.state.balance


def refuses(act, *arguments):
    try:
        act(*arguments)
    except (Refused, AccessRefusedByMeterError):
        return True
    return False


def altered(sealed):
    """The octets with one of them changed, by every bit alone and all together; shortened, lengthened."""
    for at in range(len(sealed)):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            yield sealed[:at] + bytes((sealed[at] ^ mask,)) + sealed[at + 1 :]
        yield sealed[:at]
        yield sealed[:at] + b"\x00" + sealed[at:]
    yield sealed + b"\x00"


def test_a_batch_brings_the_rows_and_the_answer_lets_the_meter_forget_them(world, courier, head_end):
    topped_up(world, 500, 70)
    assert head_end.take(courier.fetch()) == 2
    assert (head_end.sequence, head_end.balance) == (2, 570)
    assert head_end.rows == [entry.row() for entry in world.connect().journal()]
    answer = head_end.read(courier.deliver(head_end.acknowledge()))
    assert (answer.result, answer.value) == (0, bytes((0x16, DONE)))
    assert world.meter.keeper.state.acknowledged == world.meter.keeper.state.head
    assert head_end.take(courier.fetch()) == 0


def test_more_rows_than_a_batch_holds_come_in_the_next_ones(world, courier, head_end):
    topped_up(world, *range(1, 8))
    world.connect().set(COURIER, COURIER_NAME, "max_rows", 3)
    taken = []
    while not taken or taken[-1]:
        taken.append(head_end.take(courier.fetch()))
        head_end.read(courier.deliver(head_end.acknowledge()))
    assert taken == [3, 3, 1, 0]
    assert head_end.balance == balance_of(world) == 28


def test_every_altered_octet_of_a_batch_is_refused_and_the_true_one_is_still_taken(world, courier, head_end):
    topped_up(world, 500, 70)
    batch, tried = courier.fetch(), 0
    for tampered in altered(batch):
        tried += 1
        assert refuses(head_end.take, tampered), tampered.hex()
    assert tried == 11 * len(batch) + 1
    assert (head_end.rows, head_end.received) == ([], -1)
    assert head_end.take(batch) == 2
    sys.stdout.write(f"{tried} altered batches refused\n")


def test_every_altered_octet_of_an_instruction_is_refused_without_effect_or_reason(world, courier, head_end):
    instruction = head_end.top_up(1, 500)
    requester, answers, tried = world.requester(Role.PUBLIC), set(), 0
    for tampered in altered(instruction):
        tried += 1
        outcome = world.meter.device.action(DELIVER, axdr.encode(octet_string(tampered)), requester)
        answers.add((outcome.result, outcome.value))
    assert tried == 11 * len(instruction) + 1
    assert len(answers) == 1
    assert answers.pop()[1] is None
    assert (balance_of(world), world.sql("SELECT * FROM received_counter")) == (0, [])
    assert head_end.read(courier.deliver(instruction)).value[3] == DONE
    assert balance_of(world) == 500
    sys.stdout.write(f"{tried} altered instructions refused\n")


def test_every_altered_octet_of_an_answer_is_refused_and_the_true_one_is_still_read(world, courier, head_end):
    answer, tried = courier.deliver(head_end.top_up(1, 500)), 0
    for tampered in altered(answer):
        tried += 1
        assert refuses(head_end.read, tampered), tampered.hex()
    assert head_end.read(answer).result == 0
    sys.stdout.write(f"{tried} altered answers refused\n")


def test_a_reader_that_does_not_look_at_the_tag_would_be_caught(world, courier, head_end, monkeypatch):
    """The fault that the enumeration must find."""
    topped_up(world, 500)
    batch = courier.fetch()
    monkeypatch.setattr(CourierHeadEnd, "_open", lambda self, sealed: (1, self._decrypt_blindly(sealed)), raising=False)
    monkeypatch.setattr(CourierHeadEnd, "_decrypt_blindly", _decrypt_blindly, raising=False)
    assert not all(refuses(head_end.take, tampered) for tampered in altered(batch))


def _decrypt_blindly(self, sealed):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - the fault only

    content = sealed[12:]
    return AESGCM(self.key).encrypt(self.meter + content[1:5], content[5:-12], None)[:-16]


def test_a_meter_that_does_not_look_at_the_tag_would_be_caught(world, head_end, monkeypatch):
    """The fault that the enumeration of instructions must find."""
    monkeypatch.setattr("dlms_objects.wire.security.compare_digest", lambda *_: True)
    requester, instruction = world.requester(Role.PUBLIC), head_end.top_up(1, 500)
    outcomes = [
        world.meter.device.action(DELIVER, axdr.encode(octet_string(tampered)), requester).value
        for tampered in altered(instruction)
    ]
    assert any(outcomes)


def test_a_batch_that_does_not_continue_what_is_kept_is_refused(world, courier, head_end):
    """Somebody else acknowledged two rows that this head-end never saw."""
    topped_up(world, 1, 2, 3)
    client = world.connect()
    second = client.journal()[1].head
    client.do("acknowledge", {"sequence": 2, "digest": second.digest.hex()})
    assert refuses(head_end.take, courier.fetch())
    assert (head_end.rows, head_end.received) == ([], -1)
    head_end.sequence, head_end.digest, head_end.balance = 2, second.digest, 3
    assert head_end.take(courier.fetch()) == 1


def test_batches_instructions_and_answers_of_two_meters_are_never_mixed(worlds):
    couriers = [Courier(world) for world in worlds]
    head_ends = [CourierHeadEnd(world.made.courier_keys) for world in worlds]
    for world in worlds:
        topped_up(world, 500)
    for here, there in ((0, 1), (1, 0)):
        head_end, courier = head_ends[here], couriers[there]
        assert refuses(head_end.take, courier.fetch())
        assert refuses(courier.deliver, head_end.top_up(9, 70))
        assert refuses(head_end.read, courier.deliver(head_ends[there].top_up(8, 7)))
    assert [balance_of(world) for world in worlds] == [507, 507]
    assert all(head_end.rows == [] for head_end in head_ends)


def test_with_one_key_in_two_meters_the_titles_still_keep_them_apart(worlds):
    """A fault of whoever made the keys: the same ones in both."""
    first, second = (CourierHeadEnd(world.made.courier_keys) for world in worlds)
    topped_up(worlds[0], 500)
    second.key, second.authentication_key = first.key, first.authentication_key
    assert refuses(second.take, Courier(worlds[0]).fetch())


def test_replays_are_refused_at_both_ends(world, courier, head_end):
    topped_up(world, 500)
    batch = courier.fetch()
    assert head_end.take(batch) == 1
    assert refuses(head_end.take, batch)
    instructions = [head_end.top_up(number, 10) for number in (2, 3, 4)]
    answers = [courier.deliver(instruction) for instruction in instructions]
    for instruction in instructions:
        assert refuses(courier.deliver, instruction)
    assert head_end.read(answers[2]).result == 0
    for answer in answers:
        assert refuses(head_end.read, answer)
    world.restart()
    courier.connect()
    for instruction in instructions:
        assert refuses(courier.deliver, instruction)
    assert balance_of(world) == 530
    codes = [code for (code,) in world.sql("SELECT code FROM event")]
    assert codes.count(EventCode.REPLAY_REFUSED) == 6


def test_an_instruction_that_a_later_one_overtook_is_refused(world, courier, head_end):
    earlier, later = head_end.top_up(1, 10), head_end.top_up(2, 20)
    assert head_end.read(courier.deliver(later)).result == 0
    assert refuses(courier.deliver, earlier)
    assert head_end.read(courier.deliver(head_end.top_up(1, 10))).result == 0
    assert balance_of(world) == 30


def test_a_foreign_title_is_refused_even_with_the_right_keys(world, courier, head_end):
    plain = (
        b"\xc3\x01\xc1"
        + PURSE
        + bytes((TOP_UP, 1))
        + b"\x02\x02\x09\x10"
        + bytes(15)
        + b"\x01\x14"
        + bytes(7)
        + b"\x09"
    )
    for title in (b"MPHxxxxx", head_end.meter, bytes(8)):
        assert refuses(courier.deliver, head_end.seal(plain, title=title))
    assert balance_of(world) == 0
    assert head_end.read(courier.deliver(head_end.seal(plain))).result == 0
    assert balance_of(world) == 9


def test_a_meter_s_own_batch_handed_back_is_no_instruction(courier):
    assert refuses(courier.deliver, courier.fetch())


def test_a_batch_fetched_twice_or_lost_harms_nothing(world, courier, head_end):
    topped_up(world, 500)
    lost, first, again = courier.fetch(), courier.fetch(), courier.fetch()
    assert lost == first == again
    topped_up(world, 500, 70)  # the first of them is repeated
    later = courier.fetch()
    assert head_end.take(later) == 2
    assert refuses(head_end.take, first)  # late, and here already
    assert (head_end.sequence, head_end.balance) == (2, balance_of(world))


def test_batches_in_their_order_bring_each_row_once(world, courier, head_end):
    topped_up(world, 500)
    first = courier.fetch()
    topped_up(world, 500, 70)
    assert [head_end.take(batch) for batch in (first, courier.fetch())] == [1, 1]
    assert len(head_end.rows) == 2


def test_an_answer_that_overtakes_a_batch_does_not_shut_the_batch_out_for_good(world, courier, head_end):
    topped_up(world, 500)
    late = courier.fetch()
    assert head_end.read(courier.deliver(head_end.instruct(TOP_UP, b"\x00"))).result != 0
    assert refuses(head_end.take, late)
    assert head_end.take(courier.fetch()) == 1


def test_reading_for_ever_uses_one_counter_and_no_disk(world, courier):
    topped_up(world, 500)
    first = courier.fetch()
    before = (world.sql("SELECT * FROM sent_counter"), world.sql("SELECT count(*) FROM event"))
    assert {courier.fetch() for _ in range(300)} == {first}
    assert (world.sql("SELECT * FROM sent_counter"), world.sql("SELECT count(*) FROM event")) == before


def test_rubbish_for_ever_uses_no_counter_and_few_events(world, courier):
    sent = world.sql("SELECT * FROM sent_counter")
    requester = world.requester(Role.PUBLIC)
    for number in range(300):
        world.meter.device.action(DELIVER, axdr.encode(octet_string(number.to_bytes(40, "big"))), requester)
    assert world.sql("SELECT * FROM sent_counter") == sent
    assert world.sql("SELECT count(*) FROM event WHERE code = ?", EventCode.DECRYPTION_FAILED) == [(20,)]


def test_counters_go_up_over_restarts_and_are_never_used_twice(world, courier):
    seen = []
    for number in range(1, 6):
        topped_up(world, *range(1, number + 1))
        seen.append(decode_general_glo_ciphering(courier.fetch()).invocation_counter)
        world.restart()
        courier.connect()
        seen.append(decode_general_glo_ciphering(courier.fetch()).invocation_counter)
    assert len(set(seen)) == 10
    assert seen == sorted(seen)


def test_only_acknowledge_and_top_up_are_carried_and_the_refusal_is_sealed(world, courier, head_end):
    topped_up(world, 500)
    refusals = []
    for method in (2, 3, 5, 6, 0, 255):
        refusals.append(head_end.read(courier.deliver(head_end.instruct(method, b"\x0f\x00"))).result)
    for target in ("4e86 0000800101ff", "0008 0000010000ff", "4e85 0000800001ff"):
        refusals.append(head_end.read(courier.deliver(head_end.instruct(1, b"\x0f\x00", bytes.fromhex(target)))).result)
    assert set(refusals) == {3}  # read-write-denied
    for plain in (b"", b"\xc0\x01\xc1", b"\xc3\x03\xc1\x01" + PURSE + b"\x01\x01\x00", b"\xc3\x01\xc1" + PURSE):
        if plain:
            assert head_end.read(courier.deliver(head_end.seal(plain))).result == 250  # other-reason
    assert head_end.read(courier.deliver(head_end.instruct(TOP_UP, b"\x11\x01"))).result == 12  # type-unmatched
    assert balance_of(world) == 500


def test_a_power_cut_between_effect_and_answer_harms_nothing(world, courier, head_end, tmp_path):
    instruction = head_end.top_up(7, 250)
    courier.deliver(instruction)  # the answer is lost with the power
    world.cut_power(tmp_path / "after")
    courier.connect()
    assert refuses(courier.deliver, instruction)
    answer = head_end.read(courier.deliver(head_end.top_up(7, 250)))
    assert (answer.result, answer.value[3]) == (0, REPEATED)
    assert balance_of(world) == 250


def test_a_power_cut_between_opening_and_effect_harms_nothing(world, courier, head_end, tmp_path, monkeypatch):
    instruction = head_end.top_up(7, 250)
    with monkeypatch.context() as cut:
        cut.setattr(world.meter.keeper, "carry_out", lambda *_: world.sql("no such statement"))
        with pytest.raises(Exception, match="syntax error"):
            world.meter.courier.deliver(instruction, world.requester(Role.PUBLIC))
    world.cut_power(tmp_path / "after")
    courier.connect()
    assert balance_of(world) == 0
    assert refuses(courier.deliver, instruction)
    assert head_end.read(courier.deliver(head_end.top_up(7, 250))).result == 0
    assert balance_of(world) == 250
