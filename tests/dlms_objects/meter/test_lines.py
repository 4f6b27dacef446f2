"""The lines of a process: opened for all meters at once, shared where they name the same, refused where they clash."""

import socket

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.meter.line_config import LineConfig
from dlms_objects.meter.lines import LineError, Lines
from dlms_objects.meter.listening import AddressInUseError
from dlms_objects.meter.service import make_service
from dlms_objects.transport.client import open_session
from tests.support.meters import BALANCE, MeterWorld
from tests.support.real_reactor import run_for_real


def line(endpoint):
    return LineConfig(endpoint=endpoint)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("hdlc+serial:/dev/x:physical=17", "hdlc+serial:/dev/x:physical=17", "address 1/17"),
        ("hdlc+serial:/dev/x:physical=17", "hdlc+serial:/dev/x:physical=18:turnaround=5", "in another way"),
        ("hdlc+serial:/dev/x:physical=17", "hdlc+optical:/dev/x:physical=18", "in another way"),
        ("hdlc+optical:/dev/x", "hdlc+optical:/dev/x:physical=18", "for one meter"),
    ],
)
def test_meters_that_cannot_share_a_line_are_refused(world, first, second, words):
    lines = Lines(world.reactor)
    lines.add(line(first), world.factory)
    with pytest.raises(LineError, match=words) as caught:
        lines.add(line(second), world.factory)
    assert second in str(caught.value)


def test_a_port_that_is_not_there_is_named(world):
    async def opened(reactor):
        lines = Lines(reactor)
        lines.add(line("hdlc+serial:/dev/nothing:physical=17"), world.factory)
        try:
            with pytest.raises(LineError, match="/dev/nothing"):
                await lines.open()
        finally:
            await lines.close()

    run_for_real(opened)


@pytest.mark.parametrize(("kind", "type_"), [("udp", socket.SOCK_DGRAM), ("hdlc+tcp", socket.SOCK_STREAM)])
def test_an_address_in_use_is_named(world, kind, type_):
    async def opened(reactor):
        with socket.socket(type=type_) as taken:
            taken.bind(("127.0.0.1", 0))
            if type_ is socket.SOCK_STREAM:
                taken.listen()
            port = taken.getsockname()[1]
            lines = Lines(reactor)
            lines.add(line(f"{kind}:127.0.0.1:{port}"), world.factory)
            with pytest.raises(AddressInUseError, match=f"127.0.0.1:{port}"):
                await lines.open()
            await lines.close()

    run_for_real(opened)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_two_meters_of_one_process_are_reached_over_udp_and_one_converter(tmp_path):
    converter, udp = free_port(), free_port()
    worlds = [MeterWorld(tmp_path / name, start=False) for name in ("one", "other")]
    for physical, world in enumerate(worlds, start=17):
        world.options = {
            "listen": "127.0.0.1:0",
            "line": [
                {"endpoint": f"hdlc+tcp:127.0.0.1:{converter}:physical={physical}"},
                {"endpoint": f"udp:127.0.0.1:{udp + physical}"},
            ],
        }

    async def asked(reactor):
        service = make_service([world.config() for world in worlds], reactor)
        service.startService()
        ready = await service.when_ready()
        assert [str(world.made.system_title) in ready for world in worlds] == [True, True]
        balances = []
        for physical, world in enumerate(worlds, start=17):
            for endpoint in (f"hdlc+tcp:127.0.0.1:{converter}:physical={physical}", f"udp:127.0.0.1:{udp + physical}"):
                session = await open_session(reactor, endpoint, world.parameters(Role.READER))
                balances.append(await session.get(BALANCE))
                await session.release()
        await service.stopService()
        return balances

    assert run_for_real(asked) == [b"\x14" + bytes(8)] * 4
