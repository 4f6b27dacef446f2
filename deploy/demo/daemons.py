"""One of our daemons as a child process: start, wait for its `ready` line, stop, kill, start again."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from dlms_objects.errors import MeterPurseError

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


class DaemonError(MeterPurseError):
    """A daemon did not become ready, or did not stop; the text holds the end of its log."""


class Daemon:
    """`meterpurse <arguments>` as a process; its log is appended to a file, its `ready` line is awaited."""

    def __init__(self, name: str, arguments: list[str], log: Path, *, module: str = "deploy") -> None:
        """`module` is what `python -m` runs; tests put a faulty one there."""
        self.name = name
        self.log = log
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it and wait until it is ready; the words after `ready`. DaemonError when it ends or takes too long."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log, text=True)
        deadline = time.monotonic() + READY_TIMEOUT_S
        line = self._first_line(deadline)
        if not line.startswith("ready"):
            self.kill()
            raise DaemonError(f"{self.name} did not become ready: {self._last_words()}")
        return line.removeprefix("ready").strip()

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and wait; it is killed when it takes too long."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DaemonError(f"{self.name} did not stop: {self._last_words()}") from None
        self._end()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._end()

    def restart(self) -> str:
        """Start it again after a stop or a kill."""
        return self.start()

    @property
    def process_id(self) -> int | None:
        """The process id while it runs."""
        return None if self._process is None else self._process.pid

    def _first_line(self, deadline: float) -> str:
        process = self._process
        if process is None or process.stdout is None:
            return ""
        octets = b""
        descriptor = process.stdout.fileno()
        while not octets.endswith(b"\n") and (left := deadline - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                read = os.read(descriptor, 1024)
                if not read:
                    break
                octets += read
        return octets.decode(errors="replace")

    def _end(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"
