"""Log lines on stderr: text for people, one JSON object a line for machines.

Everything goes through `twisted.logger`; what libraries say through `logging` (uvicorn, asyncio, SQLAlchemy) joins it.
Imported by `deploy/running.py`.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    formatEventAsClassicLogText,
    globalLogBeginner,
)

_LEVELS = {logging.DEBUG: LogLevel.debug, logging.INFO: LogLevel.info, logging.WARNING: LogLevel.warn}


def begin_logging(severity: str, *, as_json: bool, stream: TextIO = sys.stderr) -> None:
    """Write the process's log to `stream` from now on: what is at least as severe as debug, info, warn or error."""
    globalLogBeginner.beginLoggingTo([observer(severity, stream, as_json=as_json)], redirectStandardIO=False)
    threshold = logging.getLevelNamesMapping()[severity.upper()]
    logging.basicConfig(handlers=[_ToTwisted()], format="%(message)s", level=threshold, force=True)


def observer(severity: str, stream: TextIO, *, as_json: bool) -> ILogObserver:
    """What writes each event of at least this severity as one line to `stream`; in text, a traceback follows it."""
    to_line = json_line if as_json else formatEventAsClassicLogText
    threshold = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(severity))
    return FilteringLogObserver(FileLogObserver(stream, to_line), [threshold])


def json_line(event: LogEvent) -> str:
    """One event as a JSON object: time (UTC), level, where from, message, fields, and the traceback of a failure."""
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds"),
        "level": event["log_level"].name,
        "from": event["log_namespace"],
        "message": formatEvent(event),
    }
    line |= {name: value for name, value in event.items() if not name.startswith("log_") and name not in line}
    if "log_failure" in event:
        line["traceback"] = event["log_failure"].getTraceback()
    return json.dumps(line, default=str, ensure_ascii=False) + "\n"


class _ToTwisted(logging.Handler):
    """Hands what libraries log the standard way to `twisted.logger`."""

    def emit(self, record: logging.LogRecord) -> None:
        log = Logger(namespace=record.name)
        level = _LEVELS.get(record.levelno, LogLevel.error)
        log.emit(level, "{words}", words=self.format(record))
