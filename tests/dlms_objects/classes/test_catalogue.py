"""The catalogue is the object model's list, and denies what it does not grant."""

import pytest

from dlms_objects.classes.catalogue import ASSOCIATIONS, CATALOGUE, Rights, Role, object_list
from dlms_objects.classes.shape import conforms
from dlms_objects.classes.standard import OBJECT_LIST
from dlms_objects.values.logical_name import LogicalName
from tests.support.sources import ROOT

PUBLIC_READS = {
    ("0.0.42.0.0.255", 2),
    ("0.0.1.0.0.255", 2),
    ("0.0.43.1.2.255", 2),
    ("0.0.43.1.3.255", 2),
    ("0.0.128.2.0.255", 2),
}
MANAGEMENT_WRITES = {
    ("0.0.1.0.0.255", 2),
    ("0.0.40.0.4.255", 7),
    ("0.0.97.98.0.255", 2),
    ("0.0.128.0.0.255", 4),
    ("0.0.128.2.0.255", 3),
    *((f"0.0.128.1.{number}.255", attribute) for number in range(1, 33) for attribute in (2, 3, 4)),
    *(("0.0.25.9.0.255", attribute) for attribute in range(3, 8)),
}


def granted(role: Role, kind: str) -> set[tuple[str, int]]:
    return {
        (str(name), number)
        for name, declaration in CATALOGUE.items()
        for number in getattr(declaration.rights_of(role), kind)
    }


def test_the_public_reads_names_time_and_counters_and_carries_what_is_sealed_and_nothing_else():
    assert granted(Role.PUBLIC, "read") == PUBLIC_READS
    assert granted(Role.PUBLIC, "write") == set()
    assert granted(Role.PUBLIC, "call") == {("0.0.128.2.0.255", 1)}


def test_the_reader_reads_everything_but_keys_and_changes_nothing():
    everything = {(str(n), a.number) for n, d in CATALOGUE.items() for a in d.interface.attributes}
    secrets = {(str(n), 7) for n, d in CATALOGUE.items() if d.interface.class_id == 15}
    assert granted(Role.READER, "read") == everything - secrets
    assert granted(Role.READER, "write") == granted(Role.READER, "call") == set()


def test_the_resident_reads_purse_fees_and_journal_and_sets_amounts_and_nothing_else():
    fees = {f"0.0.128.1.{number}.255" for number in range(1, 33)}
    own = {"0.0.128.0.0.255", "0.0.99.128.0.255", *fees}
    everything = {(str(n), a.number) for n, d in CATALOGUE.items() for a in d.interface.attributes}
    assert granted(Role.RESIDENT, "read") == {(name, number) for name, number in everything if name in own}
    assert granted(Role.RESIDENT, "write") == set()
    assert granted(Role.RESIDENT, "call") == {(name, 1) for name in fees}


def test_management_writes_what_the_object_model_calls_rw_the_push_settings_the_alarms_and_the_residents_secret():
    assert granted(Role.MANAGEMENT, "write") == MANAGEMENT_WRITES


def test_management_may_call_every_method_but_the_handshakes_own():
    everything = {(str(n), m.number) for n, d in CATALOGUE.items() for m in d.interface.methods}
    handshake = {(str(n), 1) for n, d in CATALOGUE.items() if d.interface.class_id == 15}
    assert granted(Role.MANAGEMENT, "call") == everything - handshake


@pytest.mark.parametrize("role", Role)
def test_the_object_list_has_the_declared_shape_and_every_object_with_a_right(role):
    value = object_list(role)
    assert conforms(OBJECT_LIST, value)
    listed = {LogicalName(entry.value[2].value) for entry in value.value}
    assert listed == {name for name, declaration in CATALOGUE.items() if declaration.rights_of(role) != Rights()}


def test_the_associations_are_those_of_the_object_model():
    assert [(a.role, a.client_sap, a.number, a.mechanism.name, a.is_ciphered, a.is_local) for a in ASSOCIATIONS] == [
        ("public", 16, 1, "NONE", False, False),
        ("reader", 2, 2, "HLS_GMAC", True, False),
        ("management", 1, 3, "HLS_GMAC", True, False),
        ("resident", 3, 4, "LLS", False, True),
    ]


DOCUMENT = ROOT / "docs" / "objects.md"
BEGIN, END = "<!-- from the catalogue -->\n", "<!-- end -->\n"


def table() -> str:
    """The objects as docs/objects.md lists them; many that differ in one number only share a line."""
    lines = ["| logical name | class | public | reader | management | resident |", "|---|---|---|---|---|---|"]
    families: dict[tuple[str, ...], list[LogicalName]] = {}
    for name, declaration in CATALOGUE.items():
        interface = declaration.interface
        rights = tuple(told(declaration.rights_of(role)) for role in (Role.PUBLIC, Role.READER, Role.MANAGEMENT))
        key = (f"{interface.class_id} {interface.name}", *rights, told(declaration.rights_of(Role.RESIDENT)))
        families.setdefault(key, []).append(name)
    for (interface_name, *rights), names in families.items():
        lines += (f"| {shown} | {interface_name} | {' | '.join(rights)} |" for shown in shortened(names))
    return "\n".join(lines) + "\n"


def told(rights: Rights) -> str:
    said = (("get", rights.read), ("set", rights.write), ("call", rights.call))
    return "; ".join(f"{word} {spans(numbers)}" for word, numbers in said if numbers)


def spans(numbers: frozenset[int]) -> str:
    """`1-6, 8` for 1, 2, 3, 4, 5, 6 and 8."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def shortened(names: list[LogicalName]) -> list[str]:
    """Names that differ in E only, as one with `e` and what it runs through."""
    by_rest: dict[bytes, list[int]] = {}
    for name in names:
        by_rest.setdefault(name.octets[:4], []).append(name.octets[4])
    shown = []
    for rest, numbers in by_rest.items():
        prefix = ".".join(map(str, rest))
        one = f"{prefix}.{numbers[0]}.255"
        shown.append(one if len(numbers) == 1 else f"{prefix}.e.255, e = {spans(frozenset(numbers))}")
    return shown


def test_the_document_lists_the_catalogue():
    before, after = DOCUMENT.read_text().split(BEGIN)
    listed, _ = after.split(END)
    assert before
    assert listed == table()
