"""The layers under fire. Each `feed` also asks what must hold of everything that was taken in: it is an oracle.

HDLC and ciphered APDUs have modules of their own, `fuzz_hdlc` and `fuzz_ciphered`.
"""

from random import Random

from dlms_objects.values.data import Data, DataType
from dlms_objects.wire import axdr
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.row_plan import RowPlan
from dlms_objects.wire.selection import decode_selection, profile_selection
from dlms_objects.wire.wrapper import Frame, Wrapper
from tests.support import fuzz_ciphered, fuzz_grammar, fuzz_hdlc
from tests.support.fuzzing import Target
from tests.support.one_of_each import ONE_OF_EACH
from tests.support.reference_axdr import Refused, read_whole
from tests.support.vectors import load, parts

ROW = bytes.fromhex("0204" + "11010903616263" + "10fffe" + "060000000a")
COMPACT_ARRAYS = [octets for vector in load("compact-array", valid=True) for octets in parts(vector)]
VALUES = [
    *COMPACT_ARRAYS,
    bytes.fromhex("0206" + "00" + "0301" + "0c03e7a79f" + "0a0343 4e59" + "0403a0" + "17 3fc00000"),
    b"\x01\x08" + ROW * 8,
    b"\x02\x02\x01\x81\x90" + ROW * 144 + COMPACT_ARRAYS[2],
]
APDUS = [
    *(apdu.encode() for apdu in ONE_OF_EACH),
    *(octets for name in ("apdu", "notification") for vector in load(name, valid=True) for octets in parts(vector)),
]
SELECTIONS = [
    bytes.fromhex("02020406000000010600000000120001120000"),
    bytes.fromhex("010204" + "02041200080906 0000010000ff0f02120000" + "0600000001" * 2 + "0101")
    + bytes.fromhex("02041200080906 0000010000ff0f02120000"),
]
STREAM = b"".join(b"\x00\x01\x00\x01\x00\x10" + len(apdu).to_bytes(2, "big") + apdu for apdu in APDUS[:3])

HDLC_STREAMS, HDLC_TO_SERVER, HDLC_TO_CLIENT, CIPHERED = (
    [grammar(Random(seed)) for seed in range(20)]
    for grammar in (fuzz_hdlc.stream, fuzz_hdlc.to_server, fuzz_hdlc.to_client, fuzz_ciphered.sealed)
)

ACSE_TAGS = b"\x60\x61\x62\x63"
MOST_IN_CUTS = 3000


def feed_axdr(octets: bytes) -> None:
    """What is read is what the plain decoder reads; written again, it is no longer than it came and reads the same."""
    try:
        wanted = repr(read_whole(octets))
    except Refused:
        wanted = "refused"
    try:
        value = axdr.decode(octets)
    except MalformedError:
        if wanted == "refused":
            raise
        raise AssertionError("it is refused, and the plain decoder takes it") from None
    assert repr(value) == wanted, "the plain decoder reads otherwise"
    again = axdr.encode(value)
    assert len(again) <= len(octets), "it grew"
    assert repr(axdr.decode(again)) == repr(value), "it reads otherwise the second time"


def feed_apdu(octets: bytes) -> None:
    """What is read is written again and read to the same."""
    apdu = decode_apdu(octets)
    assert repr(decode_apdu(apdu.encode())) == repr(apdu), "it reads otherwise the second time"


def feed_selection(octets: bytes) -> None:
    """A selection ends within the octets, is written again as it came, and is one of a profile's or none."""
    selection, end = decode_selection(octets, 0)
    assert end <= len(octets), "it ends beyond the octets"
    assert selection.encode() == octets[:end], "it is written otherwise"
    view = profile_selection(selection)
    again = profile_selection(view.selective_access())
    assert repr(again) == repr(view), "it reads otherwise the second time"  # repr: a float may be "not a number"


