"""`meterpurse gateway`: make and run a gateway. Declarations only; see `deploy/commands/__init__.py`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.gateway_tools import add_tools
from deploy.commands.options import Folder, LogJson, LogLevel, Severity, explaining

if TYPE_CHECKING:
    from gateway.setup import NewMeter

app = typer.Typer(
    help="The gateway: collects the records of meters and uploads them.", no_args_is_help=True, rich_markup_mode=None
)
add_tools(app)


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
def run(folder: Folder, log_json: LogJson = False, log_level: LogLevel = Severity.INFO) -> None:
    """Collect and upload until SIGTERM or Ctrl-C; `ready` on stdout says that it works. SIGHUP: reload."""
    from functools import partial

    from deploy.configuration import blaming
    from deploy.gateway_files import load_gateway, reload_gateway
    from deploy.logs import begin_logging
    from deploy.running import serve
    from gateway.pushes import PushAddressError
    from gateway.service import GatewayService, make_service
    from gateway.setup import CONFIG_NAME
    from gateway.watch import WatchAddressError

    config = load_gateway(folder)
    begin_logging(log_level, as_json=log_json)
    places: dict[type[Exception], tuple[str, ...]] = {
        PushAddressError: ("push", "listen"),
        WatchAddressError: ("http", "listen"),
    }
    with blaming(folder / CONFIG_NAME, places):
        serve(
            lambda reactor: make_service(config, reactor),
            GatewayService.when_ready,
            alive=GatewayService.is_alive,
            reload=partial(reload_gateway, folder=folder),
        )


def _new_meter(text: str) -> "NewMeter":
    from gateway.setup import NewMeter

    name, equals, rest = text.partition("=")
    endpoint, comma, key_file = rest.rpartition(",")
    if not equals or not comma:
        raise typer.BadParameter(f"{text!r} is not of the form NAME=ENDPOINT,KEY_FILE")
    return NewMeter(name=name, endpoint=endpoint, key_file=Path(key_file))
