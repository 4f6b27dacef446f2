"""What couriers' batches cost a head-end, the sound and the forged: milliseconds and memory of one request.

    python -m tests.bench.courier_uploads [--rounds 20]

Each kind is handed in at the application itself (no socket) over a database on disk, and timed from the request to its
answer; the memory is the most that one such request had at once, by tracemalloc, in a run of its own.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import httpx
from fastapi import FastAPI

from dlms_objects.classes.courier_frames import FRAME_PREFIX, courier_frames, encode_base45
from headend import courier_keys
from headend.api.application import make_application
from headend.api.courier import FRAMES, MAXIMUM_OCTETS, OCTETS
from headend.api.rate_limit import RateLimit
from headend.database import Database
from headend.root_key import RootKey, create
from tests.support.courier_meter import CourierMeter
from tests.support.headend_books import CNY, MeterJournal, make_database

PATH = "/api/courier/v1/batches"
ROWS = 255
Request = tuple[bytes, str]


def main() -> int:
    """Print a line for each kind of request."""
    parser = argparse.ArgumentParser(description="the cost of couriers' batches")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), options.rounds))
    return 0


async def _measure(folder: Path, rounds: int) -> None:
    create(folder / "root.key")
    root = RootKey.load(folder / "root.key")
    database = Database(make_database(folder / "headend.sqlite"), write_queue=64)
    journal = MeterJournal()
    meter = CourierMeter(journal)
    database.write_now(lambda connection: courier_keys.store(connection, root, meter.credentials, CNY))
    application = make_application(
        database,
        maximum_body_octets=8 << 20,
        root_key=root,
        courier_limit=RateLimit(burst=1_000_000, per_minute=1e9),
    )

    def fresh() -> Request:
        first = len(journal.entries) + 1
        for _ in range(ROWS):
            journal.top_up(1)
        return meter.batch(first), OCTETS

    sound, _ = fresh()
    await _hand_in(application, sound, OCTETS)
    kinds: dict[str, Callable[[], Request]] = {
        f"sound, {ROWS} new rows": fresh,
        "the newest again": lambda: (meter.batch(len(journal.entries)), OCTETS),
        "replayed": lambda: (sound, OCTETS),
        "one bit flipped": lambda: (sound[:-1] + bytes((sound[-1] ^ 1,)), OCTETS),
        "truncated": lambda: (sound[: len(sound) // 2], OCTETS),
        "of an unknown meter": lambda: (sound[:2] + b"MPR99999" + sound[10:], OCTETS),
        "64 KiB of nothing": lambda: (bytes(MAXIMUM_OCTETS), OCTETS),
        "64 KiB, and too long by one": lambda: (bytes(MAXIMUM_OCTETS + 1), OCTETS),
        "sound, as frames, replayed": lambda: ("\n".join(courier_frames(sound)).encode(), FRAMES),
        "64 KiB of one frame": lambda: (_one_frame(), FRAMES),
    }
    for name, make in kinds.items():
        await _report(application, name, make, rounds)
    database.close()


def _one_frame() -> bytes:
    line = FRAME_PREFIX + encode_base45(bytes(8) + b"\x01\x02" + bytes(300))
    return b"\n".join([line.encode()] * (MAXIMUM_OCTETS // (len(line) + 1)))


async def _report(application: FastAPI, name: str, make: Callable[[], Request], rounds: int) -> None:
    requests = [make() for _ in range(rounds)]
    times_ms = []
    status = 0
    for content, form in requests:
        begun = time.perf_counter()
        status = await _hand_in(application, content, form)
        times_ms.append((time.perf_counter() - begun) * 1000)
    content, form = make()
    tracemalloc.start()
    await _hand_in(application, content, form)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sys.stdout.write(
        f"{name:<30} {status}  median {statistics.median(times_ms):6.2f} ms, most {max(times_ms):6.2f} ms, "
        f"{most / 1024:6.0f} KiB\n"
    )
    sys.stdout.flush()


async def _hand_in(application: FastAPI, content: bytes, form: str) -> int:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://office") as client:
        return (await client.post(PATH, content=content, headers={"Content-Type": form})).status_code


if __name__ == "__main__":
    sys.exit(main())
