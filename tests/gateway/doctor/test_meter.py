"""Wiring faults: the doctor names each by its step and its cause, against a real meter on real sockets."""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.transport.client import ClientIdentity, client_parameters, open_session
from dlms_objects.transport.durable_counters import DurableCounters, open_database
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from gateway.doctor.findings import Outcome, Step
from gateway.doctor.meter import title_of
from gateway.doctor.outbox_use import is_in_use
from gateway.doctor.probe import Speech
from gateway.store import Store
from tests.support.wiring import GATEWAY, SILENCE_S, Wiring, failure, free_ports, peer_on


@pytest.fixture
def wiring(tmp_path: Path) -> Wiring:
    """A meter that is wired well."""
    first, second = free_ports(2)
    return Wiring(tmp_path, (first, second))


def test_a_meter_that_is_wired_well_has_no_failure(wiring: Wiring) -> None:
    found = wiring.examine().found
    outcomes = {finding.step: finding.outcome for finding in found}
    assert outcomes.pop(Step.COUNTER) is Outcome.SKIPPED, "the gateway has not run yet"
    assert set(outcomes.values()) == {Outcome.OK}
    assert len(found) == 8


def test_over_hdlc_too(wiring: Wiring) -> None:
    found = wiring.examine(wiring.section(endpoint=f"hdlc+tcp:127.0.0.1:{wiring.hdlc_port}:physical=17")).found
    assert Outcome.FAILED not in [finding.outcome for finding in found]


def test_a_name_that_does_not_resolve(wiring: Wiring) -> None:
    found = failure(wiring.examine(wiring.section(endpoint="tcp:no-such-meter.invalid:4059")))
    assert (found.step, "no-such-meter.invalid is misspelt" in found.cause) == (Step.NAME, True)


def test_a_port_that_is_closed(wiring: Wiring) -> None:
    (closed,) = free_ports(1)
    found = failure(wiring.examine(wiring.section(endpoint=f"tcp:127.0.0.1:{closed}")))
    assert (found.step, "nothing listens on this port" in found.cause) == (Step.PORT, True)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({}, "accepts connections and does not answer"),
        ({"answer": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "a web server is here"),
        ({"greeting": b"\xff\xfd\x18\xff\xfd\x20login: "}, "a Telnet console is here"),
        ({"greeting": b"SSH-2.0-dropbear\r\n"}, "an SSH server is here"),
        ({"answer": b"\x15\x03\x01\x00\x02\x02\x0a"}, "wants TLS"),
        ({"answer": b"\xe0\x9c\x03\x81\xf3\xfe"}, "octets come that are no DLMS"),
        ({"hangs_up": True}, "closes connections unread: it is locked after too many failures"),
    ],
)
def test_what_is_there_instead_of_a_meter_is_named(behaviour: dict[str, Any], words: str, wiring: Wiring) -> None:
    (port,) = free_ports(1)
    section = wiring.section(endpoint=f"tcp:127.0.0.1:{port}", timeout_s=SILENCE_S)
    ports: list[Any] = []

    async def before(reactor: Any) -> None:
        ports.append(await peer_on(reactor, port, **behaviour))

    found = failure(wiring.examine(section, before=before))
    assert found.step is Step.LINK
    assert words in found.cause


