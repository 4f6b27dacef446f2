"""Telling systemd how a service is: ready, reloading, stopping, and a watchdog fed only by work that gets done.

The protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names; without it nothing is sent. Imported by
`running.py`.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger()

Alive = Callable[[], "Deferred[Any]"]
"""Fires when the service has just got something done."""


class Supervisor:
    """The service manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """NOTIFY_SOCKET and WATCHDOG_USEC, as systemd sets them; a watchdog meant for another process is not ours."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        period_us = environment.get("WATCHDOG_USEC", "")
        is_ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(period_us) / 1e6 if period_us.isdigit() and is_ours else 0.0
        self._feeding: LoopingCall | None = None
        self._asked = False

    def ready(self, words: str) -> None:
        """The service is at work; the words are shown by `systemctl status`."""
        self._tell(f"READY=1\nSTATUS={words}")

    def reloading(self) -> None:
        """The service begins to take in another configuration; `ready` says when it has, or goes on with the old."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The service ends its work."""
        if self._feeding is not None and self._feeding.running:
            self._feeding.stop()
        self._tell("STOPPING=1")

    def watch(self, reactor: Any, alive: Alive) -> None:
        """Feed the watchdog twice in its period, each time only after `alive` has fired; then it is asked again."""
        if not self.watchdog_s or not self._address:
            return
        self._feeding = LoopingCall(self._ask, alive)
        self._feeding.clock = reactor
        self._feeding.start(self.watchdog_s / 2)

    def _ask(self, alive: Alive) -> None:
        if self._asked:
            return  # the last question is still open: no food
        self._asked = True
        maybeDeferred(alive).addCallbacks(lambda _: self._tell("WATCHDOG=1"), self._failed).addBoth(self._answered)

    def _failed(self, failure: Failure) -> None:
        _log.error("the watchdog is not fed: {error}", error=failure.value)

    def _answered(self, _result: object) -> None:
        self._asked = False

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
                sending.sendto(text.encode(), address)
        except OSError as error:
            _log.warn("the service manager at {address} was not told: {error}", address=self._address, error=error)
