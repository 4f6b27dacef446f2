"""`meterpurse headend`: make, check and run a head-end. Declarations only; see `deploy/commands/__init__.py`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.headend_notices import app as notices
from deploy.commands.options import Folder, LogJson, LogLevel, Severity, explaining

if TYPE_CHECKING:
    from dlms_objects.values.money import Currency
    from headend.config import HeadendConfig

Organisation = Annotated[str | None, typer.Option(help="Whose it is; none: the first organisation's.")]

app = typer.Typer(help="The head-end: ledger, notices and HTTP API.", no_args_is_help=True, rich_markup_mode=None)
influx = typer.Typer(help="The points in InfluxDB.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(influx, name="influx")
app.add_typer(notices, name="notices")


@app.command()
def init(
    folder: Folder,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the HTTP server listens.")] = "127.0.0.1:8460",
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="postgresql://USER@HOST/DATABASE, an empty one, in place of an SQLite file."),
    ] = None,
) -> None:
    """Make a head-end in DIR: configuration, empty ledger, root key, random tokens for gateway, admin and auditor."""
    from headend.config import HeadendConfig
    from headend.setup import create

    told = {} if database is None else {"database": database}
    with explaining():
        place = HeadendConfig.model_validate(told).database
        made = create(folder, listen=listen, database=place)
    typer.echo(f"configuration  {made.config}")
    typer.echo(f"ledger         {made.database}")
    typer.echo(f"root key       {made.root_key}")
    typer.echo(f"gateway token  {made.gateway_token}")
    typer.echo(f"admin token    {made.admin_token}")
    typer.echo(f"auditor token  {made.auditor_token}")


@app.command()
def add_meter(
    folder: Folder,
    system_title: Annotated[str, typer.Argument(help="The meter's system title, 16 hexadecimal digits.")],
    household: Annotated[str, typer.Option(help="Whose purse it is, as shown to people.")],
    language: Annotated[str, typer.Option(help="Of the notices: en or zh-CN.")] = "zh-CN",
    time_zone: Annotated[str, typer.Option(help="In which the notices tell the time.")] = "Asia/Shanghai",
    organisation: Organisation = None,
) -> None:
    """Register a meter with the head-end in DIR, which may be running."""
    from headend.config import MeterConfig
    from headend.setup import add_meter as register

    told = {"system_title": system_title, "household": household, "language": language, "time_zone": time_zone}
    with explaining():
        registration = MeterConfig.model_validate(told)
    register(_load(folder), registration, organisation)


@app.command()
def add_organisation(
    folder: Folder, name: Annotated[str, typer.Argument(help="Of the organisation: a tenant with its own books.")]
) -> None:
    """Enter an organisation in the head-end in DIR; what belongs to one is never seen by another."""
    from headend.setup import add_organisation as enter

    enter(_load(folder), name)


@app.command()
def add_user(  # noqa: PLR0913 - what is to be said of a person
    folder: Folder,
    login: Annotated[str, typer.Argument(help="With which the person logs in.")],
    role: Annotated[str, typer.Option(help="admin, operator, payee, resident or auditor.")],
    payee: Annotated[str | None, typer.Option(help="Of a payee: whose bills and settlements.")] = None,
    household: Annotated[str | None, typer.Option(help="Of a resident: whose purse.")] = None,
    organisation: Organisation = None,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when not given.")
    ] = "",
) -> None:
    """Enter a person who may log in to the head-end in DIR, which may be running."""
    from headend.api.users import NewUser
    from headend.setup import add_user as enter
    from headend.users import User

    told = {"login": login, "role": role, "payee": payee, "household": household, "password": password}
    with explaining():
        person = NewUser.model_validate(told)
    user = User(login=person.login, role=person.role, payee=person.payee, household=person.household)
    enter(_load(folder), organisation, user, person.password)


@app.command()
def add_courier_keys(
    folder: Folder,
    file: Annotated[
        Path,
        typer.Argument(help="keys/courier.toml, as `meterpurse meter init` wrote it.", exists=True, dir_okay=False),
    ],
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE:SCALE", help="Of the meter's journal, where no gateway has told it: CNY:-2."),
    ] = None,
) -> None:
    """Take over the keys with which a meter and the head-end in DIR seal what couriers carry; then delete the file."""
    from headend.setup import add_courier_keys as take_over

    title = take_over(_load(folder), file, None if currency is None else _currency(currency))
    typer.echo(f"couriers may now hand in the batches of {title}; delete {file}: the head-end keeps the keys")


@app.command()
def add_meter_keys(
    folder: Folder,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Key files of meters: reader, management, master.", exists=True),
    ],
) -> None:
    """Take over keys of meters for the head-end in DIR, to be released to their gateways and replaced from here."""
    from headend.setup import add_meter_keys as take_over

    config = _load(folder)
    for file in files:
        typer.echo(f"{file}: the keys of {take_over(config, file)} are kept")


@app.command()
def assign_meter(
    folder: Folder,
    system_title: Annotated[str, typer.Argument(help="The meter's system title, 16 hexadecimal digits.")],
    gateway: Annotated[str, typer.Argument(help="The name of the gateway's token.")],
    organisation: Organisation = None,
) -> None:
    """Assign a meter to a gateway of its organisation, which fetches the meter's commands and keys."""
    from headend.setup import assign_meter as assign

    assign(_load(folder), system_title.upper(), gateway, organisation)


