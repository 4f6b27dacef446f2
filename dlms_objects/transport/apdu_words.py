"""One line of words for any APDU: service, what it is about by name, result. For people; nobody parses it.

Here: decoded APDUs and ciphered envelopes as text. Not here: what must not be shown (`redaction` takes it out before).
Imported by `trace`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import Enum, Flag
from typing import Any

from dlms_objects.classes.catalogue import CATALOGUE
from dlms_objects.classes.shape import plain_data
from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.wire import axdr
from dlms_objects.wire.acse import Aare, Aarq
from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.ciphered import GLO_TAGS, PLAIN_TAGS, Enveloped, ServiceCiphering
from dlms_objects.wire.invoke import Invoked

Descriptor = AttributeDescriptor | MethodDescriptor
Naming = Callable[[Descriptor], str]
"""Words for an attribute or a method: `Register.value 1.0.1.8.0.255`."""

LONGEST_VALUE_SHOWN = 200
"""In octets: a longer value is shown by its length alone."""

_LONGEST_WORDS = 100
_INTERFACES = {declared.interface.class_id: declared.interface for declared in CATALOGUE.values()}
_SERVICES = {
    0x01: "initiate-request",
    0x08: "initiate-response",
    0x0E: "confirmed-service-error",
    0xC0: "get-request",
    0xC1: "set-request",
    0xC2: "event-notification-request",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
}


def declared_name(descriptor: Descriptor) -> str:
    """The descriptor in words where our own meters have such a class; its numbers otherwise."""
    interface = _INTERFACES.get(descriptor.class_id)
    try:
        if interface is None:
            return str(descriptor)
        member = (
            interface.attribute(descriptor.attribute)
            if isinstance(descriptor, AttributeDescriptor)
            else interface.method(descriptor.method)
        )
    except InvalidValueError:
        return str(descriptor)
    return f"{interface.name}.{member.name} {descriptor.logical_name}"


def octets_in_words(octets: bytes, naming: Naming = declared_name, title: bytes | None = None) -> str:
    """The APDU that the octets are, in words; never raises. `title` is the sender's, for envelopes that lack it."""
    try:
        return apdu_in_words(decode_apdu(octets), naming, title)
    except (RemoteError, InvalidValueError) as error:
        return f"not an APDU known here: {error}"


def apdu_in_words(apdu: Apdu, naming: Naming = declared_name, title: bytes | None = None) -> str:
    """A decoded APDU in words."""
    if isinstance(apdu, Enveloped):
        return _envelope(apdu, title)
    parts = [_kebab(type(apdu).__name__)]
    if isinstance(apdu, Invoked):
        parts[0] += f" #{apdu.invoke_id}"
    for field in fields(apdu):
        words = _WORDS.get(field.name)
        value = getattr(apdu, field.name)
        if words is not None and value is not None:
            parts.append(words(value, naming))
    if isinstance(apdu, Aarq | Aare) and apdu.user_information is not None:
        own = apdu.calling_ap_title if isinstance(apdu, Aarq) else apdu.responding_ap_title
        parts.append(f"with {octets_in_words(apdu.user_information, naming, own)}")
    return ", ".join(part for part in parts if part)


def _envelope(apdu: Enveloped, title: bytes | None) -> str:
    """Tag, system title, security control, counter and length: all of a ciphered APDU that is not ciphered."""
    if isinstance(apdu, ServiceCiphering):
        key = "glo" if apdu.tag in GLO_TAGS.values() else "ded"
        name, tag = f"{key}-{_SERVICES[PLAIN_TAGS[apdu.tag]]}", apdu.tag
    else:
        name, tag = _kebab(type(apdu).__name__), getattr(apdu, "TAG", 0)
        title = getattr(apdu, "system_title", b"") or title
    sender = "unknown" if not title else title.hex().upper()
    return (
        f"{name} ({tag:02X}), system title {sender}, security control {apdu.security_control:02X}, "
        f"counter {apdu.invocation_counter}, {len(apdu.content)} octets"
    )


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _named(value: Any, _naming: Naming) -> str:
    """An enumeration by the standard's name; octets that have no name as they are."""
    if isinstance(value, bytes):
        return f"unknown {value.hex()}"
    if isinstance(value, Flag):
        return " ".join(_kebab_of(flag) for flag in type(value) if flag in value)
    return _kebab_of(value) if isinstance(value, Enum) else str(value)


