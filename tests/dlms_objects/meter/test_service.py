"""The service: ready only when the store is verified, ticking whatever happens, stopped in good order; and real TCP."""

import shutil
import socket
from datetime import datetime

import pytest
from twisted.internet.error import ConnectionRefusedError
from twisted.logger import globalLogPublisher
from twisted.web.client import Agent, readBody

from deploy.demo.influxdb import free_port
from dlms_objects.classes.catalogue import HDLC_SETUP_NAME, TCP_UDP_SETUP_NAME, Role
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.classes.standard import IEC_HDLC_SETUP, TCP_UDP_SETUP
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter import setup
from dlms_objects.meter.listening import AddressInUseError, PanelAddressInUseError
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.panel_config import PanelConfig
from dlms_objects.meter.service import FAST_TICK_S, TICK_S, MetersService, build_meter, make_service
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import open_session
from dlms_objects.transport.credentials import CredentialsError
from dlms_objects.transport.remote_object import RemoteObject
from tests.support.meters import MeterWorld, daily, identifier
from tests.support.real_reactor import run_for_real
from tests.support.twisted_testing import has_result, result_of


@pytest.fixture
def world(tmp_path):
    """A meter's folder; the service is what starts it here."""
    return MeterWorld(tmp_path / "meter", start=False)


@pytest.fixture
def service(world):
    service = make_service([world.config()], world.reactor)
    yield service
    if service.running:
        stopping = service.stopService()
        world.reactor.settle()
        world.reactor.advance(10)
        result_of(stopping)


def start(service):
    service.startService()
    return result_of(service.when_ready())


def test_ready_says_where_the_meter_listens_and_who_it_is(world, service):
    assert start(service) == f"tcp:127.0.0.1:4059 {world.made.system_title}"
    assert world.connect().purse("balance") == 0


def test_nothing_is_opened_before_the_start(world):
    service = make_service([world.config()], world.reactor)
    assert not has_result(service.when_ready())
    MeterStore.open(world.store_path).close()


def test_the_store_is_verified_before_the_meter_is_ready(world, service, monkeypatch):
    order = []
    monkeypatch.setattr(Meter, "start", lambda *_: order.append(world.reactor.listener))
    start(service)
    assert order == [None]


def test_the_meter_checks_by_itself_without_any_client(world, service):
    start(service)
    client = world.connect()
    client.top_up(1, 5_000)

    client.set_item("parameters", daily())
    client.release()
    for _ in range(24 * 60):
        world.reactor.advance(60)
    assert world.sql("SELECT count(*) FROM entry") == [(2,)]


@pytest.mark.parametrize(("rate", "tick_s"), [(1.0, TICK_S), (60.0, FAST_TICK_S)])
def test_a_fast_clock_ticks_faster(world, rate, tick_s, monkeypatch):
    world.options = {"clock": {"start": datetime.fromisoformat("2026-01-01T00:00:00Z"), "rate": rate}}
    service = make_service([world.config()], world.reactor)
    start(service)
    ticks = []
    monkeypatch.setattr(Meter, "advance", lambda _meter, now_s: ticks.append(now_s))
    for _ in range(3):
        world.reactor.advance(tick_s)
    assert len(ticks) == 3
    result_of(service.stopService())


@pytest.mark.parametrize(("to", "deducted"), [("2026-06-20T12:00:00+08:00", 10), ("2026-05-20T12:00:00+08:00", 0)])
def test_a_host_clock_that_is_stepped_is_told_and_gone_by(world, to, deducted):
    steady_s = [0.0]
    service = make_service([world.config()], world.reactor, lambda: steady_s[0])
    start(service)
    client = world.connect()
    client.top_up(1, 50_000)
    client.set_item("parameters", daily())
    client.release()
    wanted_s = datetime.fromisoformat(to).timestamp()
    step_s = int(wanted_s - world.reactor.seconds())
    steady_s[0] += TICK_S
    world.reactor.rightNow = wanted_s - TICK_S
    for call in world.reactor.getDelayedCalls():
        call.reset(TICK_S)  # as deploy.steady_timers sees to
    world.reactor.advance(TICK_S)
    client = world.connect()
    codes = [event[1:] for event in client.events() if event[1] == EventCode.CLOCK_SET]
    assert len(codes) == 1
    assert abs(codes[0][1] - step_s) <= 2
    assert len(client.journal()) == 1 + deducted


