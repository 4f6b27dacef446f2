"""`meterpurse courier`: carry sealed octets between a meter and its head-end. Declarations only."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.meter_options import DEFAULT_ENDPOINT, DEFAULT_TIMEOUT_S, Endpoint, TimeoutS
from deploy.commands.options import Pocket

app = typer.Typer(
    help="Carry sealed batches from a meter, and sealed instructions to it. A courier needs no keys.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ServerSap = Annotated[
    int, typer.Option("--server-sap", help="Of the meter, where several share an address.", min=1, max=65535)
]
As = Annotated[Pocket, typer.Option("--as", help="Octets, frames of text, or a QR code for each frame.")]


@app.command()
def fetch(
    file: Annotated[Path, typer.Argument(help="Where to write the batch; it must not exist.", dir_okay=False)],
    form: As = Pocket.OCTETS,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    server_sap: ServerSap = 1,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
) -> None:
    """Fetch the sealed batch from a meter, for its head-end. Fetching it twice, or losing it, does no harm."""
    from deploy.asking import run_once
    from deploy.courier_client import CourierStop
    from deploy.courier_files import check_free, pocket, write_pocket

    check_free(file, form)
    batch = run_once(CourierStop(endpoint=endpoint, server_sap=server_sap, timeout_s=timeout).fetch)
    files = pocket(file, batch, form)
    write_pocket(files)
    for path in files:
        typer.echo(f"batch of {len(batch)} octets: {path}")


@app.command()
def hand_in(
    batch: Annotated[
        Path, typer.Argument(help="What the meter sealed: octets, or frames of text.", exists=True, dir_okay=False)
    ],
    instruction: Annotated[
        Path, typer.Argument(help="Where to write the instruction; it must not exist.", dir_okay=False)
    ],
    url: Annotated[str, typer.Option(metavar="URL", help="Where the head-end is.")] = "http://127.0.0.1:8460",
    form: As = Pocket.OCTETS,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
) -> None:
    """Hand in a meter's sealed batch at the head-end, and write its sealed instruction, for the meter."""
    from deploy.courier_files import check_free, pocket, read_sealed, write_pocket
    from deploy.courier_office import hand_in as hand_over

    check_free(instruction, form)
    sealed = hand_over(url, read_sealed(batch), timeout_s=timeout)
    files = pocket(instruction, sealed, form)
    write_pocket(files)
    for path in files:
        typer.echo(f"instruction of {len(sealed)} octets: {path}")


@app.command()
def deliver(
    instruction: Annotated[
        Path, typer.Argument(help="What the head-end sealed: octets, or frames of text.", exists=True, dir_okay=False)
    ],
    answer: Annotated[Path, typer.Argument(help="Where to write the answer; it must not exist.", dir_okay=False)],
    form: As = Pocket.OCTETS,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    server_sap: ServerSap = 1,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
) -> None:
    """Deliver the head-end's sealed instruction to a meter, and write its sealed answer, for the head-end."""
    from deploy.asking import run_once
    from deploy.courier_client import CourierStop
    from deploy.courier_files import check_free, pocket, read_sealed, write_pocket

    check_free(answer, form)
    sealed = read_sealed(instruction)
    stop = CourierStop(endpoint=endpoint, server_sap=server_sap, timeout_s=timeout)
    answered = run_once(lambda reactor: stop.deliver(reactor, sealed))
    files = pocket(answer, answered, form)
    write_pocket(files)
    for path in files:
        typer.echo(f"answer of {len(answered)} octets: {path}")
