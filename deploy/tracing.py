"""Where a trace of a session goes, and what of the `gurux_bridge` it is given. Imported by the commands that ask."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlms_objects.gurux_bridge.names import descriptor_name
from dlms_objects.gurux_bridge.translation import xml_of
from dlms_objects.transport.trace import Trace, TraceOptions
from dlms_objects.wire.parameters import ClientParameters

STANDARD_ERROR = "-"

MakeTrace = Callable[[ClientParameters], Trace]


@contextmanager
def traced(place: str, *, with_xml: bool = False, with_plaintext: bool = False) -> Iterator[MakeTrace]:
    """What makes the trace of a session, into a new file that only its owner may read, or standard error for `-`.

    OSError when the file cannot be written.
    """
    options = TraceOptions(naming=descriptor_name, xml=xml_of if with_xml else None, with_plaintext=with_plaintext)
    if place == STANDARD_ERROR:
        yield lambda parameters: Trace(sys.stderr.write, parameters, options)
        return
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", buffering=1) as file:
        yield lambda parameters: Trace(file.write, parameters, options)
