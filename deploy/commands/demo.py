"""`meterpurse demo`: a household's year in half a minute. Declarations only; see `deploy/commands/__init__.py`."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_SECONDS = 14.0


def demo(
    household: Annotated[
        Path | None, typer.Option(help="A household file with a [demo] table; else the shipped example.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Real seconds for the year.", min=4, max=3600)] = DEFAULT_SECONDS,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running and say where to look.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to put everything; else a temporary folder.")
    ] = None,
) -> None:
    """Run a meter, a gateway and a head-end for a household's year on the meter's virtual clock, and compare the books.

    Exit code 0 only when the meter's journal, the gateway's count and the head-end's ledger agree to the minor unit.
    """
    from deploy.configuration import load
    from deploy.demo.run import run_demo
    from deploy.household import Household

    path = Path(__file__).parent.parent / "examples" / "household.toml" if household is None else household
    run_demo(load(path, Household), seconds=seconds, keep=keep, folder=folder)
