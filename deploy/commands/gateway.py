"""`meterpurse gateway`: make, check and run a gateway. Declarations only; see `deploy/commands/__init__.py`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.options import Folder, LogJson, LogLevel, Severity, explaining

if TYPE_CHECKING:
    from gateway.config import GatewayConfig
    from gateway.setup import NewMeter

app = typer.Typer(
    help="The gateway: collects the records of meters and uploads them.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def init(
    folder: Folder,
    headend: Annotated[str, typer.Option(metavar="URL", help="Where the head-end is.")] = "http://127.0.0.1:8460",
    token_file: Annotated[
        Path | None, typer.Option(help="The gateway token of the head-end; it is copied.", exists=True, dir_okay=False)
    ] = None,
    meter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=ENDPOINT,KEY_FILE", help="A meter: flat-1=tcp:10.0.0.7:4059,keys/flat-1.toml"),
    ] = None,
) -> None:
    """Make a gateway in DIR: configuration with a word on every setting, and a system title at random."""
    from gateway.service import read_token
    from gateway.setup import create

    token = None if token_file is None else read_token(token_file)
    with explaining():
        made = create(folder, headend_url=headend, token=token, meters=[_new_meter(text) for text in meter or ()])
    typer.echo(f"configuration  {made}")


@app.command()
def check(folder: Folder) -> None:
    """Read the configuration in DIR and the files it names; every mistake is named by file and line."""
    from gateway.setup import CONFIG_NAME

    config = _load(folder)
    typer.echo(f"{folder / CONFIG_NAME}: good; {len(config.meter)} meters")


@app.command()
def run(folder: Folder, log_json: LogJson = False, log_level: LogLevel = Severity.INFO) -> None:
    """Collect and upload until SIGTERM or Ctrl-C; `ready` on stdout says that the work has begun."""
    from deploy.configuration import blaming
    from deploy.logs import begin_logging
    from deploy.running import serve
    from gateway.pushes import PushAddressError
    from gateway.service import GatewayService, make_service
    from gateway.setup import CONFIG_NAME

    config = _load(folder)
    begin_logging(log_level, as_json=log_json)
    with blaming(folder / CONFIG_NAME, {PushAddressError: ("push", "listen")}):
        serve(lambda reactor: make_service(config, reactor), GatewayService.when_ready)


@app.command()
def status(folder: Folder, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show what the outbox in DIR holds, how old it is, what waits and what is wrong; the gateway may be running."""
    import json as notation
    import time

    from gateway.status import read_figures

    config = _load(folder)
    figures = read_figures(
        config.outbox.path, maximum_rows=config.outbox.maximum_rows, now_s=int(time.time())
    ).document()
    if json:
        typer.echo(notation.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            typer.echo(f"{name.replace('_', ' '):<26}{'-' if value is None else value}")


def _new_meter(text: str) -> "NewMeter":
    from gateway.setup import NewMeter

    name, equals, rest = text.partition("=")
    endpoint, comma, key_file = rest.rpartition(",")
    if not equals or not comma:
        raise typer.BadParameter(f"{text!r} is not of the form NAME=ENDPOINT,KEY_FILE")
    return NewMeter(name=name, endpoint=endpoint, key_file=Path(key_file))


def _load(folder: Path) -> "GatewayConfig":
    """The configuration, looked through to the files it names; ConfigurationError with every mistake."""
    from deploy.configuration import ConfigurationError, load, problem_at
    from gateway.check import problems
    from gateway.config import GatewayConfig
    from gateway.setup import CONFIG_NAME

    path = folder / CONFIG_NAME
    config = load(path, GatewayConfig)
    if found := problems(config):
        raise ConfigurationError([problem_at(path, problem.place, problem.message) for problem in found])
    return config
