"""A meter in a process of its own, and gurux-dlms clients that associate with it over TCP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlms_objects.classes.catalogue import Role
from dlms_objects.meter import setup
from dlms_objects.transport.credentials import MeterCredentials, load_credentials
from tests.support.command_line import served
from tests.support.gurux_client import GuruxClient, TcpLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningMeter:
    """A meter in a process of its own: where it listens, the credentials for it and their files."""

    host: str
    port: int
    credentials: dict[Role, MeterCredentials]
    keys: dict[Role, Path]

    @property
    def endpoint(self) -> str:
        """Where it listens, as the command line takes it."""
        return f"tcp:{self.host}:{self.port}"


@contextmanager
def running_meter(folder: Path) -> Iterator[RunningMeter]:
    """A new meter; it ends well, or the test fails."""
    made = setup.create(folder, listen="127.0.0.1:0")
    with served("meter", "run", folder) as serving:
        _, host, port = serving.ready.split()[0].split(":")
        yield RunningMeter(
            host=host,
            port=int(port),
            credentials={role: load_credentials(path) for role, path in made.keys.items()},
            keys=dict(made.keys),
        )
    assert serving.code == 0
    assert "Traceback" not in serving.err


@contextmanager
def associated(meter: RunningMeter, role: Role, **options: Any) -> Iterator[GuruxClient]:
    """A session of a rightful client that begins where the meter's invocation counter for its key stands."""
    credentials = meter.credentials.get(role)
    with TcpLine(meter.host, meter.port) as line:
        if credentials is not None:
            options = {"invocation_counter": counter_of(line, role) + 1} | options
    with TcpLine(meter.host, meter.port) as line:
        client = GuruxClient(line, options.pop("credentials", credentials), **options)
        client.associate()
        yield client
        client.release()


def counter_of(line: TcpLine, role: Role) -> int:
    """The highest invocation counter the meter received with a role's key, as anyone may read it."""
    public = GuruxClient(line)
    public.associate()
    number = {Role.READER: 2, Role.MANAGEMENT: 3}[role]
    counter: int = public.read(1, f"0.0.43.1.{number}.255", 2)
    public.release()
    return counter
