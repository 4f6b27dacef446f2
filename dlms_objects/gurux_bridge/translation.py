"""XML of any APDU, for traces: by gurux where it can, by ourselves for general ciphering, as hexadecimal otherwise.

gurux raises whatever comes on octets it does not expect, counts up to any number it reads there, prints, and does not
escape text. So it is given only what our own decoder takes whole, and what it makes is shown only when it is
well-formed. Handed to a trace by the command line.
"""

import io
from contextlib import redirect_stdout
from dataclasses import replace
from xml.etree import ElementTree

from gurux_dlms.enums import ObjectType, TranslatorOutputType
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSTranslator import GXDLMSTranslator

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.wire import axdr
from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.ciphered import GeneralDedCiphering, GeneralGloCiphering
from dlms_objects.wire.get import GetResponseNormal, GetResponseWithList

LONGEST_OCTETS = 16_384
"""A longer APDU is not translated: gurux takes seconds for it."""

_STAND_IN = 1
_CLASS_ID = '<ClassId Value="{:04X}" />'
_GURUX_CLASSES = frozenset(int(kind) for kind in ObjectType)
_WHOLE_VALUES = ("value", "values", "parameters", "body")


def xml_of(octets: bytes) -> str:
    """The APDU in XML, well-formed and over several lines; never raises."""
    made = ""
    if len(octets) <= LONGEST_OCTETS:
        try:
            apdu = decode_apdu(octets)
            _check_values(apdu)
        except (RemoteError, InvalidValueError):
            apdu = None
        if isinstance(apdu, GeneralGloCiphering | GeneralDedCiphering):
            return _general(apdu)
        made = "" if apdu is None else _translated(apdu, octets)
    return made if _is_well_formed(made) else f'<Apdu Value="{octets.hex().upper()}" />'


def _check_values(apdu: Apdu) -> None:
    """MalformedError for a value that is none: gurux counts up to any number of elements that is announced."""
    held = [getattr(apdu, name, None) for name in _WHOLE_VALUES]
    if isinstance(apdu, GetResponseNormal):
        held.append(apdu.result)
    if isinstance(apdu, GetResponseWithList):
        held.append(apdu.results)
    for item in held:
        for value in item if isinstance(item, tuple) else (item,):
            if isinstance(value, bytes):
                axdr.decode(value)


def _translated(apdu: Apdu, octets: bytes) -> str:
    """By gurux, which knows only its own classes: a request to another is translated as one to class 1, then mended."""
    name = next((name for name in ("attribute", "method") if hasattr(apdu, name)), None)
    descriptor = None if name is None else getattr(apdu, name)
    if name is None or descriptor is None or descriptor.class_id in _GURUX_CLASSES:
        return _by_gurux(octets)
    stand_in = replace(apdu, **{name: replace(descriptor, class_id=_STAND_IN)})
    made = _by_gurux(stand_in.encode())
    return made.replace(_CLASS_ID.format(_STAND_IN), _CLASS_ID.format(descriptor.class_id), 1)


def _by_gurux(octets: bytes) -> str:
    with redirect_stdout(io.StringIO()):
        try:
            made = GXDLMSTranslator(TranslatorOutputType.SIMPLE_XML).pduToXml(GXByteBuffer(bytearray(octets)))
        except Exception:  # noqa: BLE001 - gurux raises bare Exceptions; what it cannot translate is shown as octets
            return ""
    return "\n".join(str(made).splitlines())


def _general(apdu: GeneralGloCiphering | GeneralDedCiphering) -> str:
    """General ciphering, at which gurux fails."""
    name = type(apdu).__name__
    title, content = apdu.system_title.hex().upper(), apdu.content.hex().upper()
    return f'<{name}>\n  <SystemTitle Value="{title}" />\n  <CipheredService Value="{content}" />\n</{name}>'


def _is_well_formed(made: str) -> bool:
    try:
        ElementTree.fromstring(made)
    except ElementTree.ParseError:
        return False
    return True
