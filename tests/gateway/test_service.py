"""gateway/service.py with everything real but the head-end's books: a meter over TCP, HTTP over sockets, the disk."""

import json
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import deferLater

from dlms_objects.errors import LocalError
from dlms_objects.meter import setup as meter_setup
from dlms_objects.meter.config import MeterConfig
from dlms_objects.meter.service import make_service as make_meter
from dlms_objects.transport.client import ClientIdentity, client_parameters, open_session
from dlms_objects.transport.credentials import MeterCredentials, load_credentials
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import enum, long64, octet_string, structure
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.parameters import ClientParameters
from gateway.config import CollectionSection, GatewayConfig, HeadendSection, MeterSection, OutboxSection, PushSection
from gateway.service import GatewayService, make_service, read_settings, read_token
from tests.support.fake_headend import FakeHeadend
from tests.support.http_server import Answer, Request, http_server, unzipped
from tests.support.twisted_testing import result_of, run_in_reactor

TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)
PUSH_DESTINATION = AttributeDescriptor(40, LogicalName.parse("0.0.25.9.0.255"), 3)
OPERATOR = SystemTitle(b"MPC\x00\x00\x00\x00\x01")


@dataclass
class Street:
    """One real meter, and a head-end in memory behind a real HTTP server."""

    folder: Path
    made: meter_setup.MadeMeter
    keys: MeterCredentials
    headend: FakeHeadend
    url: str
    heartbeats: list[dict[str, Any]]

    def config(self, port: int) -> GatewayConfig:
        return GatewayConfig(
            system_title=SystemTitle(b"MPG\x00\x00\x00\x00\x07"),
            headend=HeadendSection(
                url=self.url, token_file=self.folder / "token", upload_every_s=0.05, heartbeat_every_s=1
            ),
            outbox=OutboxSection(path=self.folder / "outbox.sqlite3"),
            collection=CollectionSection(back_off_first_s=0.1, back_off_maximum_s=0.2),
            meter=(
                MeterSection(
                    name="flat-1",
                    system_title=self.made.system_title,
                    endpoint=f"tcp:127.0.0.1:{port}",
                    key_file=self.keys_file,
                    collect_every_s=0.1,
                    page_rows=2,
                    timeout_s=5,
                ),
            ),
        )

    @property
    def keys_file(self) -> Path:
        return next(path for role, path in self.made.keys.items() if "management" in str(role).lower())

    def seen(self, sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.folder / "outbox.sqlite3") as connection:
            return connection.execute(sql).fetchall()


@contextmanager
def street_with(folder: Path) -> Iterator[Street]:
    made = meter_setup.create(folder / "meter", listen="127.0.0.1:0")
    headend = FakeHeadend(made.system_title)
    heartbeats: list[dict[str, Any]] = []

    def answer(request: Request) -> Answer:
        if request.headers["Authorization"] != "Bearer secret":
            return Answer(status=401)
        body = unzipped(request)
        if request.path.endswith("/status"):
            heartbeats.append(json.loads(body))
            return Answer(status=204)
        return Answer(body=result_of(headend.request(request.method, request.path, body)))

    (folder / "token").write_text("secret\n")
    with http_server(answer) as url:
        street = Street(folder, made, load_credentials(made.keys[next(iter(made.keys))]), headend, url, heartbeats)
        street.keys = load_credentials(street.keys_file)
        yield street


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with street_with(tmp_path) as street:
        yield street


async def until(reactor: Any, met: Callable[[], object]) -> None:
    while not met():
        await deferLater(reactor, 0.02)


def operator_of(street: Street, port: int, first: int) -> tuple[str, ClientParameters]:
    """Where the meter is, and an operator with unused counters from `first` on."""
    counters = Counters(sent=MemorySentCounters(first), received=MemoryReceivedCounters())
    identity = ClientIdentity(system_title=OPERATOR, counters=counters)
    return f"tcp:127.0.0.1:{port}", client_parameters(street.keys, identity)


async def push_to(reactor: Any, street: Street, port: int, destination: str) -> None:
    """Tell the meter where to push to."""
    session = await open_session(reactor, *operator_of(street, port, 0))
    value = structure(enum(0), octet_string(destination.encode()), enum(0))
    await session.set(PUSH_DESTINATION, axdr.encode(value))
    await session.release()


