"""A service is run to its end: `ready` when it serves, a good stop on a signal, its error when it cannot start."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = """
import signal
import sys
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from deploy import running
from deploy.logs import begin_logging
from dlms_objects.errors import LocalError

class Toy(Service):
    def __init__(self, reactor, plan):
        self.reactor, self.plan = reactor, plan
    def startService(self):
        if self.plan == "refuses":
            raise LocalError("no room")
    def when_ready(self):
        if self.plan == "fails":
            return fail(LocalError("port in use"))
        if self.plan == "never":
            sys.stdout.write("ready is what it never gets\\n")
            sys.stdout.flush()
            return Deferred()
        return succeed("at noon")
    def when_lost(self):
        lost = Deferred()
        if self.plan == "dies":
            self.reactor.callLater(0.1, lost.errback, LocalError("the line is dead"))
        return lost
    def stopService(self):
        sys.stdout.write("stopping\\n")
        sys.stdout.flush()
        done = Deferred()
        if self.plan == "hangs":
            running.STOP_TIMEOUT_S = 0.2
        elif self.plan == "lingers":
            pass
        else:
            self.reactor.callLater(0.1, done.callback, None)
        return done.addCallback(lambda _: sys.stdout.write("stopped\\n"))

    async def reload(self, reactor):
        sys.stdout.write("reloading\\n")
        sys.stdout.flush()
        if self.plan == "mistaken":
            raise LocalError("toy.toml:3: no such toy\\ntoy.toml:4: nor this")
        if self.plan == "faulty":
            raise ZeroDivisionError("by nothing")
        return "with other toys"

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
plan = sys.argv[1]
begin_logging("info", as_json=False)
try:
    running.serve(lambda reactor: Toy(reactor, plan), Toy.when_ready, Toy.when_lost, reload=Toy.reload)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def start(plan: str) -> subprocess.Popen[str]:
    """A process that runs the toy service."""
    command = [sys.executable, "-c", SERVICE, plan]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_to_stop(plan: str, how: signal.Signals) -> tuple[str, str, int]:
    """Run the service until its first line, signal it, and give the rest of stdout, all of stderr and the exit code."""
    process = start(plan)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        os.kill(process.pid, how)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    return out, err, process.returncode


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_service_after_its_work_in_flight(how: signal.Signals) -> None:
    out, err, code = told_to_stop("serves", how)
    assert out == "stopping\nstopped\n"
    assert "Traceback" not in err
    assert code == 0


def test_the_ready_line_carries_the_words_of_the_service() -> None:
    process = start("serves")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready at noon\n"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("plan", "words"), [("fails", "port in use"), ("refuses", "no room")])
def test_a_service_that_cannot_start_is_stopped_and_its_error_raised(plan: str, words: str) -> None:
    out, err = start(plan).communicate(timeout=20)
    assert out == "stopping\nstopped\n"
    assert err.splitlines()[-1] == f"LocalError: {words}"


def test_a_service_that_does_not_stop_is_ended_with_an_error() -> None:
    out, err, code = told_to_stop("hangs", signal.SIGTERM)
    assert out == "stopping\n"
    assert "StopTimeoutError: still at work 0 s after being told to stop" in err
    assert code == 1


def test_a_stop_before_it_is_ready_is_no_failure() -> None:
    out, err, code = told_to_stop("never", signal.SIGTERM)
    assert out == "stopping\nstopped\n"
    assert "Traceback" not in err
    assert code == 0


def test_a_service_that_dies_ends_the_process_with_its_error() -> None:
    process = start("dies")
    out, err = process.communicate(timeout=20)
    assert out == "ready at noon\nstopping\nstopped\n"
    assert err.splitlines()[-1] == "LocalError: the line is dead"
    assert process.returncode == 1


def test_a_second_signal_ends_the_process_at_once() -> None:
    process = start("lingers")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "stopping\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=20) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("serves", "with other toys"),
        ("mistaken", "not reloaded, the old configuration goes on: toy.toml:3: no such toy; toy.toml:4: nor this"),
        ("faulty", "not reloaded, the old configuration goes on: by nothing"),
    ],
)
def test_a_hangup_reloads_and_a_mistake_changes_nothing(
    plan: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        process = start(plan)
        try:
            assert manager.recv(4096) == b"READY=1\nSTATUS=at noon"
            os.kill(process.pid, signal.SIGHUP)
            assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(4096).decode() == f"READY=1\nSTATUS={told}"
            os.kill(process.pid, signal.SIGTERM)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert out == "ready at noon\nreloading\nstopping\nstopped\n"
    assert process.returncode == 0
    assert ("Traceback" in err) is (plan == "faulty")
    assert (told in err) is (plan != "serves")
