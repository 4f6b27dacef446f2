"""The catalogue: every object of a MeterPurse meter and who may do what with it. Anything not listed is denied.

This one table makes the association's object_list, the meter's access checks and the access tests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dlms_objects.classes.courier_class import COURIER, COURIER_NAME, COURIER_NUMBER, COURIER_SAP
from dlms_objects.classes.fee_item_class import FEE_ITEM, FEE_ITEM_COUNT, fee_item_name
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.payment import ACCOUNT, CHARGE, CREDIT
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, JOURNAL_NAME, PURSE, PURSE_NAME
from dlms_objects.classes.standard import (
    ASSOCIATION_LN,
    CLOCK,
    DATA,
    DISCONNECT_CONTROL,
    IEC_HDLC_SETUP,
    PROFILE_GENERIC,
    PUSH_SETUP,
    REGISTER,
    SAP_ASSIGNMENT,
    SECURITY_SETUP,
    TCP_UDP_SETUP,
)
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire.acse import Mechanism

SERVER_SAP = 1
_SECRET = ASSOCIATION_LN.attribute("secret").number


class Role(StrEnum):
    """The associations' names; what each may do stands in the catalogue."""

    PUBLIC = "public"
    READER = "reader"
    MANAGEMENT = "management"
    RESIDENT = "resident"


@dataclass(frozen=True, slots=True)
class AssociationDeclaration:
    """One association: its role, its client SAP, and the E that its association and security setup objects share.

    One that `is_local` can be opened over the meter's local port only.
    """

    role: Role
    client_sap: int
    number: int
    mechanism: Mechanism
    is_local: bool = False

    @property
    def is_ciphered(self) -> bool:
        """Whether every APDU is authenticated and encrypted, with keys of the association's own."""
        return self.mechanism is Mechanism.HLS_GMAC


ASSOCIATIONS = (
    AssociationDeclaration(Role.PUBLIC, 16, 1, Mechanism.NONE),
    AssociationDeclaration(Role.READER, 2, 2, Mechanism.HLS_GMAC),
    AssociationDeclaration(Role.MANAGEMENT, 1, 3, Mechanism.HLS_GMAC),
    AssociationDeclaration(Role.RESIDENT, 3, 4, Mechanism.LLS, is_local=True),
)

COURIER_PATH = AssociationDeclaration(Role.MANAGEMENT, COURIER_SAP, COURIER_NUMBER, Mechanism.HLS_GMAC)
"""The head-end by way of the courier: no association, but keys of its own and, for INSTRUCTIONS alone, a role."""

DEVICE_NAME = LogicalName.parse("0.0.42.0.0.255")
SERIAL_NUMBER = LogicalName.parse("0.0.96.1.0.255")
CLOCK_NAME = LogicalName.parse("0.0.1.0.0.255")
ACTIVE_ENERGY_IMPORT = LogicalName.parse("1.0.1.8.0.255")
CONSUMER_MESSAGE = LogicalName.parse("0.0.96.13.0.255")
SUPPLY = LogicalName.parse("0.0.96.3.10.255")
PUSH_SETUP_NAME = LogicalName.parse("0.0.25.9.0.255")
CURRENT_ASSOCIATION = LogicalName.parse("0.0.40.0.0.255")
SAP_ASSIGNMENT_NAME = LogicalName.parse("0.0.41.0.0.255")
HDLC_SETUP_NAME = LogicalName.parse("0.0.22.0.0.255")
TCP_UDP_SETUP_NAME = LogicalName.parse("0.0.25.0.0.255")
ALARM_REGISTER = LogicalName.parse("0.0.97.98.0.255")
CHARGE_COLLECTION_HISTORY = LogicalName.parse("0.0.99.14.0.255")
TOKEN_CREDIT_HISTORY = LogicalName.parse("0.0.99.15.0.255")
ACCOUNT_NAME = LogicalName.parse("0.0.19.0.0.255")
CREDIT_NAME = LogicalName.parse("0.0.19.10.0.255")


def association_name(number: int) -> LogicalName:
    """The association object of association e, 1..4; 0 is the current one."""
    return LogicalName(bytes((0, 0, 40, 0, number, 255)))


def security_setup_name(number: int) -> LogicalName:
    """The security setup of association e."""
    return LogicalName(bytes((0, 0, 43, 0, number, 255)))


def invocation_counter_name(number: int) -> LogicalName:
    """The highest invocation counter received with the key of association e."""
    return LogicalName(bytes((0, 0, 43, 1, number, 255)))


def charge_name(number: int) -> LogicalName:
    """The Charge that shows fee item e, 1..32."""
    return LogicalName(bytes((0, 0, 19, 20, number, 255)))


@dataclass(frozen=True, slots=True)
class Rights:
    """What one role may do with one object: the attributes it may read and write, the methods it may call."""

    read: frozenset[int] = frozenset()
    write: frozenset[int] = frozenset()
    call: frozenset[int] = frozenset()


_NOTHING = Rights()


@dataclass(frozen=True, slots=True)
class ObjectDeclaration:
    """One object of the meter: its class, its logical name, and the rights of each role (absent: none)."""

    interface: InterfaceClass
    logical_name: LogicalName
    rights: Mapping[Role, Rights]

    def rights_of(self, role: Role) -> Rights:
        """The rights of a role; nothing by default."""
        return self.rights.get(role, _NOTHING)


