"""Meters as processes on serial lines, asked by the command line, by gurux-dlms and by a gateway."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import serial

from dlms_objects.transport.credentials import load_credentials
from tests.support.command_line import Run, call, invoke, served
from tests.support.fake_headend import FakeHeadend
from tests.support.gurux_cipher import openssl
from tests.support.gurux_hdlc import GuruxHdlcClient
from tests.support.http_server import Answer, Request, http_server, unzipped
from tests.support.serial_pair import serial_pair
from tests.support.twisted_testing import result_of

pytestmark = pytest.mark.e2e

BAUD = 115_200


class Household:
    """One meter's folder, and how it is asked."""

    def __init__(self, folder: Path, *lines: str) -> None:
        assert call("meter", "init", folder, "--listen", "127.0.0.1:0").code == 0
        with (folder / "meter.toml").open("a") as config:
            for line in lines:
                config.write(f'\n[[line]]\nendpoint = "{line}"\n')
        self.folder = folder
        self.keys = folder / "keys" / "management.toml"

    def top_up(self, endpoint: str, amount: str = "1.00") -> Run:
        return invoke("dlms", "top-up", amount, "--keys", self.keys, "--endpoint", endpoint, "--json")


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    with serial_pair(tmp_path) as pair:
        yield pair


def wait_until(met: Callable[[], bool], limit_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < deadline_s, "not met"
        time.sleep(0.05)


def answered(run: Run) -> int:
    assert run.code == 0, run.err
    return int(json.loads(run.out)["balance"])


def test_two_meters_on_one_rs485_line_answer_the_command_line_and_gurux(
    tmp_path: Path, ends: tuple[Path, Path]
) -> None:
    near, far = ends
    meters = {
        physical: Household(
            tmp_path / str(physical), f"hdlc+serial:{far}:baudrate={BAUD}:physical={physical}:turnaround=2"
        )
        for physical in (17, 18)
    }
    with served("meter", "run", *(meter.folder for meter in meters.values()), "--log-level", "error") as running:
        assert running.ready.count("tcp:") == 2
        for physical, meter in meters.items():
            endpoint = f"hdlc+serial:{near}:baudrate={BAUD}:physical={physical}:turnaround=2"
            assert answered(meter.top_up(endpoint, f"{physical}.00")) == physical * 100
        nobody = meters[17].top_up(f"hdlc+serial:{near}:baudrate={BAUD}:physical=19")
        assert (nobody.code, nobody.err.count("\n")) == (2, 2), "one line, and the transaction id"
        assert read_by_gurux(near, meters[17]) == 1_700


def read_by_gurux(port: Path, meter: Household) -> int:
    """The balance, as gurux-dlms reads it from station 17."""
    with serial.Serial(str(port), BAUD, timeout=10) as line, openssl():

        def exchange(octets: bytes) -> bytes:
            line.write(octets)
            head = line.read(3)
            return head + line.read((int.from_bytes(head[1:3], "big") & 0x7FF) - 1)

        client = GuruxHdlcClient(exchange, load_credentials(meter.keys))
        client.associate()
        balance: int = client.read(20101, "0.0.128.0.0.255", 2)
        client.release()
    return balance


def test_an_optical_port_is_opened_by_mode_e_for_one_reading_after_the_other(
    tmp_path: Path, ends: tuple[Path, Path]
) -> None:
    near, far = ends
    meter = Household(tmp_path / "meter", f"hdlc+optical:{far}:device=42")
    with served("meter", "run", meter.folder, "--log-level", "error"):
        assert answered(meter.top_up(f"hdlc+optical:{near}:device=42")) == 100
        assert answered(meter.top_up(f"hdlc+optical:{near}")) == 200
        other = meter.top_up(f"hdlc+optical:{near}:device=43")
        assert other.code == 2
        assert "no answer" in other.err or "no connection" in other.err


def test_a_gateway_collects_two_meters_from_one_serial_line(tmp_path: Path, ends: tuple[Path, Path]) -> None:
    near, far = ends
    line = "hdlc+serial:{}:baudrate=" + str(BAUD) + ":physical={}"
    meters = {physical: Household(tmp_path / str(physical), line.format(far, physical)) for physical in (17, 18)}
    titles = [load_credentials(meter.keys).system_title for meter in meters.values()]
    headend = FakeHeadend(*titles)

    def answer(request: Request) -> Answer:
        if request.path.endswith("/status"):
            return Answer(status=204)
        return Answer(body=result_of(headend.request(request.method, request.path, unzipped(request))))

    with ExitStack() as stack:
        url = stack.enter_context(http_server(answer))
        token = tmp_path / "token"
        token.write_text("secret\n")
        arguments = ["--headend", url, "--token-file", token]
        for physical, meter in meters.items():
            arguments += ["--meter", f"flat-{physical}={line.format(near, physical)},{meter.keys}"]
        assert call("gateway", "init", tmp_path / "gateway", *arguments).code == 0
        running = stack.enter_context(
            served("meter", "run", *(meter.folder for meter in meters.values()), "--log-level", "error")
        )
        for endpoint, meter in zip(running.ready.split(", "), meters.values(), strict=True):
            assert answered(meter.top_up(endpoint.split()[0])) == 100
        stack.enter_context(served("gateway", "run", tmp_path / "gateway", "--log-level", "error"))
        wait_until(lambda: all(len(headend.books[str(title)].rows) == 1 for title in titles))
    assert [headend.books[str(title)].balance for title in titles] == [100, 100]