def test_a_doctor_that_hears_nothing_would_be_noticed(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.doctor.probe.Heard.speech", Speech.SILENCE)
    with pytest.raises(AssertionError):
        test_what_is_there_instead_of_a_meter_is_named({"hangs_up": True}, "closes connections unread", wiring)


def test_keys_with_which_this_machine_cannot_speak_are_not_the_meters_fault(wiring: Wiring) -> None:
    wiring.place().identity.mkdir()
    found = failure(wiring.examine())
    assert found.step is Step.AUTHENTICATION
    assert "this machine cannot speak with these keys" in found.cause


def test_hdlc_where_the_endpoint_says_wrapper(wiring: Wiring) -> None:
    endpoint = f"tcp:127.0.0.1:{wiring.hdlc_port}"
    found = failure(wiring.examine(wiring.section(endpoint=endpoint, timeout_s=1)))
    assert found.step is Step.LINK
    assert "speaks HDLC here" in found.cause
    assert f"hdlc+{endpoint}" in found.remedy


def test_the_wrapper_where_the_endpoint_says_hdlc(wiring: Wiring) -> None:
    endpoint = f"hdlc+tcp:127.0.0.1:{wiring.port}:physical=17"
    found = failure(wiring.examine(wiring.section(endpoint=endpoint, timeout_s=1)))
    assert found.step is Step.LINK
    assert "speaks the wrapper here" in found.cause
    assert f'"tcp:127.0.0.1:{wiring.port}"' in found.remedy


def test_a_wrong_server_sap(wiring: Wiring) -> None:
    found = failure(wiring.examine(wiring.section(server_sap=17)))
    assert found.step is Step.ASSOCIATION
    assert "no logical device 17" in found.cause


def test_a_wrong_client_sap(wiring: Wiring) -> None:
    found = failure(wiring.examine(wiring.section(client_sap=99)))
    assert found.step is Step.AUTHENTICATION
    assert "no association for client 99" in found.cause


def test_another_meter_at_this_address(wiring: Wiring) -> None:
    other = SystemTitle(b"MPR\x00\x00\x00\x00\x09")
    found = failure(wiring.examine(wiring.section(system_title=other), replace(wiring.credentials, system_title=other)))
    assert found.step is Step.ASSOCIATION
    assert f"another meter is here: system_title says {other}" in found.cause
    assert str(wiring.credentials.system_title) in found.measured


@pytest.mark.parametrize("key", ["encryption_key", "authentication_key"])
def test_a_wrong_key(key: str, wiring: Wiring) -> None:
    wrong: Any = {key: secrets.token_bytes(16)}
    found = failure(wiring.examine(credentials=replace(wiring.credentials, **wrong)))
    assert found.step is Step.AUTHENTICATION
    assert "the encryption key or the authentication key is wrong" in found.cause


def spoken(wiring: Wiring, counter: int) -> Any:
    """The gateway has spoken with counters from that on, and its outbox knows nothing of it."""

    async def before(reactor: Any) -> None:
        counters = Counters(sent=MemorySentCounters(counter), received=MemoryReceivedCounters())
        identity = ClientIdentity(system_title=GATEWAY, counters=counters)
        parameters = client_parameters(wiring.credentials, identity)
        session = await open_session(reactor, f"tcp:127.0.0.1:{wiring.port}", parameters)
        await session.release()

    return before


def test_counters_that_the_gateway_has_lost(wiring: Wiring) -> None:
    Store(wiring.place().outbox).close()
    found = failure(wiring.examine(before=spoken(wiring, 100_000)))
    assert found.step is Step.COUNTER
    assert "invocation counters are too low" in found.cause
    assert "new system_title" in found.remedy


def test_counters_that_are_in_order_are_accepted_and_drawn_from_the_outbox(wiring: Wiring) -> None:
    Store(wiring.place().outbox).close()
    for _ in range(2):
        (found,) = [each for each in wiring.examine().found if each.step is Step.COUNTER]
        assert found.outcome is Outcome.OK
    connection = open_database(wiring.place().outbox)
    block = DurableCounters(connection).reserve(wiring.credentials.key_id)(64)
    connection.close()
    assert block.start == 129, "two blocks of 64 were reserved, one for each examination"


def test_a_gateway_at_work_keeps_its_counters_to_itself(wiring: Wiring) -> None:
    store = Store(wiring.place().outbox)
    assert is_in_use(wiring.place().outbox)
    (found,) = [each for each in wiring.examine(at_work=True).found if each.step is Step.COUNTER]
    assert (found.outcome, "at work" in found.measured) == (Outcome.SKIPPED, True)
    block = store.run(lambda _connection: store.counters.reserve(wiring.credentials.key_id)(64))
    assert block.start == 1, "none was used"
    store.close()


def test_a_clock_that_is_wrong(wiring: Wiring) -> None:
    clock = {"start": "2026-03-01T12:00:00+08:00", "rate": 1.0}
    found = failure(wiring.examine(clock=clock))
    assert found.step is Step.CLOCK
    assert "differ by more than 60 s" in found.cause


def test_a_serial_port_that_is_not_there(wiring: Wiring) -> None:
    found = failure(wiring.examine(wiring.section(endpoint="hdlc+serial:/dev/no-such-port:baudrate=9600")))
    assert found.step is Step.PORT
    assert "does not exist" in found.cause


def test_what_stands_on_a_failed_step_is_skipped(wiring: Wiring) -> None:
    found = wiring.examine(wiring.section(endpoint="tcp:no-such-meter.invalid:4059")).found
    assert [finding.outcome for finding in found[1:]] == [Outcome.SKIPPED] * 7
    assert all(finding.measured == "needs: name resolves" for finding in found[1:])


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"MPR0000000000009", "4D50520000000009"),
        (b"MPR1099511627775", "4D5052FFFFFFFFFF"),
        (b"MPR1099511627776", None),
        (b"MPR000000000000x", None),
        (b"", None),
    ],
)
def test_the_title_in_a_logical_device_name(name: bytes, title: str | None) -> None:
    found = title_of(name)
    assert (None if found is None else str(found)) == title