def test_a_check_that_fails_unforeseen_is_logged_and_the_next_tick_tries_again(world, service, monkeypatch):
    start(service)
    ticks, logged = [], []

    def broken(_meter, now_s):
        ticks.append(now_s)
        raise ZeroDivisionError("a fault of ours")

    globalLogPublisher.addObserver(logged.append)
    with monkeypatch.context() as faulty:
        faulty.setattr(Meter, "advance", broken)
        for _ in range(3):
            world.reactor.advance(TICK_S)
    globalLogPublisher.removeObserver(logged.append)
    assert len(ticks) == 3
    assert sum(event.get("log_failure") is not None for event in logged) == 3
    assert world.connect().purse("balance") == 0


def test_an_address_in_use_is_one_clear_error(world, service):
    world.reactor.listenTCP(4059, None)
    world.reactor.listener = object()
    with pytest.raises(AddressInUseError, match="cannot listen on 127.0.0.1:4059: .*in use"):
        start(service)


def test_the_panel_is_served_where_its_table_says_and_ends_with_the_meter(world):
    listen = f"127.0.0.1:{free_port()}"
    config = world.config().model_copy(update={"panel": PanelConfig(listen=listen), "listen": "127.0.0.1:0"})

    async def session(reactor):
        service = make_service([config], reactor)
        service.startService()
        await service.when_ready()
        agent = Agent(reactor)
        answer = await agent.request(b"GET", f"http://{listen}/panel.json".encode())
        body = await readBody(answer)
        await service.stopService()
        with pytest.raises(ConnectionRefusedError):
            await agent.request(b"GET", f"http://{listen}/panel.json".encode())
        return answer.code, body

    status, body = run_for_real(session)
    assert status == 200
    assert b'"balance":"0.00"' in body


def test_an_address_of_the_panel_in_use_is_one_clear_error(world):
    world.options = {"panel": {"listen": "127.0.0.1:8090"}}
    world.reactor.listener = object()
    with pytest.raises(PanelAddressInUseError, match=r"cannot listen on 127\.0\.0\.1:8090: .*in use"):
        start(make_service([world.config()], world.reactor))


def test_a_pin_file_that_holds_none_is_one_clear_error(world):
    pin = world.folder / "panel.pin"
    pin.write_text("270614")
    world.options = {"panel": {"listen": "127.0.0.1:8090", "pin": pin}}
    with pytest.raises(InvalidValueError, match=r"panel\.pin: no PIN of a front panel"):
        start(make_service([world.config()], world.reactor))


def test_a_store_that_another_process_runs_is_one_clear_error(world, service):
    other = MeterStore.open(world.store_path)
    with pytest.raises(StorageError, match="another process runs this meter"):
        start(service)
    other.close()


def test_keys_of_another_meter_are_refused_and_the_store_is_let_go(world, tmp_path):
    other = setup.create(tmp_path / "other")
    keys = world.made.keys[Role.READER].parent
    shutil.rmtree(keys)
    shutil.copytree(other.config.parent / "keys", keys)
    with pytest.raises(CredentialsError, match=f"not the keys of {world.made.system_title}"):
        build_meter(world.config(), 0.0)
    MeterStore.open(world.store_path).close()


def test_stopping_drops_clients_lets_go_of_the_store_and_listens_no_more(world):
    service = make_service([world.config()], world.reactor)
    start(service)
    client = world.connect()
    stopping = service.stopService()
    assert world.reactor.listener is None
    world.reactor.settle()
    result_of(stopping)
    assert client.line.meter.is_lost
    MeterStore.open(world.store_path).close()


def test_stopping_waits_for_a_client_that_reads_slowly_but_not_for_ever(world):
    service = make_service([world.config()], world.reactor)
    start(service)
    client = world.connect()
    client.line.client.pauseProducing()
    client.line.meter.write(b"an answer nobody reads")
    stopping = service.stopService()
    world.reactor.settle()
    assert not has_result(stopping)
    world.reactor.advance(5.1)
    result_of(stopping)