@app.command()
def check(folder: Folder) -> None:
    """Read the configuration in DIR and rehearse a start; every mistake is named by file and line."""
    from deploy.configuration import blaming
    from headend.engines import DatabaseUnusableError
    from headend.influx.target import TokenUnreadableError
    from headend.root_key import RootKeyError
    from headend.setup import CONFIG_NAME
    from headend.setup import check as rehearse

    config, path = _load(folder), folder / CONFIG_NAME
    places: dict[type[Exception], tuple[str, ...]] = {
        DatabaseUnusableError: ("database",),
        RootKeyError: ("root_key_file",),
        TokenUnreadableError: ("influx", "token_file"),
    }
    with blaming(path, places):
        found = rehearse(config)
    typer.echo(f"{path}: good; {found.meters} meters, {found.entries} entries")


@app.command()
def run(folder: Folder, log_json: LogJson = False, log_level: LogLevel = Severity.INFO) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready URL` on stdout says that requests are answered."""
    from deploy.configuration import blaming
    from deploy.logs import begin_logging
    from deploy.running import serve
    from headend.engines import DatabaseUnusableError
    from headend.influx.target import TokenUnreadableError
    from headend.root_key import RootKeyError
    from headend.service import AddressInUseError, HeadendService, make_service
    from headend.setup import CONFIG_NAME

    config, path = _load(folder), folder / CONFIG_NAME
    begin_logging(log_level, as_json=log_json)
    places: dict[type[Exception], tuple[str, ...]] = {
        AddressInUseError: ("listen",),
        DatabaseUnusableError: ("database",),
        RootKeyError: ("root_key_file",),
        TokenUnreadableError: ("influx", "token_file"),
    }
    with blaming(path, places):
        serve(lambda reactor: make_service(config, reactor), HeadendService.when_ready, HeadendService.when_lost)


@app.command()
def verify(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Hold the whole ledger of DIR against the meters' own rows; it may be running. Exit code 2: there is damage."""
    import json

    from headend.root_key import RootKey
    from headend.verify.whole import verify as look_through

    config = _load(folder)
    root = None if config.root_key_file is None else RootKey.load(config.root_key_file)
    found = look_through(config.database, root)
    if as_json:
        typer.echo(json.dumps(found.document(), ensure_ascii=False))
    else:
        for finding in found.findings.kept:
            typer.echo(str(finding))
        if more := found.findings.total - len(found.findings.kept):
            typer.echo(f"and {more} more")
        typer.echo(f"{found.meters} meters, {found.entries} entries: {found.findings.total or 'no'} findings")
    raise typer.Exit(bool(found.findings.total) * 2)


@app.command()
def backup(
    folder: Folder, file: Annotated[Path, typer.Argument(help="The new file; one that is there is never overwritten.")]
) -> None:
    """Copy the SQLite ledger of DIR, which may be running, into FILE; root key and tokens are not in it."""
    from headend.backups import back_up

    config = _load(folder)
    back_up(config.database, file)
    typer.echo(f"{file}: a whole copy; keep it apart from {config.root_key_file or 'the root key'}")


@app.command()
def migrate(folder: Folder) -> None:
    """Bring the tables of DIR to the newest shape without serving."""
    from headend.database import bring_up_to_date

    before, after = bring_up_to_date(_load(folder).database)
    typer.echo(f"the tables have the shape {after}" + ("" if before == after else f"; they had {before or 'none'}"))


@influx.command()
def status(folder: Folder) -> None:
    """Say what waits to be written to InfluxDB, since when, what was refused and why, and the last failure."""
    from headend.influx.operations import status as ask

    sink, refused = ask(_load(folder))
    typer.echo(f"points are kept  {'yes' if sink.wanted else 'no'}")
    typer.echo(
        f"waiting          {sink.waiting}{f', the oldest since {sink.oldest_queued_at}' if sink.waiting else ''}"
    )
    typer.echo(f"delivered        {sink.delivered}{f', the last at {sink.delivered_at}' if sink.delivered_at else ''}")
    typer.echo(f"last failure     {sink.failure or '-'}{f' at {sink.failed_at}' if sink.failed_at else ''}")
    typer.echo(f"refused          {sink.refused}")
    for each in refused:
        typer.echo(f"  {each.reason}\n    {each.line}")


@influx.command()
def rebuild(folder: Folder) -> None:
    """Write every point that follows from the ledger to InfluxDB; what is there already stays as it is."""
    from headend.influx.operations import rebuild as write_again

    done = write_again(_load(folder))
    for each in done.refusals:
        typer.echo(f"refused: {each.reason}\n  {each.line}")
    typer.echo(f"{done.written} points written, {len(done.refusals)} refused")
    raise typer.Exit(bool(done.refusals) * 2)


@influx.command("check")
def check_influx(folder: Folder) -> None:
    """Compare InfluxDB with the ledger: entries and sums of every meter. Exit code 2 when they differ."""
    from headend.influx.operations import check as compare

    compared = compare(_load(folder))
    differing = [each for each in compared if not each.is_same]
    for each in differing:
        ledger, bucket = each.ledger, each.bucket
        typer.echo(
            f"{each.system_title}: ledger {ledger.count} entries, sum {ledger.sum_minor}; "
            f"InfluxDB {bucket.count} entries, sum {bucket.sum_minor}"
        )
    entries = sum(each.ledger.count for each in compared)
    typer.echo(f"{len(compared)} meters, {entries} entries: {len(differing) or 'no'} differences")
    raise typer.Exit(bool(differing) * 2)


def _currency(text: str) -> "Currency":
    from dlms_objects.errors import InvalidValueError
    from dlms_objects.values.money import Currency

    code, _, scale = text.partition(":")
    try:
        return Currency(code, int(scale))
    except (ValueError, InvalidValueError):
        raise typer.BadParameter(f"{text!r} is not a currency such as CNY:-2") from None


def _load(folder: Path) -> "HeadendConfig":
    from deploy.configuration import load
    from headend.config import HeadendConfig
    from headend.setup import CONFIG_NAME

    return load(folder / CONFIG_NAME, HeadendConfig)
