"""A gateway as a real process under a service manager's socket and a monitor's questions."""

import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from deploy.demo.daemons import Daemon
from deploy.demo.influxdb import free_port
from gateway.setup import create

pytestmark = pytest.mark.e2e

PATIENCE_S = 30.0


def test_it_says_when_it_is_ready_feeds_the_watchdog_and_tells_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, folder = free_port(), tmp_path / "gateway"
    config = create(folder, token="a-token-of-a-test", headend_url="http://127.0.0.1:1")
    config.write_text(config.read_text() + f'\n[http]\nlisten = "127.0.0.1:{port}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        gateway = Daemon("gateway", ["gateway", "run", str(folder)], tmp_path / "gateway.log")
        gateway.start()
        try:
            heard = [manager.recv(4096).decode() for _ in range(4)]
            pages = {path: page(port, path) for path in ("/healthz/live", "/healthz/ready", "/metrics")}
        finally:
            gateway.stop()
        last, end_s = "", time.monotonic() + PATIENCE_S
        while last != "STOPPING=1" and time.monotonic() < end_s:
            last = manager.recv(4096).decode()
    assert heard[0].startswith("READY=1\nSTATUS=0 meters")
    assert set(heard[1:]) == {"WATCHDOG=1"}
    assert last == "STOPPING=1"
    assert pages["/healthz/live"] == pages["/healthz/ready"] == "ok\n"
    assert "meterpurse_gateway_meters 0.0" in pages["/metrics"]


def test_a_hangup_takes_in_what_is_right_and_names_the_line_of_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gateway"
    config = create(folder, token="a-token-of-a-test", headend_url="http://127.0.0.1:1")
    good = config.read_text()
    line = good.splitlines().index("concurrency = 50") + 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        gateway = Daemon("gateway", ["gateway", "run", str(folder)], tmp_path / "gateway.log")
        gateway.start()
        try:
            assert manager.recv(4096).startswith(b"READY=1")
            told = []
            for value in ('"many"', "7"):
                config.write_text(good.replace("concurrency = 50", f"concurrency = {value}"))
                assert gateway.process_id is not None
                os.kill(gateway.process_id, signal.SIGHUP)
                told += [manager.recv(4096).decode() for _ in range(2)]
        finally:
            gateway.stop()
    assert [text.partition("\n")[0] for text in told] == ["RELOADING=1", "READY=1"] * 2
    assert "not reloaded, the old configuration goes on: " in told[1]
    assert f"gateway.toml:{line}: collection.concurrency" in told[1]
    assert "new limits of sessions" in told[3]
    assert told[1].partition("STATUS=")[2] in (tmp_path / "gateway.log").read_text()


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
        text: str = answer.read().decode()
    return text
