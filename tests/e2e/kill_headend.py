"""A head-end, and its PostgreSQL, under `kill -9` while gateways upload: what was answered stays, nothing is doubled.

    python -m tests.e2e.kill_headend [--kills 200] [--postgres] [--seed N] [--early-answer]

Gateways upload the journals of their meters without a pause, send again what was not answered, and now and then what
was. With `--postgres` every other victim is the database server: the head-end must answer 503 meanwhile and go on by
itself. At the end the ledger must be the union of the journals, to the octet, each entry once. `--early-answer` runs a
head-end that answers before it commits; the script must then fail. The seed replays victims and moments (not the
operating system's timing). Exit code 0 when all is well, 1 otherwise.
"""

import argparse
import http.client
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from deploy.demo.daemons import Daemon
from deploy.demo.influxdb import free_port
from dlms_objects.purse.entry import ROW_LENGTH
from headend.books import register
from headend.config import MeterConfig
from headend.database import transaction
from headend.engines import Purpose
from headend.place import Place
from headend.setup import DATABASE_NAME, create
from tests.bench.journal_stream import JournalStream, Request
from tests.e2e.kept_ledger import differences
from tests.support.postgres import PostgresWorld, postgres_world

GATEWAYS = 4
METERS_EACH = 8
ROWS_EACH = 3
LONGEST_LIFE_S = 0.25
PATIENCE_S = 120.0
AGAIN_S = 0.01
PATH = "/api/gateway/v1/records"
LOST = (OSError, http.client.HTTPException)


