"""A trace shows every frame of a session and none of its secrets; garbage does not raise, and is shown."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.errors import RefusedError
from dlms_objects.gurux_bridge.names import descriptor_name
from dlms_objects.gurux_bridge.translation import xml_of
from dlms_objects.transport import redaction
from dlms_objects.transport.client import open_session
from dlms_objects.transport.plaintext import opened
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.transport.trace import RECEIVED, SENT, Trace, TraceOptions
from dlms_objects.wire import events
from dlms_objects.wire.acse import Aarq
from dlms_objects.wire.action import ActionRequestNormal, ActionResponseNormal
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.ciphered import GeneralGloCiphering, ServiceCiphering
from dlms_objects.wire.wrapper import Wrapper, encode_frame
from tests.support.associations import (
    GET,
    KEYS,
    MANAGEMENT,
    NOW,
    OTHER_KEYS,
    PASSWORD,
    REGISTER,
    RESIDENT,
    World,
    byte_by_byte,
    whole,
)
from tests.support.meters import ENDPOINT, MeterWorld, identifier, plain_parameters

HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([<>]) (?:\d+>\d+ )?(\S.*)")
BODY = re.compile(r"    \S.*")
CANARY = "canary 金丝雀"
AMOUNT = 0x7E57AB1E5
IDENTIFIER = "c0ffee00decade00facade00beefed01"


class Traced:
    """A meter's session with its trace, the octets that travelled, and what must not be in the trace."""

    def __init__(self, world: MeterWorld, options: TraceOptions) -> None:
        self.lines: list[str] = []
        self.world = world
        self.parameters = world.parameters(Role.MANAGEMENT)
        self.trace = Trace(self.lines.append, self.parameters, options)
        self.session = world.reactor.run(open_session(world.reactor, ENDPOINT, self.parameters, self.trace))
        self.line = world.reactor.lines[-1]

    def live(self) -> None:
        """A household's business, canaries in every value, from the first frame to the last."""
        run, reactor = self.world.reactor.run, self.session
        purse, item = RemoteObject(reactor, PURSE, PURSE_NAME), RemoteObject(reactor, FEE_ITEM, fee_item_name(1))
        run(purse.set("settings", run(purse.get("settings")) | {"maximum_top_up": 0, "maximum_balance": 2**62}))
        run(purse.call("top_up", {"transaction_id": IDENTIFIER, "amount": AMOUNT}))
        run(item.set("parameters", plain_parameters(label=CANARY)))
        run(item.get("parameters"))
        with pytest.raises(RefusedError):
            run(purse.set("balance", 1))
        run(self.session.release())

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def frames(self) -> list[bytes]:
        wrappers = (Wrapper(), Wrapper())
        octets = (b"".join(self.line.carried_to_meter), b"".join(self.line.carried_to_client))
        return [
            frame.apdu for wrapper, carried in zip(wrappers, octets, strict=True) for frame in wrapper.receive(carried)
        ]

    def plaintexts(self) -> Iterator[bytes]:
        """What is inside the ciphered frames."""
        security = self.parameters.security
        assert security is not None
        for apdu in self.frames():
            found = decode_apdu(apdu)
            if isinstance(found, ServiceCiphering | GeneralGloCiphering):
                for title in (security.own_title, security.peer_title):
                    assert title is not None
                    plain = opened(found, security.keys, title.octets)
                    if plain is not None and plain[1]:
                        yield plain[0]

    def proofs(self) -> list[bytes]:
        """What both sides made of the other's challenge."""
        apdus = [decode_apdu(plain) for plain in self.plaintexts()]
        request = next(apdu for apdu in apdus if isinstance(apdu, ActionRequestNormal) and apdu.method == REPLY_TO_HLS)
        response = next(apdu for apdu in apdus if isinstance(apdu, ActionResponseNormal))
        assert request.parameters is not None
        assert isinstance(response.value, bytes)
        return [request.parameters[2:], response.value[2:]]

    def secrets(self) -> list[bytes]:
        security = self.parameters.security
        assert security is not None
        return [security.keys.global_unicast_encryption_key, security.keys.authentication_key, *self.proofs()]

    def values(self) -> list[bytes]:
        """What was said under the cipher."""
        return [CANARY.encode(), AMOUNT.to_bytes(8, "big"), bytes.fromhex(IDENTIFIER), PURSE_NAME.octets, b"landlord"]


def found_in(text: str, secrets: list[bytes]) -> list[str]:
    """The secrets that stand in a text, as octets in hexadecimal however written, or as text."""
    squeezed = re.sub(r"[\s:]", "", text).lower()
    return [secret.hex() for secret in secrets if secret.hex() in squeezed or _as_text(secret) in text]


def _as_text(secret: bytes) -> str:
    try:
        return secret.decode()
    except UnicodeDecodeError:
        return secret.hex()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[MeterWorld]:
    made = MeterWorld(tmp_path / "m")
    yield made
    made.stop()


