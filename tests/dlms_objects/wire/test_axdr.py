"""The general A-XDR codec: what goes out comes back, and nothing but MalformedError comes of broken octets."""

import pytest
from hypothesis import given, settings

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.compact_array import compact_array
from dlms_objects.values.data import (
    DONT_CARE,
    NULL,
    Data,
    DataType,
    array,
    bit_string,
    boolean,
    enum,
    integer,
    long64,
    octet_string,
    structure,
    unsigned,
    utf8_string,
    visible_string,
)
from dlms_objects.wire import axdr, row_layout, simple_types
from dlms_objects.wire.errors import MalformedError
from tests.support.cosem_data import values
from tests.support.mutation import first_escape, mutations

CORPUS = [
    axdr.encode(value)
    for value in (
        structure(NULL, boolean(True), long64(-350000), octet_string(bytes(12)), visible_string("CNY"), enum(2)),
        array(structure(unsigned(number), octet_string(bytes(130)), bit_string("101")) for number in range(3)),
        structure(
            array([integer(-1)]), utf8_string("租金"), Data(DataType.DATE, bytes(5)), Data(DataType.FLOAT64, 0.5)
        ),
        structure(compact_array([structure(unsigned(1), octet_string(b"ab"))] * 3), compact_array([long64(1)] * 2)),
    )
]


def nested(depth):
    return b"\x02\x01" * depth + b"\x00"


@given(values)
def test_every_value_comes_back_with_its_type(value):
    octets = axdr.encode(value)
    assert axdr.decode(octets) == value
    assert axdr.decode(memoryview(octets)) == value
    assert axdr.decode(bytearray(octets)) == value


@given(values, values)
def test_a_value_ends_where_the_next_begins(first, second):
    octets = axdr.encode(first) + axdr.encode(second)
    value, offset = axdr.decode_prefix(octets, 0)
    assert value == first
    assert axdr.decode_prefix(octets, offset) == (second, len(octets))


@settings(max_examples=60)
@given(values)
def test_octets_left_over_are_refused(value):
    with pytest.raises(MalformedError):
        axdr.decode(axdr.encode(value) + b"\x00")


@settings(max_examples=60)
@given(values)
def test_a_value_cut_anywhere_is_refused(value):
    octets = axdr.encode(value)
    for end in range(len(octets)):
        with pytest.raises(MalformedError):
            axdr.decode(octets[:end])


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("00", NULL),
        ("0300", boolean(False)),
        ("0301", boolean(True)),
        ("03ff", boolean(True)),
        ("ff", DONT_CARE),
        ("1dfffe", Data(DataType.DELTA_LONG, -2)),
        ("130f020102", compact_array([integer(1), integer(2)])),
        ("0d85", Data(DataType.BCD, -123)),
        ("0400", bit_string("")),
        ("0403a0", bit_string("101")),
        ("0403bf", bit_string("101")),
        ("04810900ff", bit_string("000000001")),
        ("098101ab", octet_string(b"\xab")),
        ("0a0130", visible_string("0")),
        ("0a0100", Data(DataType.VISIBLE_STRING, "\0")),
        ("0c03e7a79f", utf8_string("租")),
        ("0f80", integer(-128)),
        ("14fffffffffffaa8d0", long64(-350000)),
        ("1907ea0b16ff0e000000008000", Data(DataType.DATE_TIME, bytes.fromhex("07ea0b16ff0e000000008000"))),
        ("0100", array([])),
        ("02810100", structure(NULL)),
        ("0102001105", Data(DataType.ARRAY, (NULL, unsigned(5)))),
    ],
)
def test_known_octets_have_their_known_value(octets, value):
    assert axdr.decode(bytes.fromhex(octets)) == value


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "07",
        "ff00",
        "05000000",
        "0904aabbcc",
        "0980",
        "0985000000000100",
        "0a0180",
        "0a03e7a79f",
        "0c01ff",
        "0c02c080",
        "0409ff",
        "04ffffffffff",
        "0184ffffffff",
        "0184ffffffff00",
        "02020f01",
        "1907ea",
        "03",
    ],
)
def test_what_is_not_one_whole_value_is_malformed(octets):
    with pytest.raises(MalformedError):
        axdr.decode(bytes.fromhex(octets))


def test_a_count_beyond_the_octets_is_refused_before_the_first_element_is_read():
    with pytest.raises(MalformedError, match="4294967295 elements are announced and 2 octets are left"):
        axdr.decode(bytes.fromhex("0184ffffffff0000"))


def test_sixteen_containers_may_nest_and_seventeen_may_not():
    deepest = axdr.decode(nested(16))
    assert axdr.encode(deepest) == nested(16)
    for depth in (17, 5000):
        with pytest.raises(MalformedError):
            axdr.decode(nested(depth))
    with pytest.raises(InvalidValueError):
        axdr.encode(structure(deepest))