async def top_up(reactor: Any, street: Street, port: int, *numbers: int) -> None:
    """Pay money in over DLMS, as an operator does."""
    session = await open_session(reactor, *operator_of(street, port, numbers[0] * 1000))
    for number in numbers:
        arguments = structure(octet_string(number.to_bytes(16, "big")), long64(100 * number))
        await session.action(TOP_UP, axdr.encode(arguments))
    await session.release()


def with_meter(street: Street, work: Callable[[Any, int], Coroutine[Any, Any, None]]) -> None:
    """Run the meter and the work in one reactor."""

    async def run(reactor: Any) -> None:
        config = {"listen": "127.0.0.1:0", "store": street.made.store, "keys": street.made.config.parent / "keys"}
        service = make_meter([MeterConfig.model_validate(config)], reactor)
        service.startService()
        port = int((await service.when_ready()).split()[0].rsplit(":", 1)[1])
        try:
            await work(reactor, port)
        finally:
            await service.stopService()

    run_in_reactor(run)


async def started(reactor: Any, street: Street, port: int) -> GatewayService:
    service = make_service(street.config(port), reactor)
    service.startService()
    return service


def test_what_happens_in_the_meter_arrives_and_is_acknowledged(street: Street) -> None:
    books = street.headend.books[str(street.made.system_title)]

    async def work(reactor: Any, port: int) -> None:
        await top_up(reactor, street, port, 1, 2, 3, 4, 5)
        gateway = await started(reactor, street, port)
        await until(reactor, lambda: len(books.rows) == 5)
        await until(reactor, lambda: street.seen("select delivered from acknowledgement") == [(5,)])
        await top_up(reactor, street, port, 6)
        await until(reactor, lambda: len(books.rows) == 6)
        await until(reactor, lambda: street.heartbeats)
        await until(reactor, lambda: readings(street))
        await gateway.stopService()

    with_meter(street, work)
    assert books.balance == 100 * (1 + 2 + 3 + 4 + 5 + 6)
    assert books.currency == {"code": "CNY", "scale": -2}
    assert street.seen("select held_rows from fill") == [(0,)]
    assert street.heartbeats[0]["system_title"] == "4D50470000000007"
    assert street.heartbeats[0]["lines"] == 1
    assert street.heartbeats[-1]["sessions"] >= 1
    (reading,) = readings(street)[0]["readings"]
    assert reading["system_title"] == str(street.made.system_title)
    assert reading["energy_wh"] > 0
    assert abs(CosemDateTime(bytes.fromhex(reading["time"])).instant().timestamp() - reading["read_at_s"]) < 60


def readings(street: Street) -> list[dict[str, Any]]:
    return [document for _, path, document in street.headend.requests if path.endswith("/readings")]


def test_a_gateway_started_again_goes_on_where_it_was(street: Street) -> None:
    books = street.headend.books[str(street.made.system_title)]

    async def work(reactor: Any, port: int) -> None:
        for number in (1, 2, 3):
            await top_up(reactor, street, port, number)
            gateway = await started(reactor, street, port)
            await until(reactor, lambda number=number: len(books.rows) == number)  # type: ignore[misc]
            await gateway.stopService()

    with_meter(street, work)
    assert max(books.times_seen.values()) <= 2
    ((ceiling,),) = street.seen("select ceiling from sent_counter")
    assert ceiling >= 3 * 64, "no counter of an earlier life is used again"


def test_a_meter_that_is_away_is_tried_again_and_stopping_does_not_hang(street: Street) -> None:
    async def work(reactor: Any) -> None:
        gateway = await started(reactor, street, 1)
        await until(reactor, lambda: gateway.lines[0].failures > 2)
        assert gateway.figures() == {
            "lines": 1,
            "lines_failing": 1,
            "sessions": gateway.lines[0].failures,
            "sessions_failed": gateway.lines[0].failures,
            "upload_failures": 0,
            "command_poll_failures": 0,
        }
        await gateway.stopService()

    run_in_reactor(work)


def test_a_head_end_that_says_no_keeps_everything(street: Street) -> None:
    (street.folder / "token").write_text("another\n")

    async def work(reactor: Any, port: int) -> None:
        await top_up(reactor, street, port, 1)
        gateway = await started(reactor, street, port)
        await until(reactor, lambda: gateway.uplink.failures > 1)
        await gateway.stopService()

    with_meter(street, work)
    assert street.seen("select count(*) from row") == [(1,)]


def test_the_words_at_the_start_name_no_secret(street: Street) -> None:
    words = result_of(make_service(street.config(1), object()).when_ready())
    assert words == f"1 meters, head-end {street.url}"


