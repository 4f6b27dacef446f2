"""`meterpurse meter`: make and run a virtual meter. Declarations only; see `deploy/commands/__init__.py`."""

from typing import Annotated

import typer

from deploy.commands.options import Folder, Folders, LogJson, LogLevel, Severity, instant

app = typer.Typer(
    help="The virtual meter: a DLMS/COSEM server with a purse.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def init(
    folder: Folder,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the meter listens.")] = "127.0.0.1:4059",
    currency: Annotated[str, typer.Option(help="Of the purse: three letters.")] = "CNY",
    scale: Annotated[int, typer.Option(help="One minor unit is 10^SCALE of the currency.")] = -2,
    time_zone: Annotated[str, typer.Option(help="In which fees fall due.")] = "Asia/Shanghai",
    serial_number: Annotated[str | None, typer.Option(help="Shown on the meter; else its title.")] = None,
    clock_start: Annotated[
        str | None, typer.Option(metavar="TIME", help="A virtual clock that starts then: a date-time with offset.")
    ] = None,
    clock_rate: Annotated[float, typer.Option(help="How many times as fast as real time it runs.", min=0.001)] = 1.0,
) -> None:
    """Make a meter in DIR: random keys, an empty purse, and a configuration that runs as it is."""
    from dlms_objects.meter.setup import create
    from dlms_objects.program_folder import host_and_port
    from dlms_objects.values.money import Currency

    try:
        host_and_port(listen)
    except ValueError as error:
        raise typer.BadParameter(f"listen: {error}") from None
    purse = Currency(currency, scale)
    made = create(
        folder,
        listen=listen,
        currency=purse,
        time_zone=time_zone,
        serial_number=serial_number,
        clock_start=None if clock_start is None else instant(clock_start),
        clock_rate=clock_rate,
    )
    typer.echo(f"system title     {made.system_title}")
    typer.echo(f"configuration    {made.config}")
    typer.echo(f"store            {made.store}")
    for role, path in made.keys.items():
        typer.echo(f"{f'{role} keys':<17}{path}")
    typer.echo(f"courier keys     {made.courier_keys}")


@app.command()
def run(folders: Folders, log_json: LogJson = False, log_level: LogLevel = Severity.INFO) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready ENDPOINT SYSTEM_TITLE` on stdout says that the meter answers.

    Several meters in one process may stand on one RS-485 line.
    """
    from contextlib import nullcontext

    from deploy.configuration import blaming, load
    from deploy.logs import begin_logging
    from deploy.running import serve
    from dlms_objects.meter.clock_watch import steady_seconds
    from dlms_objects.meter.config import CONFIG_NAME, MeterConfig
    from dlms_objects.meter.lines import LineError
    from dlms_objects.meter.listening import AddressInUseError, PanelAddressInUseError
    from dlms_objects.meter.service import MetersService, make_service
    from dlms_objects.meter.store import StorageError
    from dlms_objects.transport.credentials import CredentialsError

    paths = [folder / CONFIG_NAME for folder in folders]
    configs = [load(path, MeterConfig) for path in paths]
    begin_logging(log_level, as_json=log_json)
    places: dict[type[Exception], tuple[str | int, ...]] = {
        AddressInUseError: ("listen",),
        LineError: ("line",),
        PanelAddressInUseError: ("panel", "listen"),
        StorageError: ("store",),
        CredentialsError: ("keys",),
    }
    with blaming(paths[0], places) if len(paths) == 1 else nullcontext():
        serve(lambda reactor: make_service(configs, reactor, steady_seconds), MetersService.when_ready)


@app.command("panel-pin")
def panel_pin(
    folder: Folder,
    pin: Annotated[
        str,
        typer.Option(
            prompt="PIN", hide_input=True, confirmation_prompt=True, help="6 to 12 digits; asked if left out."
        ),
    ],
) -> None:
    """Set the PIN of the front panel, in place of any other; it holds from the meter's next start on."""
    from deploy.configuration import load
    from dlms_objects.meter.config import CONFIG_NAME, MeterConfig
    from dlms_objects.meter.panel_config import PanelConfig
    from dlms_objects.meter.panel_pin import PinHash

    config = load(folder / CONFIG_NAME, MeterConfig)
    path = PanelConfig.model_validate({}, context={"folder": folder}).pin if config.panel is None else config.panel.pin
    PinHash.of(pin).save(path)
    typer.echo(f"PIN    {path}")
    if config.panel is None:
        typer.echo(f"the panel itself is off: give {folder / CONFIG_NAME} a table [panel]")


@app.command()
def panel(folder: Folder) -> None:
    """Show the front panel of the running meter in DIR on this terminal; without a terminal, print it once."""
    from deploy.configuration import load
    from deploy.panel_terminal import run_panel
    from dlms_objects.meter.config import CONFIG_NAME, MeterConfig

    config = load(folder / CONFIG_NAME, MeterConfig)
    if config.panel is None:
        raise typer.BadParameter(f"{folder / CONFIG_NAME} has no table [panel]: this meter has no front panel")
    run_panel(config.panel.listen)
