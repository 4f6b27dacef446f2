"""How many rows a second a head-end takes in over HTTP, verified and booked, beside what its database can do bare.

    python -m tests.bench.ingest [--rows 1000000] [--meters 10000] [--postgres] [--per-meter 20] [--request-rows 1000]

The head-end is a process of its own on one processor, the client (this process, four gateways at once) on the other;
PostgreSQL may use both. Every meter has a real journal: chained, with running balance, about sixty entries a month, so
that statements of months are written too. `bare` is `executemany` (SQLite) or COPY (PostgreSQL) of the same rows into a
table like the ledger's, as many a transaction, in the same run. At the end the ledger is counted.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from queue import Queue

from sqlalchemy import func, select

from deploy.demo.daemons import Daemon
from headend.books import register
from headend.config import MeterConfig
from headend.database import transaction
from headend.engines import Purpose
from headend.place import Place
from headend.setup import DATABASE_NAME, create
from tests.bench.bare_tables import bare_rows_per_s
from tests.bench.journal_stream import JournalStream, title_of
from tests.bench.ledger_count import count_ledger
from tests.support.postgres import PostgresWorld, postgres_world

GATEWAYS = 4
SLICE_ROWS = 100_000
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PATH = "/api/gateway/v1/records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What so many rows took: seconds on the wall, and of processors in head-end, database and client."""

    rows: int
    wall_s: float
    headend_s: float
    server_s: float
    client_s: float


def main() -> int:
    """Measure and print; 1 when the ledger is not what was sent."""
    parser = argparse.ArgumentParser(description="rows a second into a head-end")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--per-meter", type=int, default=20, help="rows of a meter in one request")
    parser.add_argument("--request-rows", type=int, default=1000)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="meterpurse-ingest-"))
    try:
        with _place(folder, postgres=options.postgres) as (place, world):
            return _measure(folder / "headend", place, world, options)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _place(folder: Path, *, postgres: bool) -> Iterator[tuple[Place, PostgresWorld | None]]:
    if not postgres:
        yield Path(DATABASE_NAME), None
        return
    with postgres_world(is_durable=True) as world:
        yield world.make(), world


def _measure(folder: Path, place: Place, world: PostgresWorld | None, options: argparse.Namespace) -> int:
    made = create(folder, listen="127.0.0.1:0", database=place)
    with transaction(made.database) as connection:
        for number in range(options.meters):
            title = str(title_of(number))
            register(connection, MeterConfig(system_title=title, household=f"Flat {number}", language="en"))
    headend = Daemon("head-end", ["headend", "run", str(folder), "--log-level", "warn"], folder / "log")
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[0]})
    url = headend.start()
    os.sched_setaffinity(0, {processors[-1]})
    stream = JournalStream(meters=options.meters, per_meter=options.per_meter, request_rows=options.request_rows)
    token = made.gateway_token.read_text().strip()
    try:
        slices = list(_send(url, token, stream, options.rows, headend.process_id or 0, world))
    finally:
        headend.stop()
    _report(slices)
    wrong = count_ledger(made.database, stream)
    _show(f"{_octets(made.database) / sum(each.rows for each in slices):.0f} octets of database a row")
    bare = bare_rows_per_s(folder, world, stream, rows=min(options.rows, 200_000))
    rate = sum(each.rows for each in slices) / sum(each.wall_s for each in slices)
    means = "COPY" if world else "executemany"
    _show(f"bare {means}: {bare:,.0f} rows/s; the head-end reaches {rate / bare:.0%} of that")
    for each in wrong:
        _show(f"FAILED: {each}")
    return 1 if wrong else 0


def _send(
    url: str, token: str, stream: JournalStream, rows: int, process_id: int, world: PostgresWorld | None
) -> Iterator[Slice]:
    """Upload in slices, each one by four gateways at once, each gateway with meters of its own."""
    host = url.removeprefix("http://")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connections: Queue[HTTPConnection] = Queue()
    for _ in range(GATEWAYS):
        connections.put(HTTPConnection(host, timeout=120))

    def upload(body: bytes) -> None:
        connection = connections.get()
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connections.put(connection)
        if answer.status != 200 or b'"accepted"' not in text or text.count(b'"status"') != text.count(b'"accepted"'):
            raise RuntimeError(f"{answer.status} {text[:300]!r}")

    with ThreadPoolExecutor(GATEWAYS) as gateways:
        sent = 0
        while sent < rows:
            bodies = list(stream.bodies(min(SLICE_ROWS, rows - sent)))
            count = sum(each.rows for each in bodies)
            before = time.perf_counter(), _cpu_s(process_id), _tree_cpu_s(world), time.process_time()
            for _ in gateways.map(upload, [each.body for each in bodies]):
                pass
            after = time.perf_counter(), _cpu_s(process_id), _tree_cpu_s(world), time.process_time()
            wall, headend, server, client = (b - a for a, b in zip(before, after, strict=True))
            sent += count
            slice_ = Slice(rows=count, wall_s=wall, headend_s=headend, server_s=server, client_s=client)
            _show(f"{sent:>10,} {_words(slice_)}")
            yield slice_


def _octets(place: Place) -> int:
    if isinstance(place, Path):
        return place.stat().st_size
    with transaction(place, Purpose.READ) as connection:
        return connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one()


def _report(slices: list[Slice]) -> None:
    whole = Slice(
        rows=sum(each.rows for each in slices),
        wall_s=sum(each.wall_s for each in slices),
        headend_s=sum(each.headend_s for each in slices),
        server_s=sum(each.server_s for each in slices),
        client_s=sum(each.client_s for each in slices),
    )
    _show(f"\nall {whole.rows:,} rows: {_words(whole)}")
    if len(slices) > 1:
        last = slices[-5:]
        cost = [each.wall_s / each.rows for each in last]
        cpu = [(each.headend_s + each.server_s) / each.rows for each in last]
        first = slices[0]
        _show(
            f"cost per row of the last {len(last)} slices, by that of the first: "
            f"wall {statistics.median(cost) / (first.wall_s / first.rows):.2f}, "
            f"CPU {statistics.median(cpu) / ((first.headend_s + first.server_s) / first.rows):.2f}"
        )


def _words(slice_: Slice) -> str:
    def us(seconds: float) -> str:
        return f"{seconds / slice_.rows * 1e6:.1f}"

    return (
        f"{slice_.rows / slice_.wall_s:>9,.0f} rows/s wall, {slice_.rows / max(slice_.headend_s, 0.01):>9,.0f} rows/s "
        f"of head-end CPU; us a row: wall {us(slice_.wall_s)}, head-end {us(slice_.headend_s)}, "
        f"server {us(slice_.server_s)}, client {us(slice_.client_s)}"
    )


def _cpu_s(process_id: int) -> float:
    """Seconds of processor of one process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _tree_cpu_s(world: PostgresWorld | None) -> float:
    return 0.0 if world is None else sum(map(_cpu_s, world.process_ids()))


def _show(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