def test_keys_of_another_association_are_refused(street: Street) -> None:
    config = street.config(1)
    wrong = config.model_copy(update={"meter": (config.meter[0].model_copy(update={"client_sap": 2}),)})
    with pytest.raises(LocalError, match="client 1"):
        make_service(wrong, object())


@pytest.mark.parametrize("octets", [b"", b"\n", b"two words", b"\xff\xfe", "schlüssel".encode(), None])
def test_a_token_that_is_none_is_refused(tmp_path: Path, octets: bytes | None) -> None:
    path = tmp_path / "token"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(LocalError, match="token") as caught:
        read_token(path)
    assert "words" not in str(caught.value)


def test_a_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc-123\n")
    assert read_token(tmp_path / "token") == "abc-123"


def test_what_a_meter_pushes_is_collected_long_before_its_turn(street: Street) -> None:
    books = street.headend.books[str(street.made.system_title)]

    async def work(reactor: Any, port: int) -> None:
        config = street.config(port)
        rarely = config.meter[0].model_copy(update={"collect_every_s": 86_400.0})
        push = PushSection(listen="127.0.0.1:0")
        gateway = make_service(config.model_copy(update={"meter": (rarely,), "push": push}), reactor)
        gateway.startService()
        await until(reactor, lambda: street.heartbeats)
        await push_to(reactor, street, port, f"127.0.0.1:{gateway.pushes.port}")
        await top_up(reactor, street, port, 1)
        await until(reactor, lambda: len(books.rows) == 1)
        await gateway.stopService()

    with_meter(street, work)
    assert books.balance == 100


def test_a_reload_brings_a_meter_in_and_out_and_the_rest_goes_on(street: Street) -> None:
    books = street.headend.books[str(street.made.system_title)]

    async def work(reactor: Any, port: int) -> None:
        config = street.config(port)
        without = config.model_copy(update={"meter": ()})
        gateway = make_service(without, reactor)
        gateway.startService()
        await until(reactor, lambda: street.heartbeats)
        assert str(await gateway.reload(read_settings(config))) == "meters: 1 added, 0 removed, 0 changed"
        await top_up(reactor, street, port, 1)
        await until(reactor, lambda: len(books.rows) == 1)
        narrow = config.model_copy(update={"collection": config.collection.model_copy(update={"concurrency": 1})})
        old = gateway.lines
        assert "new limits" in str(await gateway.reload(read_settings(narrow)))
        assert gateway.lines != old
        await top_up(reactor, street, port, 2)
        await until(reactor, lambda: len(books.rows) == 2)
        assert str(await gateway.reload(read_settings(without))).startswith("meters: 0 added, 1 removed, 0 changed")
        assert gateway.lines == []
        await gateway.stopService()

    with_meter(street, work)
    assert books.balance == 300


def test_a_meter_that_cannot_come_in_leaves_the_others_as_they_were(street: Street) -> None:
    async def work(reactor: Any, port: int) -> None:
        gateway = await started(reactor, street, port)
        config = street.config(port)
        twice = config.model_copy(update={"meter": (*config.meter, config.meter[0].model_copy(update={"name": "b"}))})
        with pytest.raises(LocalError, match="is meter flat-1"):
            await gateway.reload(read_settings(twice))
        assert str(await gateway.reload(read_settings(config))) == "meters: 0 added, 0 removed, 0 changed"
        assert len(gateway.lines) == 1
        await gateway.stopService()

    with_meter(street, work)


def test_a_command_of_the_head_end_reaches_the_meter_and_its_entry_comes_back(street: Street) -> None:
    title = street.made.system_title
    money = {"transaction_id": "0d" * 16, "amount_minor": 700}
    street.headend.command("0e" * 16, title, "top_up", parameters=money)

    async def work(reactor: Any, port: int) -> None:
        config = street.config(port)
        commanded = config.meter[0].model_copy(update={"command_keys": street.keys_file, "collect_every_s": 3600})
        service = make_service(config.model_copy(update={"meter": (commanded,)}), reactor)
        service.startService()
        await until(reactor, lambda: street.headend.results)
        await until(reactor, lambda: street.headend.books[str(title)].rows)
        await service.stopService()

    with_meter(street, work)
    assert street.headend.results["0e" * 16]["answer"]["balance_minor"] == 700
    assert street.headend.books[str(title)].balance == 700