def _kebab_of(member: Enum) -> str:
    return (member.name or str(member.value)).lower().replace("_", "-")


def _value(octets: Any, _naming: Naming) -> str:
    """A raw A-XDR value, a part of one, or the result that stands in its place."""
    if not isinstance(octets, bytes):
        return _named(octets, _naming)
    if len(octets) <= LONGEST_VALUE_SHOWN:
        try:
            shown = str(plain_data(axdr.decode(octets)))
        except RemoteError:
            return f"{len(octets)} octets"
        return shown if len(shown) <= _LONGEST_WORDS else shown[: _LONGEST_WORDS - 1] + "…"
    return f"{len(octets)} octets"


def _described(item: Any, naming: Naming) -> str:
    """A descriptor, or what holds one with its selection."""
    if isinstance(item, Descriptor):
        return naming(item)
    selection = getattr(item, "selection", None)
    inner = getattr(item, "attribute", None) or getattr(item, "method", None)
    kind = _kebab(type(item).__name__) + " " if type(item).__name__.startswith("Access") else ""
    shown = str(item) if inner is None else naming(inner)
    return kind + shown + ("" if selection is None else f" {_selected(selection, naming)}")


def _selected(selection: Any, _naming: Naming) -> str:
    return f"selective access {selection.selector}"


def _each(words: Callable[[Any, Naming], str]) -> Callable[[Any, Naming], str]:
    return lambda items, naming: "; ".join(words(item, naming) for item in items)


def _response(item: Any, naming: Naming) -> str:
    """One result of a list, with its return value where it has one."""
    if isinstance(item, bytes | Enum):
        return _value(item, naming)
    result, value = item.result, getattr(item, "value", None)
    return _value(result, naming) + ("" if value is None else f" {_value(value, naming)}")


def _labelled(label: str, words: Callable[[Any, Naming], str]) -> Callable[[Any, Naming], str]:
    return lambda value, naming: f"{label} {words(value, naming)}"


def _octets(label: str) -> Callable[[Any, Naming], str]:
    return lambda value, _naming: f"{label} of {len(value)} octets"


def _title(value: bytes, _naming: Naming) -> str:
    return value.hex().upper()


_WORDS: Mapping[str, Callable[[Any, Naming], str]] = {
    "attribute": _described,
    "attributes": _each(_described),
    "method": _described,
    "methods": _each(_described),
    "specifications": _each(_described),
    "selection": _selected,
    "block_number": _labelled("block", _named),
    "last": lambda last, _naming: "the last" if last else "",
    "value": _value,
    "values": _each(_value),
    "parameters": lambda value, naming: (
        _each(_value)(value, naming) if isinstance(value, tuple) else _value(value, naming)
    ),
    "raw": _octets("part"),
    "block": _octets("part"),
    "body": _value,
    "result": _value,
    "results": _each(_response),
    "responses": _each(_response),
    "state_error": _named,
    "service_error": _named,
    "invocation_counter": _labelled("counter", _named),
    "service": _labelled("service", _named),
    "error_class": _named,
    "error": _labelled("error", _named),
    "application_context": _named,
    "diagnostic": _named,
    "calling_ap_title": _labelled("system title", _title),
    "responding_ap_title": _labelled("system title", _title),
    "mechanism": _named,
    "calling_authentication_value": _octets("authentication value"),
    "responding_authentication_value": _octets("authentication value"),
    "reason": _named,
    "conformance": _labelled("conformance", _named),
    "max_pdu_size": _labelled("max pdu", _named),
    "dedicated_key": lambda _key, _naming: "dedicated key",
}
"""How the field of that name reads, whatever APDU it belongs to; other fields are left out."""
