"""The panel's page: for this machine's own page alone, with nothing from elsewhere, never down for a bad request."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher

from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel import AmountAnswer, TypedAmount
from dlms_objects.meter.panel_site import MOST_OCTETS, SILENCE_S, TOKEN_HEADER, panel_site
from dlms_objects.meter.panel_view import EntryLock, panel_view
from tests.support.purses import START, Purse

HOST = "127.0.0.1:8090"
ADDRESS = IPv4Address("TCP", "127.0.0.1", 8090)
TYPED = TypedAmount(pin="270614", number=1, due_day="2026-06-20", amount="86.40", form="form 1")


class World:
    """A site before a panel that only remembers what was entered."""

    def __init__(self, address=ADDRESS):
        purse = Purse()
        view = panel_view(purse.state, START, {}, EntryLock(), supply_on=True)
        self.entered, self.frames, self.address = [], ["MPC1:ONE", "MPC1:TWO"], address
        self.panel = SimpleNamespace(view=lambda: view, enter=self.enter, frames=lambda: self.frames)
        self.clock = Clock()
        self.site = panel_site(self.panel, self.clock)
        self.site.startFactory()

    def enter(self, typed):
        self.entered.append(typed)
        return AmountAnswer(is_done=True, words=texts.ENTRY_OPEN)

    def send(self, octets):
        """One connection that sends these octets; what came back, and whether it was cut off."""
        transport = StringTransport(hostAddress=self.address, peerAddress=self.address)
        protocol = self.site.buildProtocol(self.address)
        protocol.makeConnection(transport)
        protocol.dataReceived(octets)
        self.clock.advance(0)
        return transport

    def ask(self, path, method="GET", body=b"", **headers):
        """(status, headers, body) of one request."""
        headers = {"Host": HOST, "Connection": "close", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body:
            headers["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        answer = self.send("\r\n".join(lines).encode() + body).value()
        head, _, content = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in rest), content

    def post(self, body=None, **changes):
        """An amount as the page sends it, changed as told; None leaves a header out."""
        headers = {
            "Origin": f"http://{HOST}",
            "Content_Type": "application/json",
            TOKEN_HEADER: json.loads(self.ask("/panel.json")[2])["token"],
            **changes,
        }
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.ask("/amount", "POST", json.dumps(asdict(TYPED)).encode() if body is None else body, **kept)


@pytest.fixture
def world():
    return World()


@pytest.mark.parametrize(
    ("path", "media_type", "words"),
    [
        ("/", "text/html", "<!doctype html>"),
        ("/panel.css", "text/css", ".lcd"),
        ("/panel.js", "text/javascript", '"use strict"'),
        ("/panel.svg", "image/svg+xml", "<svg"),
        ("/panel.json", "application/json", '"balance"'),
    ],
)
def test_the_page_is_served_with_a_policy_that_lets_nothing_in(world, path, media_type, words):
    status, headers, content = world.ask(path)
    assert status == 200
    assert headers["content-type"].startswith(media_type)
    assert words in content.decode()
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["server"] == "meterpurse"


def test_the_page_names_nothing_from_elsewhere(world):
    for path in ("/", "/panel.css", "/panel.js"):
        assert "//" not in world.ask(path)[2].decode().replace("// ", "").replace("http://www.w3.org", "")


def test_a_head_has_no_body(world):
    status, headers, content = world.ask("/", "HEAD")
    assert (status, content) == (200, b"")
    assert int(headers["content-length"]) > 1000


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8090", "127.0.0.1", "127.0.0.1:80", "192.0.2.1:8090", ""]
)
def test_another_hosts_name_is_refused(world, host):
    status, _, content = world.ask("/panel.json", Host=host)
    assert (status, json.loads(content)["words"]["en"]) == (403, texts.NOT_FROM_HERE.en)


def test_a_request_without_a_host_is_refused(world):
    assert b" 403 " in world.send(b"GET /panel.json HTTP/1.0\r\n\r\n").value().split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("address", "host"),
    [(ADDRESS, HOST), (ADDRESS, "localhost:8090"), (IPv6Address("TCP", "::1", 8090), "[::1]:8090")],
)
def test_its_own_names_are_taken(address, host):
    assert World(address).ask("/panel.json", Host=host)[0] == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_what_another_page_asks_for_is_refused(world, site, status):
    assert world.ask("/panel.json", Sec_Fetch_Site=site)[0] == status


def test_an_amount_reaches_the_panel_as_it_was_typed(world):
    status, _, content = world.post()
    assert (status, world.entered) == (200, [TYPED])
    assert json.loads(content) == {"is_done": True, "words": asdict(texts.ENTRY_OPEN)}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:8090"}, 403),
        ({TOKEN_HEADER: None}, 403),
        ({TOKEN_HEADER: "0" * 32}, 403),
        ({TOKEN_HEADER: "é"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": None}, 415),
        ({"body": b"{"}, 400),
        ({"body": b"\xff"}, 400),
        ({"body": b'{"pin": 1}'}, 400),
    ],
)
def test_a_change_that_the_page_did_not_ask_for_never_reaches_the_panel(world, changes, status):
    assert world.post(**changes)[0] == status
    assert world.entered == []


def test_the_token_of_another_meter_run_is_refused(world):
    other = json.loads(World().ask("/panel.json")[2])["token"]
    assert world.post(**{TOKEN_HEADER: other})[0] == 403


def test_each_form_has_a_name_of_its_own(world):
    forms = {json.loads(world.ask("/panel.json")[2])["form"] for _ in range(5)}
    assert len(forms) == 5


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "POST", 405), ("/amount", "GET", 405), ("/x", "GET", 404)]
)
def test_what_is_not_there_is_refused(world, path, method, status):
    assert world.ask(path, method)[0] == status


def test_the_codes_of_a_batch_are_pictures_under_its_name(world):
    first = json.loads(world.ask("/courier.json")[2])
    assert first == json.loads(world.ask("/courier.json")[2])
    status, headers, content = world.ask(f"/courier/{first['batch']}/2.svg")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert content.startswith(b"<svg")
    assert world.ask(f"/courier/{first['batch']}/3.svg")[0] == 404


def test_a_new_batch_has_a_new_name_and_the_old_one_is_gone(world):
    first = json.loads(world.ask("/courier.json")[2])["batch"]
    world.frames = ["MPC1:THREE"]
    second = json.loads(world.ask("/courier.json")[2])["batch"]
    assert world.ask(f"/courier/{first}/1.svg")[0] == 404
    assert world.ask(f"/courier/{second}/1.svg")[0] == 200


def test_without_a_batch_the_page_says_so(world):
    world.frames = []
    status, _, content = world.ask("/courier.json")
    assert (status, json.loads(content)["words"]["en"]) == (404, texts.NO_BATCH.en)


@pytest.mark.parametrize("length", [f"Content-Length: {MOST_OCTETS + 1}", "Transfer-Encoding: chunked"])
def test_a_body_too_long_or_without_length_is_cut_off(world, length):
    transport = world.send(f"POST /amount HTTP/1.1\r\nHost: {HOST}\r\n{length}\r\n\r\n".encode())
    assert transport.disconnecting or transport.aborting
    assert world.entered == []


def test_a_silent_connection_is_dropped(world):
    transport = world.send(b"GET / HTT")
    world.clock.advance(SILENCE_S)
    assert transport.disconnecting


def test_a_fault_of_ours_is_logged_and_told_and_the_next_request_is_answered(world):
    def broken():
        raise ZeroDivisionError("a fault of ours")

    logged = []
    world.panel.frames = broken
    globalLogPublisher.addObserver(logged.append)
    status, _, content = world.ask("/courier.json")
    globalLogPublisher.removeObserver(logged.append)
    assert (status, json.loads(content)["words"]["en"]) == (500, texts.FAULT.en)
    assert sum(event.get("log_failure") is not None for event in logged) == 1
    assert world.ask("/panel.json")[0] == 200
