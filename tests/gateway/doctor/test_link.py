"""The way to a meter: hosts and ports in endpoints, and serial lines that are garbled, silent or taken."""

import fcntl
import os
import pty
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.doctor.findings import Outcome, Step
from gateway.doctor.link import host_and_port, is_serial
from tests.support.wiring import Wiring, failure


@pytest.mark.parametrize(
    ("endpoint", "host", "port"),
    [
        ("tcp:meter-1.example:4059", "meter-1.example", 4059),
        ("tcp:2001\\:db8\\:\\:1:4059", "2001:db8::1", 4059),
        ("udp:10.0.0.7:4059", "10.0.0.7", 4059),
        ("hdlc+tcp:10.0.0.7:2000:physical=17", "10.0.0.7", 2000),
    ],
)
def test_the_host_and_port_of_an_endpoint(endpoint: str, host: str, port: int) -> None:
    assert host_and_port(endpoint) == (host, port)
    assert not is_serial(endpoint)


@contextmanager
def line_that_says(answer: bytes) -> Iterator[str]:
    """A serial port (pty) on which something answers with these octets to whatever comes."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)

    def talk() -> None:
        try:
            while os.read(ours, 256):
                if answer:
                    os.write(ours, answer)
        except OSError:
            return

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        os.close(theirs)
        thread.join(10)
        os.close(ours)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\xe0\x9c\x83\xf8\x00\x9c\xfe", "a wrong baud rate or parity"),
        (b"", "nobody answers on this line: a wrong address or baud rate, wires A and B swapped"),
    ],
)
def test_a_serial_line_that_is_garbled_or_silent(answer: bytes, words: str, tmp_path: Path) -> None:
    with line_that_says(answer) as device:
        wiring = Wiring(tmp_path, (0, 0))
        endpoint = f"hdlc+serial:{device}:baudrate=9600:physical=17"
        section = wiring.section(endpoint=endpoint, timeout_s=1.5)
        found = failure(wiring.examine(section))
    assert found.step is Step.LINK
    assert words in found.cause


def test_a_serial_port_that_another_program_has(tmp_path: Path) -> None:
    with line_that_says(b"") as device, Path(device).open("rb") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        wiring = Wiring(tmp_path, (0, 0))
        found = failure(wiring.examine(wiring.section(endpoint=f"hdlc+serial:{device}")))
    assert found.step is Step.PORT
    assert "another program has the serial port open" in found.cause


def test_a_line_on_which_the_gateway_is_at_work_is_left_alone(tmp_path: Path) -> None:
    wiring = Wiring(tmp_path, (0, 0))
    findings = wiring.examine(wiring.section(endpoint="hdlc+serial:/dev/no-such-port"), at_work=True)
    assert {finding.outcome for finding in findings.found} == {Outcome.SKIPPED}
    assert "stop it to examine the line" in findings.found[0].measured