def test_a_service_that_never_started_stops(world):
    service = make_service([world.config()], world.reactor)
    assert isinstance(service, MetersService)
    result_of(service.stopService())


# --- over real TCP on loopback ---


def has_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def session_with(world, reactor, words, role=Role.MANAGEMENT):
    return await open_session(reactor, words.split()[0], world.parameters(role))


def test_over_real_tcp_a_client_tops_up_and_a_restart_keeps_it(world):
    world.options = {"listen": "127.0.0.1:0"}

    async def work(reactor):
        answers = []
        for _ in range(2):
            service = make_service([world.config()], reactor)
            service.startService()
            session = await session_with(world, reactor, await service.when_ready())
            purse = RemoteObject(session, PURSE, PURSE_NAME)
            answers.append(await purse.call("top_up", {"transaction_id": identifier(1), "amount": 5_000}))
            await session.release()
            await service.stopService()
        return answers

    first, second = run_for_real(work)
    assert first == {"outcome": "done", "sequence": 1, "balance": 5_000}
    assert second == first | {"outcome": "repeated"}


def test_over_real_tcp_the_meter_serves_several_clients_and_outlives_garbage(world):
    world.options = {"listen": "127.0.0.1:0"}

    async def work(reactor):
        service = make_service([world.config()], reactor)
        service.startService()
        words = await service.when_ready()
        _, host, port = words.split()[0].split(":")
        manager = await session_with(world, reactor, words)
        reader = await session_with(world, reactor, words, Role.READER)
        await RemoteObject(manager, PURSE, PURSE_NAME).call(
            "top_up", {"transaction_id": identifier(1), "amount": 5_000}
        )
        with socket.create_connection((host, int(port)), timeout=5) as garbage:
            garbage.sendall(b"GET / HTTP/1.1\r\n\r\n")
            balance = await RemoteObject(reader, PURSE, PURSE_NAME).get("balance")
            garbage.settimeout(5)
            ended = garbage.recv(100)
        await manager.release()
        await service.stopService()
        return balance, ended

    assert run_for_real(work) == (5_000, b"")


@pytest.mark.skipif(not has_ipv6_loopback(), reason="no IPv6 loopback here")
def test_over_real_tcp_an_ipv6_address_is_served_and_told_as_an_endpoint(world):
    world.options = {"listen": "[::1]:0"}

    async def work(reactor):
        service = make_service([world.config()], reactor)
        service.startService()
        session = await session_with(world, reactor, await service.when_ready())
        balance = await RemoteObject(session, PURSE, PURSE_NAME).get("balance")
        await session.release()
        await service.stopService()
        return balance

    assert run_for_real(work) == 0


def test_over_real_tcp_a_port_in_use_is_one_clear_error(world):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        world.options = {"listen": f"127.0.0.1:{taken.getsockname()[1]}"}

        async def work(reactor):
            service = make_service([world.config()], reactor)
            service.startService()
            try:
                await service.when_ready()
            finally:
                await service.stopService()

        with pytest.raises(AddressInUseError, match="Address already in use"):
            run_for_real(work)


def test_over_real_tcp_the_meter_shows_the_port_and_the_line_that_were_opened(world):
    line = f"hdlc+tcp:127.0.0.1:{free_port()}:physical=17:information=256"
    world.options = {"listen": "127.0.0.1:0", "line": [{"endpoint": line}], "maximum_connections": 9}

    async def work(reactor):
        service = make_service([world.config()], reactor)
        service.startService()
        words = await service.when_ready()
        session = await session_with(world, reactor, words)
        tcp = RemoteObject(session, TCP_UDP_SETUP, TCP_UDP_SETUP_NAME)
        hdlc = RemoteObject(session, IEC_HDLC_SETUP, HDLC_SETUP_NAME)
        shown = [await tcp.get(name) for name in ("TCP_UDP_port", "nb_of_sim_conn")]
        shown += [await hdlc.get(name) for name in ("device_address", "max_info_field_length_transmit")]
        await session.release()
        await service.stopService()
        return words, shown

    words, shown = run_for_real(work)
    assert shown == [int(words.split()[0].rpartition(":")[2]), 9, 17, 256]