def _declare(
    interface: InterfaceClass,
    logical_name: LogicalName,
    *,
    write: Iterable[int] = (),
    call: Iterable[int] = (),
    secret: Iterable[int] = (),
    others: Mapping[Role, Rights] | None = None,
) -> ObjectDeclaration:
    """An object that reader and management may read (but for `secret`); management may also write and call."""
    readable = _all(interface) - frozenset(secret)
    rights = {
        Role.READER: Rights(read=readable),
        Role.MANAGEMENT: Rights(read=readable, write=frozenset(write), call=frozenset(call)),
    }
    return ObjectDeclaration(interface, logical_name, rights | dict(others or {}))


def _all(interface: InterfaceClass) -> frozenset[int]:
    return frozenset(attribute.number for attribute in interface.attributes)


def _public(*read: int, call: Iterable[int] = ()) -> Mapping[Role, Rights]:
    return {Role.PUBLIC: Rights(read=frozenset(read), call=frozenset(call))}


def _resident(interface: InterfaceClass, *call: str) -> Mapping[Role, Rights]:
    """Everything to read, and these methods to call."""
    methods = frozenset(interface.method(name).number for name in call)
    return {Role.RESIDENT: Rights(read=_all(interface), call=methods)}


def _catalogue() -> Iterable[ObjectDeclaration]:
    yield _declare(DATA, DEVICE_NAME, others=_public(2))
    yield _declare(DATA, SERIAL_NUMBER)
    yield _declare(CLOCK, CLOCK_NAME, write=(2,), call=(6,), others=_public(2))
    yield from _associations()
    yield _declare(SAP_ASSIGNMENT, SAP_ASSIGNMENT_NAME)
    yield _declare(IEC_HDLC_SETUP, HDLC_SETUP_NAME)
    yield _declare(TCP_UDP_SETUP, TCP_UDP_SETUP_NAME)
    yield _declare(REGISTER, ACTIVE_ENERGY_IMPORT)
    yield _declare(DISCONNECT_CONTROL, SUPPLY, call=(1, 2))
    yield _declare(DATA, CONSUMER_MESSAGE)
    yield _declare(PUSH_SETUP, PUSH_SETUP_NAME, write=range(3, 8), call=(1,))
    yield _declare(DATA, ALARM_REGISTER, write=(2,))
    yield _declare(SECURITY_SETUP, security_setup_name(COURIER_NUMBER), call=(1, 2))
    yield _declare(COURIER, COURIER_NAME, write=(3,), call=(1,), others=_public(2, call=(1,)))
    yield _declare(PURSE, PURSE_NAME, write=(4,), call=range(1, 6), others=_resident(PURSE))
    for number in range(1, FEE_ITEM_COUNT + 1):
        may = _resident(FEE_ITEM, "set_amount")
        yield _declare(FEE_ITEM, fee_item_name(number), write=(2, 3, 4), call=range(1, 6), others=may)
    yield _declare(PROFILE_GENERIC, JOURNAL_NAME, others=_resident(PROFILE_GENERIC))
    yield _declare(PROFILE_GENERIC, EVENT_LOG_NAME)
    yield _declare(PROFILE_GENERIC, CHARGE_COLLECTION_HISTORY)
    yield _declare(PROFILE_GENERIC, TOKEN_CREDIT_HISTORY)
    yield _declare(ACCOUNT, ACCOUNT_NAME)
    yield _declare(CREDIT, CREDIT_NAME)
    for number in range(1, FEE_ITEM_COUNT + 1):
        yield _declare(CHARGE, charge_name(number))


def _associations() -> Iterable[ObjectDeclaration]:
    yield _declare(ASSOCIATION_LN, CURRENT_ASSOCIATION, secret=(_SECRET,))
    for association in ASSOCIATIONS:
        write = (_SECRET,) if association.mechanism is Mechanism.LLS else ()
        yield _declare(ASSOCIATION_LN, association_name(association.number), secret=(_SECRET,), write=write)
    for association in ASSOCIATIONS:
        yield _declare(SECURITY_SETUP, security_setup_name(association.number), call=(1, 2))
        if association.is_ciphered:
            yield _declare(DATA, invocation_counter_name(association.number), others=_public(2))


CATALOGUE: Mapping[LogicalName, ObjectDeclaration] = {
    declaration.logical_name: declaration for declaration in _catalogue()
}

CLASSES: Mapping[int, InterfaceClass] = {
    declaration.interface.class_id: declaration.interface for declaration in CATALOGUE.values()
}
"""The classes of our meters by id."""


def object_list(role: Role) -> Data:
    """The object_list of a role's association: every object it has any right to, with class, version and rights."""
    return cosem.array(
        cosem.structure(
            cosem.long_unsigned(declaration.interface.class_id),
            cosem.unsigned(declaration.interface.version),
            cosem.octet_string(declaration.logical_name.octets),
            _access_rights(declaration, declaration.rights_of(role)),
        )
        for declaration in CATALOGUE.values()
        if declaration.rights_of(role) != _NOTHING
    )


def _access_rights(declaration: ObjectDeclaration, rights: Rights) -> Data:
    """access_right: attribute access mode 0 none, 1 read, 2 write, 3 both; method access mode 0 none, 1 access."""
    attributes = (
        cosem.structure(
            cosem.integer(attribute.number),
            cosem.enum((attribute.number in rights.read) + 2 * (attribute.number in rights.write)),
            cosem.NULL,
        )
        for attribute in declaration.interface.attributes
    )
    methods = (
        cosem.structure(cosem.integer(method.number), cosem.enum(int(method.number in rights.call)))
        for method in declaration.interface.methods
    )
    return cosem.structure(cosem.array(attributes), cosem.array(methods))
