"""`meterpurse dlms`: talk to one meter over DLMS/COSEM. Declarations only; see `deploy/commands/__init__.py`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.commands.meter_options import DEFAULT_ENDPOINT, DEFAULT_TIMEOUT_S, Ask, Endpoint, Keys, TimeoutS, asking
from deploy.commands.options import instant

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from deploy.purse_client import PurseClient
    from dlms_objects.values.money import Currency

app = typer.Typer(
    help="Talk to one meter: read and change its purse, its fee items, its clock, its supply and its pushes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; amounts are minor units.")]


@app.command()
@asking
def purse(ask: Ask, json: AsJson = False) -> None:
    """Show the balance, the status, the settings and the journal's head."""
    from deploy.tables import purse_table, show

    found, currency = ask(lambda client: _with_currency(client, client.purse()))
    if json:
        _print_json(found)
    else:
        show(purse_table(found, currency))


@app.command()
@asking
def fees(ask: Ask, json: AsJson = False) -> None:
    """Show the fee items that were ever configured."""
    from deploy.tables import fees_table, show

    found, currency = ask(lambda client: _with_currency(client, client.fee_items()))
    if json:
        _print_json(found)
    else:
        show(fees_table(found, currency))


@app.command()
@asking
def journal(
    ask: Ask,
    first: Annotated[int, typer.Option(help="The first sequence number.", min=1)] = 1,
    last: Annotated[int, typer.Option(help="The last sequence number.", min=1)] = 2**32 - 1,
    events: Annotated[bool, typer.Option("--events", help="The event log instead; numbers are its own.")] = False,
    json: AsJson = False,
) -> None:
    """Show the purse journal, or the event log."""
    from deploy.tables import events_table, journal_table, show

    def question(client: "PurseClient") -> "Awaitable[tuple[list[dict[str, Any]], Currency]]":
        return _with_currency(client, client.events(first, last) if events else client.journal(first, last))

    found, currency = ask(question)
    if json:
        _print_json(found)
    else:
        show(events_table(found) if events else journal_table(found, currency))