FULL = {"naming": descriptor_name, "xml": xml_of}


@pytest.mark.parametrize("options", [{}, FULL])
def test_a_whole_session_is_traced_without_keys_proofs_or_plaintext(world: MeterWorld, options: dict[str, Any]) -> None:
    traced = Traced(world, TraceOptions(**options))
    traced.live()
    assert len(traced.secrets()) == 4
    assert found_in(traced.text, [*traced.secrets(), *traced.values(), *map(_longer, traced.plaintexts())]) == []
    assert "Purse" not in traced.text


def _longer(plain: bytes) -> bytes:
    """A plain APDU, or what stands for one too short to be looked for."""
    return plain if len(plain) > 8 else plain + bytes(8)


@pytest.mark.parametrize("options", [{}, FULL])
def test_plaintext_is_there_when_it_is_asked_for_and_keys_and_proofs_still_are_not(
    world: MeterWorld, options: dict[str, Any]
) -> None:
    traced = Traced(world, TraceOptions(**options, with_plaintext=True))
    traced.live()
    assert len(found_in(traced.text, traced.values())) == len(traced.values())
    assert found_in(traced.text, traced.secrets()) == []
    assert re.search(r"plain action-request-normal #\d+, Purse.top_up 0.0.128.0.0.255, \['c0ffee", traced.text)
    assert f"{CANARY}" in traced.text
    assert "read-write-denied" in traced.text


def test_a_trace_that_took_nothing_out_would_be_found_out(world: MeterWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction.Redactor, "ranges_of", lambda _self, _octets: ())
    traced = Traced(world, TraceOptions(with_plaintext=True))
    traced.live()
    assert len(found_in(traced.text, traced.secrets())) == 2


def test_every_frame_has_its_line_and_its_octets(world: MeterWorld) -> None:
    traced = Traced(world, TraceOptions())
    traced.live()
    lines = traced.text.splitlines()
    heads = [HEAD.fullmatch(line) for line in lines[::2]]
    frames = traced.frames()
    assert len(heads) == len(frames) > 12
    assert all(head is not None and "not an APDU" not in head[3] for head in heads)
    assert [head[2] for head in heads if head is not None] == [SENT, RECEIVED] * (len(frames) // 2)
    assert sorted(line.strip()[16:] for line in lines[1::2]) == sorted(apdu.hex().upper() for apdu in frames)
    assert "aarq, ln-ciphered, system title 4D50470000000002, hls-gmac" in lines[0]
    assert "with glo-initiate-request (21), system title 4D50470000000002, security control 30, counter " in lines[0]
    assert f"system title {world.made.system_title}" in lines[2]
    assert lines[-2].endswith("rlre, normal")


def test_ciphered_frames_show_their_envelope(world: MeterWorld) -> None:
    traced = Traced(world, TraceOptions())
    traced.live()
    envelopes = re.findall(
        r"([<>]) \d+>\d+ (glo-\S+) \((..)\), system title (\w{16}), security control 30, counter (\d+), (\d+) octets",
        traced.text,
    )
    assert {name for _, name, *_ in envelopes} == {
        f"glo-{service}-{kind}" for service in ("get", "set", "action") for kind in ("request", "response")
    }
    ours = [int(counter) for direction, *_, counter, _ in envelopes if direction == SENT]
    assert ours == sorted(set(ours))


def test_xml_on_request_is_xml(world: MeterWorld) -> None:
    traced = Traced(world, TraceOptions(xml=xml_of, with_plaintext=True))
    traced.live()
    lines = [line for line in traced.text.splitlines() if line.lstrip().startswith("<")]
    made = ElementTree.fromstring(f"<trace>{''.join(lines)}</trace>")
    assert {"AssociationRequest", "glo_ActionRequest", "ActionRequest", "SetRequest", "ReleaseRequest"} <= {
        each.tag for each in made
    }


def associated(sap: int, options: TraceOptions, cut: Callable[[bytes], Iterable[bytes]], **changes: Any) -> str:
    """The trace of an association, a read and a release between our two engines, what came cut in pieces."""
    world = World(**changes)
    pair = world.connect(sap)
    for command in (events.Associate(), events.Get(REGISTER), events.Release()):
        pair.run(command)
    lines: list[str] = []
    trace = Trace(lines.append, world.parameters_for(sap), options)
    for request, answer in zip(pair.requests, pair.answers, strict=True):
        trace.sent(request, NOW)
        for piece in cut(answer):
            trace.received(piece, NOW)
    trace.closed(NOW)
    return "".join(lines)


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("sap", [MANAGEMENT, RESIDENT])
def test_how_the_octets_are_cut_makes_no_difference(sap: int, general: bool) -> None:
    options = TraceOptions(with_plaintext=True)
    traces = [associated(sap, options, cut, general=general) for cut in (whole, byte_by_byte)]
    assert traces[0] == traces[1]
    assert "Register.value 1.0.1.8.0.255" in traces[0]


def test_a_session_with_a_dedicated_key_is_seen_whole_but_for_the_key() -> None:
    dedicated = bytes(range(0x70, 0x80))
    options = TraceOptions(with_plaintext=True, xml=xml_of)
    roles = {MANAGEMENT: replace(World().roles[MANAGEMENT], allows_dedicated_key=True)}
    text = associated(MANAGEMENT, options, whole, roles=roles, client={"dedicated_key_source": lambda: dedicated})
    assert "ded-get-request (D0)" in text
    assert "plain get-request-normal" in text
    assert "plain initiate-request" in text
    assert "dedicated key" in text
    assert found_in(text, [dedicated]) == []


def test_a_password_in_the_clear_is_not_in_the_trace() -> None:
    text = associated(RESIDENT, TraceOptions(xml=xml_of), whole)
    assert found_in(text, [PASSWORD]) == []
    assert redaction.MASK * len(PASSWORD) in text
    assert "get-response-normal #1, 123456" in text


def test_a_password_would_be_found_if_it_were_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction.Redactor, "ranges_of", lambda _self, _octets: ())
    assert found_in(associated(RESIDENT, TraceOptions(), whole), [PASSWORD]) == [PASSWORD.hex()]


