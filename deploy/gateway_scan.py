"""`meterpurse gateway scan`: runs a scan under the reactor and shows who answers, as they are found.

Imported by the command when it is called.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.asking import run_once
from deploy.gateway_files import load_gateway
from dlms_objects.errors import InvalidValueError
from dlms_objects.values.system_title import SystemTitle
from gateway.scan import Answering, ScanRange, places, scan

LARGEST_RANGE = 65_536


def numbers(text: str, what: str) -> tuple[int, ...]:
    """`1-4,17` as numbers in their order; InvalidValueError for another form."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
            raise InvalidValueError(f"{what}: numbers and ranges such as 1-16,32 are wanted, not {text!r}")
        if int(last) - int(first) >= LARGEST_RANGE:
            raise InvalidValueError(f"{what}: {part} is too long a range")
        found += range(int(first), int(last) + 1)
    return tuple(found)


def scan_endpoint(
    endpoint: str, wanted: ScanRange, *, folder: Path | None, timeout_s: float, pause_s: float, as_json: bool
) -> None:
    """Scan, and show each that answers; `folder` says which of them a gateway collects from already."""
    names = {} if folder is None else {meter.system_title: meter.name for meter in load_gateway(folder).meter}
    asked = places(endpoint, wanted)
    found: list[Answering] = []
    if not as_json:
        sys.stderr.write(f"{len(asked)} places to ask, {timeout_s + pause_s:g} s each at most\n")

    async def scanned(reactor: Any) -> None:
        async for answering in scan(reactor, endpoint, wanted, timeout_s=timeout_s, pause_s=pause_s):
            found.append(answering)
            if not as_json:
                sys.stdout.write(line_of(answering, names) + "\n")
                sys.stdout.flush()

    run_once(scanned)
    if as_json:
        document = {"asked": len(asked), "answering": [plain(each, names) for each in found]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    elif not found:
        sys.stdout.write("nobody answers\n")


def plain(answering: Answering, names: Mapping[SystemTitle, str]) -> dict[str, Any]:
    """One that answered, as JSON has it; `meter` is null where the configuration does not have it."""
    title = answering.system_title
    return {
        "endpoint": answering.place.endpoint,
        "server_sap": answering.place.server_sap,
        "logical_device_name": answering.device_name or None,
        "system_title": None if title is None else str(title),
        "meter": None if title is None else names.get(title),
        "refusal": answering.refusal or None,
    }


def line_of(answering: Answering, names: Mapping[SystemTitle, str]) -> str:
    """One that answered, for people."""
    where = f"{answering.place.endpoint}  SAP {answering.place.server_sap}"
    if answering.refusal:
        return f"{where}  answers, but: {answering.refusal}"
    title = answering.system_title
    known = "" if title is None else f"  {title}  {names.get(title, 'not configured')}"
    return f"{where}  {answering.device_name or 'no logical device name'}{known}"