@app.command()
@asking
def top_up(
    ask: Ask,
    amount: Annotated[str, typer.Argument(help="In the purse's currency, such as 500.00.")],
    transaction_id: Annotated[
        str | None, typer.Option(help="32 hexadecimal digits; the same one again tops up only once.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Top up the purse. Without an id a random one is used and printed: keep it to repeat safely."""
    from deploy.purse_client import new_identifier
    from dlms_objects.values.money import Money

    identifier = new_identifier() if transaction_id is None else _identifier(transaction_id)
    typer.echo(f"transaction id {identifier.hex()}", err=True)

    async def question(client: "PurseClient") -> "tuple[dict[str, Any], Currency]":
        currency = await client.currency()
        return await client.top_up(Money.parse(amount, currency).minor, identifier), currency

    answer, currency = ask(question)
    if json:
        _print_json(answer | {"transaction_id": identifier.hex()})
    else:
        balance = Money(answer["balance"], currency)
        typer.echo(f"{answer['outcome']}: entry {answer['sequence']}, balance after it {balance}")


@app.command()
@asking
def fee_set(
    ask: Ask,
    file: Annotated[Path, typer.Argument(help="A household file; see deploy/examples/household.toml.", dir_okay=False)],
    number: Annotated[list[int] | None, typer.Option(help="Only this fee item; may be repeated.")] = None,
    activate_at: Annotated[
        datetime | None,
        typer.Option(
            help="Take force then instead of now; in the zone of the file's settings.", formats=["%Y-%m-%dT%H:%M:%S"]
        ),
    ] = None,
    settings: Annotated[bool, typer.Option("--settings", help="Write the purse's settings of the file too.")] = False,
    json: AsJson = False,
) -> None:
    """Write the fee items of a household file to the meter; what is written is read back and compared."""
    from deploy.configuration import load
    from deploy.fee_setting import write_fee_items
    from deploy.household import Household

    household = load(file, Household)
    written = ask(
        lambda client: write_fee_items(
            client, household, numbers=number, with_settings=settings, activate_at=activate_at
        ),
    )
    if json:
        _print_json(written)
    else:
        for line in written:
            typer.echo(f"fee item {line['number']}: {line['label']}, revision {line['revision']}")


@app.command()
@asking
def amount_set(
    ask: Ask,
    number: Annotated[int, typer.Argument(help="The fee item, 1..32.", min=1, max=32)],
    due: Annotated[datetime, typer.Argument(help="The due date, such as 2026-03-15.", formats=["%Y-%m-%d"])],
    amount: Annotated[str, typer.Argument(help="In the purse's currency, such as 61.20.")],
    reference: Annotated[str | None, typer.Option(help="The bill's reference, 32 hexadecimal digits.")] = None,
    json: AsJson = False,
) -> None:
    """Set the amount of one occurrence of a fee that comes by bill or is typed in."""
    from deploy.purse_client import new_identifier
    from dlms_objects.values.money import Money

    identifier = new_identifier() if reference is None else _identifier(reference)

    async def question(client: "PurseClient") -> str:
        minor = Money.parse(amount, await client.currency()).minor
        return await client.set_amount(number, due.date(), minor, identifier)

    outcome = ask(question)
    if json:
        _print_json({"outcome": outcome, "reference": identifier.hex()})
    else:
        typer.echo(f"{outcome}: fee item {number}, due {due.date()}, reference {identifier.hex()}")


@app.command()
@asking
def clock(
    ask: Ask,
    set_to: Annotated[
        str | None, typer.Option("--set", metavar="TIME", help="`now`, or a date-time with offset (ISO 8601).")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show the meter's clock, or set it first."""
    wanted = None if set_to is None else instant(set_to)

    async def question(client: "PurseClient") -> dict[str, Any]:
        if wanted is not None:
            await client.set_clock(wanted)
        return await client.clock()

    _show_attributes(ask(question), json=json)


@app.command()
@asking
def supply(
    ask: Ask,
    switch: Annotated[
        bool | None, typer.Option("--on/--off", help="Give the supply back, or cut it off, first.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Show whether the household has supply, or switch it first."""

    async def question(client: "PurseClient") -> dict[str, Any]:
        if switch is not None:
            await client.switch_supply(on=switch)
        return await client.supply()

    _show_attributes(ask(question), json=json)


@app.command()
@asking
def push(
    ask: Ask,
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", help="Where new entries and events go; up to four, none: nowhere."),
    ] = None,
    udp: Annotated[bool, typer.Option("--udp", help="By UDP; else by TCP.")] = False,
    nowhere: Annotated[bool, typer.Option("--nowhere", help="Push nothing any more.")] = False,
    retries: Annotated[int | None, typer.Option(help="After a failed attempt.", min=0, max=255)] = None,
    delay: Annotated[int | None, typer.Option(help="Seconds before a retry.", min=0, max=65535)] = None,
    json: AsJson = False,
) -> None:
    """Show where the meter pushes new entries and events, or set it first."""
    if nowhere and to:
        raise typer.BadParameter("--nowhere and --to exclude each other")
    wanted: dict[str, Any] = {}
    if to or nowhere:
        destination = ",".join(to or ()).encode().hex()
        wanted["send_destination_and_method"] = {
            "transport_service": int(udp),
            "destination": destination,
            "message": 0,
        }
    if retries is not None:
        wanted["number_of_retries"] = retries
    if delay is not None:
        wanted["repetition_delay"] = delay

    async def question(client: "PurseClient") -> dict[str, Any]:
        await client.set_push_setup(wanted)
        return await client.push_setup()

    found = ask(question)
    if not json:
        found.pop("push_object_list")
        method = found.pop("send_destination_and_method")
        found["destination"] = bytes.fromhex(method["destination"]).decode(errors="replace") or "none"
        found["transport"] = "udp" if method["transport_service"] else "tcp"
    _show_attributes(found, json=json)


@app.command("rotate-keys")
def rotate_keys(
    keys: Keys,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="The key files to replace; else that of --keys.")
    ] = None,
    master: Annotated[
        Path | None, typer.Option(help="The file of the meter's master key; else master_key.toml beside --keys.")
    ] = None,
    with_master: Annotated[bool, typer.Option("--with-master", help="Replace the master key too, last.")] = False,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
) -> None:
    """Replace keys by new random ones, at the meter and in their files; --keys is that of management.

    Cut off at any moment, one of two files opens the meter, and the same command goes on from there.
    """
    from functools import partial

    from deploy.asking import run_once
    from deploy.key_changing import rotate_keys as rotate
    from deploy.purse_client import MeterAddress

    run_once(
        partial(
            rotate,
            address=MeterAddress(endpoint=endpoint, keys=keys, timeout_s=timeout),
            key_files=files or [keys],
            master_file=master or keys.with_name("master_key.toml"),
            done=lambda path: typer.echo(f"replaced {path}"),
            with_master=with_master,
        )
    )


@app.command()
@asking
def objects(ask: Ask, json: AsJson = False) -> None:
    """Show the objects of our association and what we may do with each."""
    from deploy.tables import objects_table, show

    found = ask(lambda client: client.objects())
    if json:
        _print_json(found)
        return
    from deploy.reading import names_of_entry

    show(objects_table(found, names_of_entry))


@app.command()
@asking
def read(
    ask: Ask,
    class_id: Annotated[int, typer.Argument(help="The interface class, such as 3 for a register.", min=0, max=65535)],
    logical_name: Annotated[str, typer.Argument(help="Such as 1.0.1.8.0.255.")],
    attribute: Annotated[int, typer.Argument(help="1..127.", min=1, max=127)],
    json: AsJson = False,
) -> None:
    """Read any attribute of any object. JSON has it as it came, octets as hexadecimal."""
    from deploy.reading import lines_of, read_attribute, rows_of
    from deploy.tables import show, table
    from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName

    descriptor = AttributeDescriptor(class_id, LogicalName.parse(logical_name), attribute)
    found = ask(lambda client: read_attribute(client, descriptor))
    if json:
        _print_json(found.plain())
        return
    shown = found.view()
    rows = rows_of(shown)
    if rows is not None:
        show(table(found.name(), *rows))
    else:
        for line in lines_of(shown):
            typer.echo(line)


async def _with_currency(client: "PurseClient", answer: "Awaitable[Any]") -> "tuple[Any, Currency]":
    return await answer, await client.currency()


def _show_attributes(found: "dict[str, Any]", *, json: bool) -> None:
    if json:
        _print_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name.replace('_', ' '):<32}{value}")


def _print_json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _identifier(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != 16:
        raise typer.BadParameter(f"32 hexadecimal digits are wanted, not {text!r}")
    return octets
