"""An InfluxDB 1 with nginx before it, as two processes of this machine: what the demo writes its points to.

Both come from Debian's packages (influxdb, nginx-light) and are used where they are installed. nginx runs with the
example configuration of `deploy/nginx`, its ports and its token replaced. Imported by the demo, and by the tests, which
kill and restart the processes.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from deploy.demo.daemons import DaemonError
from headend.influx.query import query
from headend.influx.target import Target

BUCKET = "meterpurse"
PROGRAMS = ("influxd", "nginx")
START_TIMEOUT_S = 20.0
POLL_S = 0.02

_EXAMPLE = Path(__file__).parents[1] / "nginx" / "influxdb1.conf"
_EXAMPLE_TOKEN = '# "Token REPLACE-BY-A-LONG-RANDOM-TOKEN" "Basic bWV0ZXJwdXJzZTpwYXNzd29yZA=="'
_USER = "meterpurse"
_INFLUX_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{backup_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = true
  log-enabled = false
[monitor]
  store-enabled = false
"""
_NGINX_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
{example}
}}
"""


def program(name: str) -> str | None:
    """The path of an installed server program, or None."""
    return shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


def is_installed() -> bool:
    """Whether both programs are there."""
    return all(program(name) is not None for name in PROGRAMS)


class Server:
    """One server process, which can be killed and started again on the same port and files."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        """`port` is where it listens when it is up."""
        self.port = port
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens; DaemonError when it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(POLL_S)
        self.kill()
        raise DaemonError(f"{self._command[0]} does not listen: {self._log.read_text(errors='replace')[-1000:]}")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def process_id(self) -> int | None:
        """The process id while it runs."""
        return None if self._process is None else self._process.pid


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxWorld:
    """InfluxDB and nginx; `target` is the bucket as it is reached through nginx."""

    influxd: Server
    nginx: Server
    target: Target
    token_file: Path
    password: str

    @classmethod
    def started(cls, folder: Path) -> Self:
        """Both up on free ports, with an empty bucket, everything of them in `folder`. DaemonError when they fail."""
        influx_port, backup_port, nginx_port = free_port(), free_port(), free_port()
        token, password = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        folder.mkdir(parents=True, exist_ok=True)
        influx_config, nginx_config, token_file = (
            folder / name for name in ("influxdb.conf", "nginx.conf", "influx.token")
        )
        token_file.write_text(token + "\n")
        influx_config.write_text(_INFLUX_CONFIG.format(folder=folder, port=influx_port, backup_port=backup_port))
        example = nginx_example(influx_port=influx_port, nginx_port=nginx_port, token=token, password=password)
        nginx_config.write_text(_NGINX_CONFIG.format(folder=folder, example=example))
        influxd, nginx = (program(name) or name for name in PROGRAMS)
        world = cls(
            influxd=Server([influxd, "run", "-config", str(influx_config)], influx_port, folder / "influxd.log"),
            nginx=Server([nginx, "-p", str(folder), "-c", str(nginx_config)], nginx_port, folder / "nginx.log"),
            target=Target(
                url=f"http://127.0.0.1:{nginx_port}", token=token, org="-", bucket=BUCKET, timeout_s=10, gzip=False
            ),
            token_file=token_file,
            password=password,
        )
        try:
            world._begin()
        except BaseException:
            world.stop()
            raise
        return world

    def stop(self) -> None:
        """End both at once; nothing of them is kept for later."""
        self.nginx.kill()
        self.influxd.kill()

    def create_bucket(self, name: str) -> None:
        """Make an empty bucket of that name; one that is there is emptied."""
        for statement in (f'DROP DATABASE "{name}"', f'CREATE DATABASE "{name}"'):
            self.command(statement)

    def command(self, statement: str) -> None:
        """Run an administrator's statement on InfluxDB itself; DaemonError when it refuses."""
        parameters = urlencode({"q": statement, "u": _USER, "p": self.password})
        asked = Request(f"http://127.0.0.1:{self.influxd.port}/query?{parameters}", method="POST")
        with urlopen(asked, timeout=self.target.timeout_s) as answer:
            said = answer.read()
        if b'"error"' in said:
            raise DaemonError(f"InfluxDB: {said.decode()}")

    def headend_toml(self) -> str:
        """The table `[influx]` of a head-end that writes here, without patience."""
        return (
            f'\n[influx]\nurl = "{self.target.url}"\ntoken_file = "{self.token_file}"\n'
            f'bucket = "{self.target.bucket}"\nback_off_maximum_s = 1\nfigures_every_s = 1\n'
        )

    def points(self) -> dict[str, int]:
        """How many points there are of each measurement."""
        counted = query(self.target, "SELECT count(/./) FROM /./")
        return {series.measurement: max(_counts(series.rows[0])) for series in counted}

    def _begin(self) -> None:
        self.influxd.start()
        self.nginx.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise DaemonError("InfluxDB does not answer through nginx")
            time.sleep(POLL_S)
        self.command(f"CREATE USER \"{_USER}\" WITH PASSWORD '{self.password}' WITH ALL PRIVILEGES")
        self.create_bucket(self.target.bucket)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.target.url}/ping", timeout=5):
                return True
        except (URLError, OSError):
            return False


def nginx_example(*, influx_port: int, nginx_port: int, token: str, password: str) -> str:
    """The shipped configuration with these ports, and this token in force."""
    text = _EXAMPLE.read_text(encoding="utf-8")
    basic = b64encode(f"{_USER}:{password}".encode()).decode()
    for shipped, used in (
        ("127.0.0.1:8087", f"127.0.0.1:{nginx_port}"),
        ("127.0.0.1:8086", f"127.0.0.1:{influx_port}"),
        (_EXAMPLE_TOKEN, f'"Token {token}" "Basic {basic}"'),
    ):
        if shipped not in text:
            raise DaemonError(f"{_EXAMPLE} has no {shipped}")
        text = text.replace(shipped, used)
    return text


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _counts(row: dict[str, object]) -> list[int]:
    return [count for name, count in row.items() if name != "time" and isinstance(count, int)]