def test_containers_already_open_count_towards_the_depth():
    with pytest.raises(MalformedError):
        axdr.decode_prefix(nested(16), 0, depth=1)
    assert axdr.decode_prefix(nested(15), 0, depth=1)[1] == len(nested(15))


@pytest.mark.parametrize(
    "value",
    [
        Data(DataType.INTEGER, 128),
        Data(DataType.LONG, 350000),  # what gurux-dlms writes as 22320
        Data(DataType.UNSIGNED, -1),
        Data(DataType.LONG64, 1.5),
        Data(DataType.FLOAT32, 1e300),
        Data(DataType.OCTET_STRING, "text"),
        Data(DataType.OCTET_STRING, None),
        Data(DataType.VISIBLE_STRING, "é"),
        Data(DataType.VISIBLE_STRING, b"octets"),
        Data(DataType.UTF8_STRING, "\ud800"),
        Data(DataType.BIT_STRING, "0b1"),
        Data(DataType.BIT_STRING, "1_0"),
        Data(DataType.BOOLEAN, 1),
        Data(DataType.NULL_DATA, 0),
        Data(DataType.DATE, bytes(4)),
        Data(DataType.STRUCTURE, 5),
        Data(DataType.COMPACT_ARRAY, ()),
        Data(7, ()),
        Data(DataType.STRUCTURE, (5,)),
        structure(Data(DataType.LONG, 70000)),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_not_written(value):
    with pytest.raises(InvalidValueError):
        axdr.encode(value)


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(axdr.decode, CORPUS) is None


def test_what_survives_a_mutation_reads_the_same_again_and_is_no_longer_than_it_came():
    survivors = 0
    for octets in mutations(CORPUS, count=3000):
        try:
            value = axdr.decode(octets)
        except MalformedError:
            continue
        survivors += 1
        again = axdr.encode(value)
        assert len(again) <= len(octets)
        assert repr(axdr.decode(again)) == repr(value)  # repr: a mutated float may be "not a number"
    assert survivors > 100


def test_the_mutations_find_a_decoder_without_its_depth_limit(monkeypatch):
    monkeypatch.setattr(axdr, "DEPTH_LIMIT", 10**9)
    found = first_escape(axdr.decode, CORPUS)
    assert found is not None
    assert isinstance(found[1], RecursionError)


def test_the_mutations_find_a_decoder_that_does_not_check_its_text(monkeypatch):
    monkeypatch.setattr(simple_types, "_text", lambda _type, octets: octets.decode())
    found = first_escape(axdr.decode, CORPUS)
    assert found is not None
    assert isinstance(found[1], UnicodeDecodeError)


def rows_of(count):
    return [
        structure(unsigned(number), octet_string(b"abc"), long64(-number), boolean(True)) for number in range(count)
    ]


def test_an_array_of_like_rows_is_read_by_their_layout_and_gives_the_same_values(monkeypatch):
    octets = axdr.encode(structure(array(rows_of(100)), array(rows_of(axdr.REGULAR_ROWS)), array(rows_of(2))))
    wanted = axdr.decode(octets)
    monkeypatch.setattr(row_layout.RowLayout, "matches", lambda *_arguments: False)
    assert axdr.decode(octets) == wanted == structure(array(rows_of(100)), array(rows_of(4)), array(rows_of(2)))


@pytest.mark.parametrize("odd", [0, 1, 5, 9])
@pytest.mark.parametrize(
    "other",
    [structure(), NULL, structure(unsigned(1), octet_string(b"ab"), long64(0), boolean(True)), structure(NULL)],
)
def test_one_row_that_departs_changes_nothing_else(odd, other):
    rows = rows_of(10)
    rows[odd] = other
    value = Data(DataType.ARRAY, tuple(rows))
    assert axdr.decode(axdr.encode(value)) == value


def test_rows_without_columns_and_rows_in_longer_forms_are_read_one_by_one():
    assert axdr.decode(b"\x01\x05" + b"\x02\x00" * 5) == array([structure()] * 5)
    assert axdr.decode(b"\x01\x05" + b"\x02\x81\x01\x00" * 5) == array([structure(NULL)] * 5)
    long_forms = b"\x01\x05" + b"\x02\x81\x01\x11\x07" * 5
    assert axdr.decode(long_forms) == array([structure(unsigned(7))] * 5)


def outcome(octets):
    """What the codec makes of the octets, in words that can be compared."""
    try:
        return repr(axdr.decode(octets))
    except MalformedError:
        return "malformed"


def test_the_mutations_find_a_codec_that_takes_any_rows_for_like_rows(monkeypatch):
    mutated = list(mutations([axdr.encode(array(rows_of(6)))], count=500))
    wanted = list(map(outcome, mutated))
    monkeypatch.setattr(row_layout.RowLayout, "matches", lambda layout, rows, count: len(rows) == count * layout.length)
    assert list(map(outcome, mutated)) != wanted