def main() -> int:
    """Run; 0 when the ledger is what was sent."""
    parser = argparse.ArgumentParser(description="a head-end under kill -9")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--early-answer", action="store_true", help="a head-end that answers before it commits")
    options = parser.parse_args()
    say(f"seed {options.seed}, {options.kills} kills{', early answers' if options.early_answer else ''}")
    folder = Path(tempfile.mkdtemp(prefix="meterpurse-kill-"))
    with _place(postgres=options.postgres) as (place, world):
        problems = _run(folder / "headend", place, world, options)
    for problem in problems:
        say(f"FAILED: {problem}")
    if problems:
        say(f"everything is kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


class Gateway:
    """Uploads the journals of its meters, one request at a time, until it is told to stop or finds something wrong."""

    def __init__(self, number: int, port: int, token: str, seed: int) -> None:
        """`number` keeps its meters apart from those of the others."""
        self.stream = JournalStream(
            meters=METERS_EACH, per_meter=ROWS_EACH, request_rows=METERS_EACH * ROWS_EACH, first=number * METERS_EACH
        )
        self.rows: dict[str, bytes] = {str(each.title): b"" for each in self.stream.journals}
        self.answers: Counter[int] = Counter()
        self.problem: str | None = None
        self.stopping = threading.Event()
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._dice = random.Random(seed)
        self._connection: http.client.HTTPConnection | None = None

    def work(self) -> None:
        """Send, again and again; every third time what is acknowledged already is sent once more."""
        while not self.stopping.is_set() and self.problem is None:
            (request,) = self.stream.bodies(METERS_EACH * ROWS_EACH)
            self._deliver(request)
            if self._dice.random() < 1 / 3:
                self._deliver(request)
            self._keep(request)

    def _deliver(self, request: Request) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.problem is None:
            status, text = self._post(request.body)
            self.answers[status] += 1
            if status == http.client.OK:
                self._judge(msgspec.json.decode(text)["meters"])
                return
            if status not in (0, http.client.SERVICE_UNAVAILABLE):
                self.problem = f"answered {status}: {text[:300]!r}"
            if time.monotonic() > deadline:
                self.problem = f"not answered for {PATIENCE_S:.0f} s, the last answer was {status}"
            time.sleep(AGAIN_S)

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; status 0 when the connection was lost."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            self._connection.request("POST", PATH, body, self._headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except LOST:
            self._connection.close()
            self._connection = None
            return 0, b""

    def _judge(self, meters: list[dict[str, object]]) -> None:
        """What was answered before must be there: a gap would be the loss of an acknowledged entry."""
        wanted = {str(each.title): (each.sequence, each.digest.hex()) for each in self.stream.journals}
        for told in meters:
            title = str(told["system_title"])
            if told["status"] != "accepted" or (told["sequence"], told["digest"]) != wanted[title]:
                self.problem = f"meter {title} has {wanted[title]}, answered is {told}"

    def _keep(self, request: Request) -> None:
        for title, octets in request.rows_by_meter().items():
            self.rows[title] += octets


def _run(folder: Path, place: Place, world: PostgresWorld | None, options: argparse.Namespace) -> list[str]:
    port = free_port()
    made = create(folder, listen=f"127.0.0.1:{port}", database=place)
    token = made.gateway_token.read_text().strip()
    gateways = [Gateway(number, port, token, options.seed + number) for number in range(GATEWAYS)]
    with transaction(made.database) as connection:
        for title in (title for gateway in gateways for title in gateway.rows):
            register(connection, MeterConfig(system_title=title, household=title, language="en"))
    module = "tests.support.early_answering_headend" if options.early_answer else "deploy"
    headend = Daemon("head-end", ["headend", "run", str(folder)], folder / "log", module=module)
    headend.start()
    threads = [threading.Thread(target=gateway.work) for gateway in gateways]
    for thread in threads:
        thread.start()
    try:
        killed = _kill(headend, world, gateways, options)
    finally:
        for gateway in gateways:
            gateway.stopping.set()
        for thread in threads:
            thread.join()
        headend.kill()
    with transaction(made.database, Purpose.READ) as connection:
        journals = {title: octets for gateway in gateways for title, octets in gateway.rows.items()}
        problems = list(differences(connection, journals))
    answers = sum((gateway.answers for gateway in gateways), Counter())
    entries = sum(map(len, journals.values())) // ROW_LENGTH
    say(f"{sum(killed.values())} kills ({_told(killed)}); {entries} entries; answers: {_told(answers)}")
    if options.postgres and not answers[http.client.SERVICE_UNAVAILABLE]:
        problems.append("no request was answered 503 while the server was away")
    return [gateway.problem for gateway in gateways if gateway.problem] + problems


def _kill(
    headend: Daemon, world: PostgresWorld | None, gateways: list[Gateway], options: argparse.Namespace
) -> Counter[str]:
    """Kill in the midst of uploads; the next one comes when every gateway was answered again."""
    dice = random.Random(options.seed)
    killed: Counter[str] = Counter()
    for number in range(options.kills):
        _wait_for_answers(gateways)
        time.sleep(dice.uniform(0, LONGEST_LIFE_S))
        if any(gateway.problem for gateway in gateways):
            break
        if world is not None and number % 2:
            world.kill()
            time.sleep(dice.uniform(0, LONGEST_LIFE_S))
            world.start()
            killed["PostgreSQL"] += 1
        else:
            headend.kill()
            headend.start()
            killed["head-end"] += 1
    _wait_for_answers(gateways)
    return killed


def _wait_for_answers(gateways: list[Gateway]) -> None:
    before = [gateway.answers[http.client.OK] for gateway in gateways]
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and not any(gateway.problem for gateway in gateways):
        now = [gateway.answers[http.client.OK] for gateway in gateways]
        if all(later > earlier for later, earlier in zip(now, before, strict=True)):
            return
        time.sleep(AGAIN_S)


@contextmanager
def _place(*, postgres: bool) -> Iterator[tuple[Place, PostgresWorld | None]]:
    if not postgres:
        yield Path(DATABASE_NAME), None
        return
    with postgres_world(is_durable=True) as world:
        yield world.make(), world


def _told(counts: Counter[str] | Counter[int]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in sorted(counts.items(), key=str))


def say(words: str) -> None:
    """Print one line at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
