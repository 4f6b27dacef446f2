"""`meterpurse headend notices`: the delivery log, previews, tests, retries. Declarations only."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.options import Folder

if TYPE_CHECKING:
    from headend.config import HeadendConfig
    from headend.delivery.log import State

app = typer.Typer(help="Notices: what was sent to whom, and how it went.", no_args_is_help=True, rich_markup_mode=None)

DeliveryId = Annotated[int, typer.Argument(help="The number of the delivery, as `list` shows it.")]


@app.command(name="list")
def list_deliveries(
    folder: Folder,
    state: Annotated[str | None, typer.Option(help="pending, sending, sent, failed or dead.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Of this recipient only.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Those with a higher number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """Show the log of deliveries, oldest first; addresses and texts are not in it."""
    from deploy.tables import show, table
    from headend.database import transaction
    from headend.delivery import log

    wanted = None if state is None else _state(state)
    with transaction(_load(folder).database, rehearsal=True) as connection:
        rows = log.deliveries(connection, state=wanted, recipient=recipient, after=after, limit=limit)
    columns = ("no", "recipient", "channel", "kind", "about", "state", "tries", "due", "reason")
    show(
        table(
            "Deliveries",
            columns,
            (
                (
                    row.delivery_id,
                    row.recipient,
                    row.channel,
                    row.kind,
                    row.subject,
                    row.state,
                    row.attempts,
                    f"{row.due_at:%Y-%m-%d %H:%M:%SZ}",
                    row.reason or "-",
                )
                for row in rows
            ),
        )
    )


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(help="deduction, statement, chain_conflict, ...")],
    language: Annotated[str, typer.Option(help="en or zh-CN.")] = "en",
    form: Annotated[str, typer.Option(help="text, sms or html.")] = "text",
) -> None:
    """Print a notice with made-up facts."""
    from headend.alarms import AlarmKind
    from headend.delivery.preview import preview as made
    from headend.notices import NoticeKind

    kinds: dict[str, NoticeKind | AlarmKind] = {each.value: each for each in (*NoticeKind, *AlarmKind)}
    if kind not in kinds:
        raise typer.BadParameter(f"no such notice: {kind!r}; there are {', '.join(kinds)}")
    if language not in ("en", "zh-CN"):
        raise typer.BadParameter("the language is en or zh-CN")
    message = made(kinds[kind], "en" if language == "en" else "zh-CN")
    forms = {"text": f"{message.text.subject}\n\n{message.text.body}", "sms": message.short, "html": message.html}
    if form not in forms:
        raise typer.BadParameter("the form is text, sms or html")
    typer.echo(forms[form])


@app.command()
def test(folder: Folder, recipient: Annotated[str, typer.Argument(help="The name of a recipient.")]) -> None:
    """Send a test to a recipient by all its channels, now and from here; exit code 2 when one of them fails."""
    from deploy.notice_test import send_test

    config = _load(folder)
    outcomes = send_test(config, recipient)
    for channel, failure in outcomes.items():
        typer.echo(f"{channel:<20} {failure or 'sent'}")
    if any(outcomes.values()):
        raise typer.Exit(2)


@app.command()
def retry(folder: Folder, delivery: DeliveryId) -> None:
    """Try a delivery that was given up again."""
    from headend.database import transaction
    from headend.delivery import log

    with transaction(_load(folder).database) as connection:
        if not log.retry(connection, delivery, now=datetime.now(UTC)):
            raise typer.BadParameter(f"delivery {delivery} was not given up")


@app.command()
def bounced(
    folder: Folder, delivery: DeliveryId, reason: Annotated[str, typer.Argument(help="In a few words.")]
) -> None:
    """Note that a message which was sent came back; it counts as given up, and the operator is told."""
    from headend.database import transaction
    from headend.delivery import log

    with transaction(_load(folder).database) as connection:
        if not log.bounced(connection, delivery, reason, now=datetime.now(UTC)):
            raise typer.BadParameter(f"delivery {delivery} was not sent")


def _state(text: str) -> "State":
    from headend.delivery.log import State

    try:
        return State(text)
    except ValueError:
        raise typer.BadParameter(f"a state is one of {', '.join(State)}, not {text!r}") from None


def _load(folder: Path) -> "HeadendConfig":
    from deploy.configuration import load
    from headend.config import HeadendConfig
    from headend.setup import CONFIG_NAME

    return load(folder / CONFIG_NAME, HeadendConfig)
