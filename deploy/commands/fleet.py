"""`meterpurse fleet`: make and run many meters in one process. Declarations only; see `deploy/commands/__init__.py`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.options import Folder, LogJson, LogLevel, Severity, explaining, instant

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

app = typer.Typer(
    help="Many virtual meters in one process, for tests and load; their keys are no secret.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


DESCRIPTORS_OF_A_STORE = 4  # the file, its log, its shared memory, its lock
DESCRIPTORS_BESIDE = 64


class StoreKind(StrEnum):
    """Where the meters' stores are."""

    SHARED = "shared"
    OWN = "own"


class KeyRole(StrEnum):
    """Whose key file is wanted."""

    MANAGEMENT = "management"
    READER = "reader"


Meters = Annotated[int, typer.Option("--meters", "-n", min=1, help="How many meters.")]
Seed = Annotated[int, typer.Option(help="Fixes titles, keys and households.")]
Listen = Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the fleet listens.")]
ClockStart = Annotated[
    str, typer.Option(metavar="TIME", help="What the clocks show at first: a date-time with offset.")
]
ClockRate = Annotated[float, typer.Option(min=0.001, help="How many times as fast as real time they run.")]
TopUps = Annotated[int, typer.Option(min=0, help="Amounts paid into each meter before: rows in its journal.")]


@app.command()
def init(
    folder: Folder,
    meters: Meters = 100,
    seed: Seed = 1,
    listen: Listen = "127.0.0.1:4059",
    stores: Annotated[
        StoreKind, typer.Option(help="One store file for all meters, or one for each.")
    ] = StoreKind.SHARED,
    clock_start: ClockStart = "now",
    clock_rate: ClockRate = 1.0,
    top_ups: TopUps = 1,
) -> None:
    """Make a fleet in DIR: households, keys and clocks that the seed fixes, and a configuration that runs as it is."""
    from dlms_objects.meter.fleet.setup import NewFleet, create
    from dlms_objects.program_folder import host_and_port

    try:
        host_and_port(listen)
    except ValueError as error:
        raise typer.BadParameter(f"listen: {error}") from None
    fleet = NewFleet(
        meters=meters,
        seed=seed,
        clock_start=instant(clock_start).replace(microsecond=0),
        clock_rate=clock_rate,
        listen=listen,
        stores=stores.value,
        top_ups=top_ups,
    )
    typer.echo(f"{meters} meters  {create(folder, fleet)}")


