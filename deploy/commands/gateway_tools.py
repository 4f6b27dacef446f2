"""`meterpurse gateway`: the operator's tools: check, schema, doctor, scan, status, outbox. Declarations only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.commands.options import Folder

if TYPE_CHECKING:
    from gateway.config import GatewayConfig

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

WRONG = 1
"""The exit code of a tool that did its work and found something wrong."""


def add_tools(app: typer.Typer) -> None:
    """Put the tools among the gateway's commands."""
    for command in (check, schema, doctor, scan, status, outbox):
        app.command()(command)


def check(folder: Folder, json: AsJson = False) -> None:
    """Read the configuration in DIR and the files it names; every mistake is named by file and line."""
    from deploy.configuration import ConfigurationError
    from deploy.gateway_files import load_gateway
    from gateway.setup import CONFIG_NAME

    path = folder / CONFIG_NAME
    try:
        config = load_gateway(folder)
    except ConfigurationError as error:
        if not json:
            raise
        _print_json({"file": str(path), "good": False, "problems": [each.document() for each in error.problems]})
        raise typer.Exit(2) from None
    if json:
        _print_json({"file": str(path), "good": True, "problems": [], "meters": len(config.meter)})
    else:
        typer.echo(f"{path}: good; {len(config.meter)} meters")


def schema() -> None:
    """Print the JSON Schema of gateway.toml, for editors: completion, explanations, mistakes while one types."""
    from gateway.schema import gateway_schema

    _print_json(gateway_schema())


def doctor(
    folder: Folder,
    meters: Annotated[list[str] | None, typer.Argument(metavar="METER...", help="Only these meters; else all.")] = None,
    json: AsJson = False,
) -> None:
    """Examine the way to each meter and to the head-end step by step; a failure comes with its likely cause.

    The gateway may be running: its invocation counters are not touched then. Exit code 1 when something is wrong.
    """
    from deploy.gateway_doctor import examine_folder

    if not examine_folder(folder, meters or (), as_json=json):
        raise typer.Exit(WRONG)


def scan(  # noqa: PLR0913 - its options
    endpoint: Annotated[str, typer.Argument(help="tcp:HOST:PORT, hdlc+tcp:HOST:PORT, hdlc+serial:DEVICE, ...")],
    sap: Annotated[str, typer.Option(metavar="NUMBERS", help="Server SAPs (logical devices).")] = "1",
    physical: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="Physical addresses on an HDLC line, such as 1-32.")
    ] = None,
    baud: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="Baud rates of a serial port, such as 300,2400,9600.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--gateway", metavar="DIR", help="Say which of them this gateway collects from.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds that an answer may take.")] = 2.0,
    pause: Annotated[float, typer.Option(min=0, max=60, help="Seconds of rest between two questions.")] = 0.1,
    json: AsJson = False,
) -> None:
    """Ask around for meters: SAPs behind a TCP port, addresses and baud rates on a line (hdlc+optical: mode E first).

    NUMBERS are such as 1-16,32. One question at a time, by the public client; nothing is changed.
    """
    from deploy.gateway_scan import numbers, scan_endpoint
    from gateway.scan import ScanRange

    wanted = ScanRange(
        server_saps=numbers(sap, "--sap"),
        physicals=() if physical is None else numbers(physical, "--physical"),
        bauds=() if baud is None else numbers(baud, "--baud"),
    )
    scan_endpoint(endpoint, wanted, folder=folder, timeout_s=timeout, pause_s=pause, as_json=json)


def status(folder: Folder, json: AsJson = False) -> None:
    """Show what the outbox in DIR holds, how old it is, what waits and what is wrong; the gateway may be running."""
    import time

    from deploy.gateway_files import load_gateway
    from gateway.status import read_figures

    config = load_gateway(folder)
    figures = read_figures(
        config.outbox.path, maximum_rows=config.outbox.maximum_rows, now_s=int(time.time())
    ).document()
    if json:
        _print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name.replace('_', ' '):<26}{'-' if value is None else value}")


def outbox(
    folder: Folder,
    evidence: Annotated[
        int | None, typer.Option(metavar="ID", help="One piece of evidence with all its rows instead.", min=1)
    ] = None,
    json: AsJson = False,
) -> None:
    """Show what is held of each meter, what is held back and why, and the evidence kept; the gateway may be running."""
    import time

    from deploy import holdings_views as views
    from deploy.gateway_files import load_gateway
    from deploy.tables import show
    from gateway.holdings import read_evidence, read_holdings

    config = load_gateway(folder)
    names = {meter.system_title: meter.name for meter in config.meter}
    if evidence is not None:
        _show_evidence(config, evidence, json=json)
        return
    holdings = read_holdings(config.outbox.path, maximum_rows=config.outbox.maximum_rows, now_s=int(time.time()))
    found = read_evidence(config.outbox.path)
    if json:
        kept = [views.evidence_document(each, names) for each in found]
        _print_json(views.holdings_document(holdings, names) | {"evidence": kept})
        return
    typer.echo(views.summary(holdings))
    show(views.holdings_table(holdings, names))
    if found:
        show(views.evidence_table(found, names))


def _show_evidence(config: "GatewayConfig", number: int, *, json: bool) -> None:
    from deploy import holdings_views as views
    from deploy.tables import show
    from dlms_objects.errors import InvalidValueError
    from gateway.holdings import read_evidence

    names = {meter.system_title: meter.name for meter in config.meter}
    found = read_evidence(config.outbox.path, number)
    if not found:
        raise InvalidValueError(f"there is no evidence {number}; `meterpurse gateway outbox DIR` lists what there is")
    if json:
        _print_json(views.evidence_document(found[0], names))
        return
    show(views.evidence_table(found, names))
    show(views.evidence_rows_table(found[0]))


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
