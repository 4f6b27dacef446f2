"""A log line holds what happened: one line of text, or one JSON object; nothing below the wanted severity."""

import io
import json
import subprocess
import sys

import pytest
from twisted.logger import Logger
from twisted.python.failure import Failure

from deploy.logs import observer


def logged(severity: str, *, as_json: bool) -> tuple[Logger, io.StringIO]:
    """A logger, and the stream that gets what it says."""
    stream = io.StringIO()
    return Logger(namespace="gateway.line", observer=observer(severity, stream, as_json=as_json)), stream


def test_a_json_line_has_time_level_source_message_and_fields() -> None:
    log, stream = logged("info", as_json=True)
    log.info("collected {rows} rows of {title}", rows=3, title=b"MP")
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "from": "gateway.line",
        "message": "collected 3 rows of b'MP'",
        "rows": 3,
        "title": "b'MP'",
    }


def test_a_failure_in_json_stays_one_line_with_its_traceback() -> None:
    log, stream = logged("info", as_json=True)
    try:
        raise KeyError("gone")
    except KeyError:
        log.failure("read failed", failure=Failure())
    (line,) = stream.getvalue().splitlines()
    assert "KeyError: 'gone'" in json.loads(line)["traceback"]


def test_a_field_never_replaces_what_every_line_has() -> None:
    log, stream = logged("debug", as_json=True)
    log.warn("x", **{"message": "planted", "from": "planted"})
    line = json.loads(stream.getvalue())
    assert (line["message"], line["from"]) == ("x", "gateway.line")


def test_a_text_line_names_source_and_level() -> None:
    log, stream = logged("info", as_json=False)
    log.error("line {name} is down", name="a")
    assert stream.getvalue().endswith("[gateway.line#error] line a is down\n")


@pytest.mark.parametrize(("severity", "written"), [("debug", 4), ("info", 3), ("warn", 2), ("error", 1)])
def test_what_is_less_severe_is_not_written(severity: str, written: int) -> None:
    log, stream = logged(severity, as_json=True)
    for say in (log.debug, log.info, log.warn, log.error):
        say("x")
    assert len(stream.getvalue().splitlines()) == written


LIBRARY = """
import logging
from deploy.logs import begin_logging
begin_logging("info", as_json=True)
logging.getLogger("uvicorn.error").info("listening on %s", "a port")
logging.getLogger("asyncio").critical("lost {braces}")
logging.getLogger("sqlalchemy").debug("not wanted")
"""


def test_what_libraries_log_the_standard_way_joins_ours() -> None:
    run = subprocess.run([sys.executable, "-c", LIBRARY], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [(line["from"], line["level"], line["message"]) for line in lines] == [
        ("uvicorn.error", "info", "listening on a port"),
        ("asyncio", "error", "lost {braces}"),
    ]