@app.command()
def run(
    folder: Folder,
    meters: Annotated[
        int | None,
        typer.Option("--meters", "-n", min=1, help="Make a fleet of so many first, if there is none in DIR."),
    ] = None,
    log_json: LogJson = False,
    log_level: LogLevel = Severity.INFO,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready ENDPOINT N meters` on stdout says that they answer.

    The SAP of a meter is its number, as the wrapper's destination address. At the end it says what happened.
    """
    from deploy.configuration import blaming, load
    from deploy.descriptors import require_descriptors
    from deploy.logs import begin_logging
    from deploy.running import serve
    from dlms_objects.errors import LocalError
    from dlms_objects.meter.fleet.config import CONFIG_NAME, FAULTS_NAME, FaultsConfig, FleetConfig
    from dlms_objects.meter.fleet.service import FaultsFile, FleetService
    from dlms_objects.meter.listening import AddressInUseError
    from dlms_objects.meter.store import StorageError

    path, faults = folder / CONFIG_NAME, folder / FAULTS_NAME
    if meters is not None and not path.exists():
        init(folder, meters=meters)
    config = load(path, FleetConfig)
    if meters not in (None, config.meters):
        raise LocalError(f"{path}: a fleet of {config.meters} meters, not of {meters}; leave --meters out")
    files = config.meters if config.stores == "own" else 1
    require_descriptors(
        files * DESCRIPTORS_OF_A_STORE + DESCRIPTORS_BESIDE, f"{path}: a fleet with {files} store files"
    )
    begin_logging(log_level, as_json=log_json)
    made: list[FleetService] = []

    def make(reactor: "IReactorTime") -> FleetService:
        made.append(FleetService(config, FaultsFile(faults, lambda: load(faults, FaultsConfig)), reactor))
        return made[0]

    with blaming(path, {AddressInUseError: ("listen",), StorageError: ("store",)}):
        serve(make, FleetService.when_ready)
    for line in made[0].summary():
        typer.echo(line)


@app.command()
def faults(
    folder: Folder,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="As in faults.toml: drop=0.01 saps=3,17")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="First take back everything that was set before.")] = False,
) -> None:
    """Switch the faults of the fleet in DIR, also while it runs, and show which are on.

    Of each message, either way: drop, delay (by delay_s), truncate, duplicate, corrupt; of each connection: refuse; of
    each answer: restart (the meter loses power before it leaves, and is away for away_s). Each is a chance of 0 to 1.
    """
    from deploy.configuration import load
    from dlms_objects.meter.fleet.config import FAULTS_NAME, FaultsConfig
    from dlms_objects.meter.fleet.setup import write_faults

    path = folder / FAULTS_NAME
    before = load(path, FaultsConfig)
    values: dict[str, object] = {"seed": before.seed} if off else before.model_dump()
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"{setting!r} is not of the form NAME=VALUE")
        values[name] = value.split(",") if name == "saps" and value else value or ()
    with explaining():
        after = FaultsConfig.model_validate(values)
    if after != before:
        write_faults(path, after)
    in_force = after.model_dump(mode="json", exclude_defaults=True, exclude={"seed"})
    typer.echo(", ".join(f"{name} {value}" for name, value in in_force.items()) or "no faults")


@app.command()
def key(
    folder: Folder,
    sap: Annotated[int, typer.Argument(help="The meter's SAP.")],
    file: Annotated[Path, typer.Argument(help="Where the key file goes.", dir_okay=False)],
    role: Annotated[KeyRole, typer.Option(help="Of which association.")] = KeyRole.MANAGEMENT,
) -> None:
    """Write the key file of one meter, for `meterpurse dlms --keys`."""
    from deploy.configuration import load
    from dlms_objects.classes.catalogue import Role
    from dlms_objects.errors import LocalError
    from dlms_objects.meter.fleet.config import CONFIG_NAME, FleetConfig
    from dlms_objects.meter.fleet.identity import FleetIdentity
    from dlms_objects.transport.credentials import save_credentials

    config = load(folder / CONFIG_NAME, FleetConfig)
    found = [
        credentials
        for credentials in FleetIdentity(config.seed).credentials(Role(role), config.meters)
        if credentials.server_sap == sap
    ]
    if not found:
        raise LocalError(f"{folder / CONFIG_NAME}: no meter of the fleet has the SAP {sap}")
    save_credentials(file, found[0])
    typer.echo(f"{found[0].system_title}  {file}")


@app.command()
def gateway(
    folder: Folder,
    gateway_folder: Annotated[Path, typer.Argument(metavar="GATEWAY_DIR", help="Where the gateway is made.")],
    headend: Annotated[str, typer.Option(metavar="URL", help="Where the head-end is.")] = "http://127.0.0.1:8460",
    token_file: Annotated[
        Path | None, typer.Option(help="The gateway token of the head-end; it is copied.", exists=True, dir_okay=False)
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Where the fleet is reached, if not where it listens: tcp:HOST:PORT.")
    ] = None,
    collect_every: Annotated[float, typer.Option(metavar="SECONDS", help="The schedule of each meter.")] = 60.0,
    role: Annotated[KeyRole, typer.Option(help="The management association may acknowledge.")] = KeyRole.MANAGEMENT,
) -> None:
    """Make a gateway in GATEWAY_DIR that collects from every meter of the fleet in DIR."""
    from deploy.fleet_gateway import make_gateway
    from dlms_objects.classes.catalogue import Role

    with explaining():
        made = make_gateway(
            folder,
            gateway_folder,
            headend_url=headend,
            token_file=token_file,
            endpoint=endpoint,
            collect_every_s=collect_every,
            role=Role(role),
        )
    typer.echo(f"configuration  {made}")
