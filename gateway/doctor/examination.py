"""A whole examination: the meters that are asked for, the head-end, the disk. Imported by `deploy/`.

Meters are examined one after the other: a doctor is no load test, and stations on one line take turns anyway.
"""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from dlms_objects.transport.credentials import KeyFiles
from gateway.config import GatewayConfig, OutboxSection
from gateway.doctor.findings import Findings, Step
from gateway.doctor.headend import examine_headend
from gateway.doctor.meter import MeterExamination, Place
from gateway.doctor.outbox_use import is_in_use
from gateway.meters import command_credentials

IDENTITY_NAME = "doctor.identity.sqlite"

ROW_ON_DISK_OCTETS = 160
"""What a journal row takes in the outbox file, with its keys and the pages' slack (see docs/gateway-tools.md)."""

SLOW_WRITE_S = 1.0


async def examine(
    reactor: Any, folder: Path, config: GatewayConfig, names: Collection[str] = ()
) -> AsyncIterator[Findings]:
    """The findings on each subject as soon as they are whole; of all meters, or of those with these names."""
    place = Place(
        gateway_title=config.system_title,
        outbox=config.outbox.path,
        identity=folder / IDENTITY_NAME,
        is_gateway_at_work=is_in_use(config.outbox.path),
    )
    key_files = KeyFiles()
    for meter in config.meter:
        if not names or meter.name in names:
            credentials = key_files.credentials(meter.key_file, meter.system_title)
            yield await MeterExamination(reactor, meter, credentials, place).run()
            for_commands = command_credentials(meter, key_files)
            if for_commands is not None and for_commands.key_id != credentials.key_id:
                managing = meter.model_copy(
                    update={"name": f"{meter.name} (commands)", "client_sap": for_commands.client_sap}
                )
                yield await MeterExamination(reactor, managing, for_commands, place).run()
    yield await examine_headend(reactor, config.headend)
    yield examine_disk(config.outbox)


def examine_disk(outbox: OutboxSection) -> Findings:
    """Whether the outbox's disk takes a durable write, and has room for all the rows that may be held."""
    found = Findings("outbox")
    folder = outbox.path.parent
    try:
        took_s = _durable_write(folder)
        free_octets = shutil.disk_usage(folder).free
    except OSError as error:
        found.failed(
            Step.DISK,
            f"{folder}: {error.strerror}",
            "the disk is full, read-only or broken",
            "Make room, or look at the kernel's log (dmesg).",
        )
        return found
    wanted_octets = outbox.maximum_rows * ROW_ON_DISK_OCTETS
    measured = f"{free_octets / 1e9:.1f} GB free, a durable write takes {took_s * 1000:.0f} ms"
    if free_octets < wanted_octets:
        found.failed(
            Step.DISK,
            measured,
            f"maximum_rows = {outbox.maximum_rows} rows want {wanted_octets / 1e9:.1f} GB when the head-end is away",
            "Make room, or lower outbox.maximum_rows.",
        )
    elif took_s > SLOW_WRITE_S:
        found.failed(
            Step.DISK, measured, "the disk is slow or overloaded", "Look what else writes to it (iotop); replace it."
        )
    else:
        found.ok(Step.DISK, measured)
    return found


def _durable_write(folder: Path) -> float:
    """How long a page takes to the disk, in seconds; the file is removed again."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        begun_s = time.monotonic()
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())
        return time.monotonic() - begun_s
