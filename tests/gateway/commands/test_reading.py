"""gateway/commands/reading.py: plain values of classes that are known, octets of the others."""

from gateway.commands.reading import LARGEST_VALUE_OCTETS, plain_value


def test_a_known_class_is_plain_and_another_is_octets() -> None:
    assert plain_value(70, 2, b"\x03\x01").answer == {"value": True}
    assert plain_value(999, 2, b"\x03\x01").answer == {"value": "0301"}
    assert plain_value(1, 2, bytes(LARGEST_VALUE_OCTETS + 1)).state == "refused"