def made(parameters: Any = None) -> tuple[Trace, list[str]]:
    lines: list[str] = []
    chosen = World().client_parameters if parameters is None else parameters
    return Trace(lines.append, chosen, TraceOptions(with_plaintext=True, xml=xml_of)), lines


def test_what_cannot_be_opened_is_told() -> None:
    trace, lines = made(World().parameters_for(MANAGEMENT, security=World().security(keys=OTHER_KEYS)))
    ciphered = World().security(keys=KEYS).protect(0xC8, GET)
    trace.sent(encode_frame(1, 1, ciphered), NOW)
    assert "plain: not to be opened with the keys of this client" in lines[-1]
    opening = Aarq(application_context=bytes(1), calling_ap_title=b"MPG\x00\x00\x00\x00\x02").encode()
    trace.sent(encode_frame(1, 1, opening) + encode_frame(1, 1, ciphered), NOW)
    assert "plain: the tag is not genuine" in lines[-1]


def test_a_broken_stream_is_shown_as_octets_from_there_on() -> None:
    trace, lines = made()
    trace.received(encode_frame(1, 1, GET) + b"\x00\x02junk!!", NOW)
    trace.received(b"more", NOW)
    assert "get-request-normal" in lines[0]
    assert [line.strip() for line in lines[-4:]] == [
        "2026-11-22T12:00:00.000Z < not a wrapper frame, 8 octets",
        b"\x00\x02junk!!".hex().upper(),
        "2026-11-22T12:00:00.000Z < not a wrapper frame, 4 octets",
        b"more".hex().upper(),
    ]


def test_the_end_in_the_middle_of_a_frame_is_told() -> None:
    trace, lines = made()
    trace.received(encode_frame(1, 1, GET)[:-1], NOW)
    assert lines == []
    trace.closed(NOW)
    assert lines == [f"2026-11-22T12:00:00.000Z < the connection ended {len(GET) + 7} octets into a frame\n"]


def test_times_are_utc() -> None:
    trace, lines = made()
    trace.sent(encode_frame(1, 1, GET), datetime(2026, 1, 1, 8, 0, 0, 125_000, tzinfo=UTC) + timedelta(hours=1))
    assert lines[0].startswith("2026-01-01T09:00:00.125Z > 1>1 get-request-normal")


def test_a_peers_text_makes_no_lines_of_its_own() -> None:
    trace, lines = made()
    trace.received(encode_frame(1, 1, bytes.fromhex("c401c1000c06410a1b5b3241")), NOW)
    assert "\x1b" not in "".join(lines)
    assert lines[0].count("\n") == 1


@settings(max_examples=150)
@given(
    st.lists(
        st.binary(max_size=60)
        | st.binary(max_size=60).map(lambda octets: encode_frame(1, 1, octets))
        | st.sampled_from([0x60, 0x61, 0xC4, 0xC8, 0xCC, 0xDB, 0xE0, 0xD9]).flatmap(
            lambda tag: st.binary(max_size=40).map(lambda octets: encode_frame(1, 1, bytes((tag,)) + octets))
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_garbage_never_raises_and_every_line_is_a_line(pieces: list[bytes], is_sent: bool) -> None:
    trace, lines = made()
    for piece in pieces:
        (trace.sent if is_sent else trace.received)(piece, NOW)
    trace.closed(NOW)
    for line in "".join(lines).splitlines():
        assert HEAD.fullmatch(line) or BODY.fullmatch(line), line


def test_identifiers_of_this_test_are_what_a_meter_takes() -> None:
    assert len(bytes.fromhex(IDENTIFIER)) == len(bytes.fromhex(identifier(1)))