def feed_row_plan(octets: bytes) -> None:
    """A plan of the page's own first row, and one of another profile, say what the general codec says."""
    page = axdr.decode(octets)
    elements = page.value if page.type is DataType.ARRAY else ()
    wanted = [axdr.encode(row) for row in elements]
    for first in (ROW, *wanted[:1]):
        try:
            plan = RowPlan.from_row(first)
        except MalformedError:  # an array of something else than rows
            continue
        try:
            rows = plan.split(octets)
        except MalformedError:
            assert not _is_of_plan(page, plan), "the plan refuses its own rows"
            continue
        assert b"\x01" + octets[1:].removesuffix(b"".join(rows)) + b"".join(rows) == octets, "the cuts do not join"
        assert [axdr.encode(axdr.decode(row)) for row in rows] == wanted, "the plan cuts other rows"
        assert len(plan.decode(octets)) == len(rows), "the plan reads another number of rows"


def _is_of_plan(page: Data, plan: RowPlan) -> bool:
    return page.type is DataType.ARRAY and all(
        row.type is DataType.STRUCTURE and len(row.value) == len(plan.columns) for row in page.value
    )


def feed_wrapper(octets: bytes) -> None:
    """A stream gives the same frames whole, in cuts of seven octets and with a pause at its middle."""
    whole = _frames([octets])
    assert whole == _frames([octets[: len(octets) // 2], octets[len(octets) // 2 :]]), "a pause changes the frames"
    if len(octets) < MOST_IN_CUTS:
        cuts = [octets[start : start + 7] for start in range(0, len(octets), 7)]
        assert whole == _frames(cuts), "cuts change the frames"
    if whole[1]:
        raise MalformedError("the stream breaks off")


def _frames(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    """The frames of a stream that comes in pieces, and whether it broke off at a corrupt header."""
    wrapper, frames = Wrapper(maximum_apdu_length=2048), []
    for piece in pieces:
        try:
            for frame in wrapper.receive(piece):
                frames.append(frame)
        except MalformedError:
            return frames, True
    return frames, False


TARGETS = [
    Target(name="A-XDR", feed=feed_axdr, grammar=fuzz_grammar.value, samples=VALUES, weight=4),
    Target(name="compact arrays", feed=feed_axdr, grammar=fuzz_grammar.compact_array, samples=COMPACT_ARRAYS, weight=2),
    Target(name="xDLMS", feed=feed_apdu, grammar=fuzz_grammar.apdu, samples=APDUS, weight=6),
    Target(
        name="ACSE",
        feed=feed_apdu,
        grammar=fuzz_grammar.acse,
        samples=[apdu for apdu in APDUS if apdu[0] in ACSE_TAGS],
        weight=2,
    ),
    Target(name="selection", feed=feed_selection, grammar=fuzz_grammar.selection, samples=SELECTIONS),
    Target(
        name="row plan", feed=feed_row_plan, grammar=fuzz_grammar.page, samples=[b"\x01\x05" + ROW * 5, b"\x01\x00"]
    ),
    Target(name="wrapper", feed=feed_wrapper, grammar=fuzz_grammar.stream, samples=[STREAM], weight=2),
    Target(name="HDLC frames", feed=fuzz_hdlc.feed_frames, grammar=fuzz_hdlc.stream, samples=HDLC_STREAMS, weight=2),
    Target(name="HDLC server", feed=fuzz_hdlc.feed_server, grammar=fuzz_hdlc.to_server, samples=HDLC_TO_SERVER),
    Target(name="HDLC client", feed=fuzz_hdlc.feed_client, grammar=fuzz_hdlc.to_client, samples=HDLC_TO_CLIENT),
    Target(
        name="ciphered",
        feed=fuzz_ciphered.feed_ciphered,
        grammar=fuzz_ciphered.sealed,
        samples=CIPHERED,
        allowed=fuzz_ciphered.REFUSED,
        weight=2,
    ),
]
