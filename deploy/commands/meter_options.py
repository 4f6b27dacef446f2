"""The options of every question to one meter: its keys, where it is, how long to wait, and a trace of what travels.

`asking` gives them to a command, which gets a function to ask with. Imports typer only, before a question is asked.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deploy.purse_client import PurseClient

Ask = Callable[[Callable[["PurseClient"], Awaitable[Any]]], Any]
"""Opens a session, asks, releases; what the question returns or raises."""

Keys = Annotated[
    Path,
    typer.Option(
        "--keys", "-k", envvar="METERPURSE_KEYS", help="The key file of the association, as meter init wrote it."
    ),
]
Endpoint = Annotated[
    str, typer.Option("--endpoint", "-e", envvar="METERPURSE_ENDPOINT", help="Where the meter listens.")
]
TimeoutS = Annotated[float, typer.Option("--timeout", help="How long an answer may take, in seconds.", min=0.1)]
TraceTo = Annotated[
    str | None,
    typer.Option("--trace", metavar="FILE|-", help="Write every frame to this file, or with - to standard error."),
]
TraceXml = Annotated[bool, typer.Option("--trace-xml", help="With XML of every APDU.")]
TracePlaintext = Annotated[
    bool, typer.Option("--trace-plaintext", help="With the plaintext of ciphered APDUs; keys are never shown.")
]

DEFAULT_ENDPOINT = "tcp:127.0.0.1:4059"
DEFAULT_TIMEOUT_S = 10.0


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose first parameter is `ask`: in its place it gets the options of a question to a meter."""
    own = list(inspect.signature(command).parameters.values())[1:]
    shared = list(inspect.signature(_ask).parameters.values())[1:]

    @wraps(command)
    def run(**given: Any) -> None:
        options = {parameter.name: given.pop(parameter.name) for parameter in shared}
        command(partial(_ask, **options), **given)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *shared)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _ask(
    question: "Callable[[PurseClient], Awaitable[Any]]",
    *,
    keys: Keys,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
    trace: TraceTo = None,
    trace_xml: TraceXml = False,
    trace_plaintext: TracePlaintext = False,
) -> Any:
    if trace is None and (trace_xml or trace_plaintext):
        raise typer.BadParameter("--trace-xml and --trace-plaintext need --trace")
    from deploy.asking import ask
    from deploy.purse_client import MeterAddress

    if trace is None:
        return ask(MeterAddress(endpoint=endpoint, keys=keys, timeout_s=timeout), question)
    from deploy.tracing import traced

    with traced(trace, with_xml=trace_xml, with_plaintext=trace_plaintext) as make_trace:
        return ask(MeterAddress(endpoint=endpoint, keys=keys, timeout_s=timeout, make_trace=make_trace), question)
