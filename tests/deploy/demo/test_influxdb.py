"""The InfluxDB of demo and tests: the shipped nginx configuration, and one clear error when a server is not up."""

from pathlib import Path

import pytest

from deploy.demo.daemons import DaemonError
from deploy.demo.influxdb import Server, free_port, is_installed, nginx_example, program


def test_the_shipped_configuration_gets_its_ports_and_its_token() -> None:
    text = nginx_example(influx_port=1111, nginx_port=2222, token="a-token", password="p")
    assert "listen 127.0.0.1:2222;" in text
    assert "http://127.0.0.1:1111/write?db=$arg_bucket&precision=$influxdb1_precision" in text
    assert '    "Token a-token" "Basic bWV0ZXJwdXJzZTpw";' in text


def test_a_server_that_ends_or_never_listens_is_said(tmp_path: Path) -> None:
    server = Server(["sh", "-c", "echo no such setting; exit 1"], free_port(), tmp_path / "log")
    with pytest.raises(DaemonError, match="no such setting"):
        server.start()
    assert server.process_id is None


def test_a_program_that_is_not_there_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert program("no-such-program") is None
    monkeypatch.setattr("deploy.demo.influxdb.PROGRAMS", ("no-such-program",))
    assert not is_installed()
