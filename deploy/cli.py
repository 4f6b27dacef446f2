"""The command `meterpurse`: its groups, its version, and the boundary where every error becomes one clear line.

Exit codes: 0 done, 1 a fault of MeterPurse itself, 2 what was asked for cannot be done, 130 interrupted. Importing this
module imports typer and the declarations in `deploy/commands/`, nothing heavier. The entry point in `setup.cfg`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from deploy.commands import courier, dlms, fleet, gateway, headend, meter
from deploy.commands.demo import demo
from dlms_objects.errors import MeterPurseError

FAULT = 1
CANNOT = 2
INTERRUPTED = 130

TRACEBACK_VARIABLE = "METERPURSE_TRACEBACK"

app = typer.Typer(
    name="meterpurse",
    help="A smart meter as the household's purse: run a meter, a gateway, a head-end; talk DLMS/COSEM to a meter.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(meter.app, name="meter")
app.add_typer(fleet.app, name="fleet")
app.add_typer(gateway.app, name="gateway")
app.add_typer(headend.app, name="headend")
app.add_typer(dlms.app, name="dlms")
app.add_typer(courier.app, name="courier")
app.command()(demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - only who asks pays for it

        typer.echo(f"meterpurse {version('meterpurse')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Holds the options of the command as a whole."""


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; errors are told on stderr, a line each, and the exit code is returned."""
    try:
        app(args=list(arguments), prog_name="meterpurse")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except MeterPurseError as error:
        return _tell(str(error) or type(error).__name__, CANNOT, error)
    except OSError as error:
        return _tell(f"meterpurse: {error}", CANNOT, error)
    except Exception as error:  # noqa: BLE001 - the outermost seam: a user never sees a traceback unasked
        words = f"meterpurse: unexpected {type(error).__name__}: {error}"
        return _tell(f"{words} (a fault of MeterPurse; {TRACEBACK_VARIABLE}=1 shows where)", FAULT, error)
    return 0


def _tell(words: str, code: int, error: Exception) -> int:
    if os.environ.get(TRACEBACK_VARIABLE):
        raise error
    sys.stderr.write(words + "\n")
    return code
