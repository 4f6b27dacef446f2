"""No broken frame brings a layer to raise what it may not, to answer wrongly, or to hang; seeded bugs are found."""

import struct

import pytest

from dlms_objects.values.data import DataType
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire import (
    acse,
    axdr,
    compact_array,
    counters,
    exception,
    hdlc_frame,
    hdlc_reader,
    hdlc_server,
    lists,
    row_layout,
    security,
    selection,
    set_blocks,
    simple_types,
    wrapper,
)
from dlms_objects.wire.hdlc_parameters import LinkLimits
from tests.support.fuzz_targets import TARGETS
from tests.support.fuzzing import Finding, Target, frames_of, fuzz, shares

BY_NAME = {target.name: target for target in TARGETS}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_broken_frame_brings_an_escape_a_wrong_answer_or_a_hang(target, pytestconfig):
    frames = shares(TARGETS, pytestconfig.getoption("--fuzz-frames"))[target.name]
    finding = fuzz(target, frames=frames, seed=pytestconfig.getoption("--fuzz-seed"))
    assert finding is None, str(finding)


def test_all_layers_together_are_fed_what_was_asked_for():
    for frames in (1000, 200_000):
        assert frames <= sum(shares(TARGETS, frames).values()) <= frames + len(TARGETS)
    assert min(shares(TARGETS, 1).values()) == 1


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_frames_are_the_same_for_the_same_seed_and_of_every_kind(target):
    frames = list(frames_of(target, frames=600, seed=5))
    assert frames == list(frames_of(target, frames=600, seed=5))
    assert frames != list(frames_of(target, frames=600, seed=6))
    taken = sum(not raises(target, octets) for octets in frames)
    assert 60 < taken < 540, "a fuzzer that is always or never refused looks at little"


def raises(target, octets):
    try:
        target.feed(octets)
    except target.allowed:
        return True
    return False


def careless_capture_object(value):
    class_id, logical_name, attribute, data_index = (member.value for member in value.value)
    return selection.CaptureObject(
        class_id=class_id, logical_name=LogicalName(logical_name), attribute=attribute, data_index=data_index
    )


def careless_length(octets, offset):
    return octets[offset], offset + 1


def careless_number(octets, offset):
    return struct.unpack_from(">I", octets, offset)[0]


def forgetful_receive(self, octets):
    self._buffer, self._offset = octets, 0
    return self._frames()


def forgetful_reading(self, octets):
    self._held = b""
    return self._frames(octets)


def careless_limits(octets):
    return LinkLimits(information_sent=octets[5], information_received=octets[8])


def slow_content(type_, octets, offset):
    if type_ is DataType.VISIBLE_STRING:
        sum(range(15_000_000))
    return simple_types.decode_content(type_, octets, offset)


SEEDED_BUGS = {
    "nesting to a wrong limit": ("A-XDR", axdr, "DEPTH_LIMIT", 17, "the plain decoder reads otherwise"),
    "nesting without limit": ("selection", axdr, "DEPTH_LIMIT", 10**9, "RecursionError"),
    "text that is not judged": ("A-XDR", simple_types, "_text", lambda _type, octets: octets.decode(), "UnicodeDecode"),
    "rows taken for alike": (
        "A-XDR",
        row_layout.RowLayout,
        "matches",
        lambda layout, rows, count: len(rows) == count * layout.length,
        "",
    ),
    "a type that takes very long": ("A-XDR", axdr, "decode_content", slow_content, "at most 0.050 s"),
    "elements of no octets": ("compact arrays", compact_array, "_objection", lambda _description: "", "no end within"),
    "result codes that are not judged": (
        "xDLMS",
        exception,
        "result_of",
        lambda codes, code: codes(code),
        "ValueError",
    ),
    "a length that is read without looking": ("xDLMS", lists, "decode_length", careless_length, "IndexError"),
    "a number that is read without looking": (
        "xDLMS",
        set_blocks,
        "decode_block_number",
        careless_number,
        "error: unpack_from",
    ),
    "diagnostics that are not judged": ("ACSE", acse, "_enumerated", lambda codes, octets: codes(octets[0]), "Error"),
    "a logical name of any length": ("selection", selection, "_capture_object", careless_capture_object, "Error"),
    "a plan without its skeleton": (
        "row plan",
        row_layout.RowLayout,
        "matches",
        lambda layout, rows, count: len(rows) == count * layout.length,
        "the plan",
    ),
    "a check sequence that is not judged": (
        "HDLC frames",
        hdlc_frame,
        "_checksum",
        lambda _octets: hdlc_frame._GOOD_RESIDUE,
        "what nobody sent",
    ),
    "a reader that forgets": ("HDLC frames", hdlc_reader.HdlcReader, "receive", forgetful_reading, "change the frames"),
    "limits that are read without looking": ("HDLC server", hdlc_server, "decode_limits", careless_limits, "Error"),
    "a tag that is not compared": ("ciphered", security, "compare_digest", lambda _one, _other: True, "nobody sealed"),
    "a counter that is not compared": (
        "ciphered",
        counters.MemoryReceivedCounters,
        "highest",
        lambda _self, _title: None,
        "LocalError",
    ),
    "a wrapper that forgets": ("wrapper", wrapper.Wrapper, "receive", forgetful_receive, "change the frames"),
}


@pytest.mark.parametrize("bug", SEEDED_BUGS)
def test_a_seeded_bug_is_found(bug, monkeypatch):
    name, place, attribute, careless, fault = SEEDED_BUGS[bug]
    monkeypatch.setattr(place, attribute, careless)
    row_layout.layout_of.cache_clear()
    finding = fuzz(BY_NAME[name], frames=4000)
    assert finding is not None
    assert fault in finding.fault
    assert str(finding.seed) in str(finding)
    assert finding.octets.hex() in str(finding)


def test_a_finding_is_replayed_by_its_octets_alone(monkeypatch):
    monkeypatch.setattr(axdr, "DEPTH_LIMIT", 10**9)
    finding = fuzz(BY_NAME["selection"], frames=4000)
    assert isinstance(finding, Finding)
    with pytest.raises(RecursionError):
        BY_NAME["selection"].feed(finding.octets)


def test_a_slow_answer_is_measured_again_before_it_is_called_a_hang():
    calls = []

    def slow_once(octets):
        calls.append(octets)
        if len(calls) == 1:
            sum(range(10_000_000))

    target = Target(name="slow once", feed=slow_once, grammar=lambda dice: dice.randbytes(4), samples=[b"abcd"])
    assert fuzz(target, frames=5) is None
    assert len(calls) == 5 + 3
