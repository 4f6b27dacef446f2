"""Sessions over loopback TCP through Twisted, a new connection each: CPU of the client's process alone.

`python -m tests.bench.tcp_sessions [--sessions N]`: the server, our engine with prepared answers, is a process of its
own on the other processor. A session: connect, associate (HLS 5 GMAC), read a register and 100 journal rows, release.
"""

import argparse
import os
import subprocess
import sys
from time import process_time, time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import Factory, Protocol

from dlms_objects.transport.client import open_session
from dlms_objects.wire import axdr
from tests.bench.sessions import PAGE, PLAN, VALUE, OurClient, OurMeter
from tests.support.associations import JOURNAL, REGISTER

CLIENT_CPU, SERVER_CPU = 0, 1


class _Served(Protocol):
    def __init__(self, serve: Any) -> None:
        self._serve = serve

    def dataReceived(self, octets: bytes) -> None:
        self.transport.write(self._serve(octets))  # type: ignore[union-attr]


class _Meter(Factory):
    noisy = False

    def __init__(self) -> None:
        self._meter = OurMeter()

    def buildProtocol(self, _addr: Any) -> _Served:
        return _Served(self._meter.connection())


def serve() -> None:
    """Listen on a port of the system's choice, which is told on stdout, until the process is ended."""
    reactor = EPollReactor()

    def told(port: Any) -> None:
        sys.stdout.write(f"{port.getHost().port}\n")
        sys.stdout.flush()

    TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(_Meter()).addCallback(told)
    reactor.run(installSignalHandlers=False)


def run(port: int, sessions: int) -> tuple[float, float]:
    """CPU and wall seconds of so many sessions, one after the other."""
    reactor, spent = EPollReactor(), []
    parameters = OurClient(b"BENTCP01").parameters

    async def work() -> None:
        for number in range(sessions + 20):
            if number == 20:
                spent.extend((process_time(), time()))
            session = await open_session(reactor, f"tcp:127.0.0.1:{port}", parameters)
            value = axdr.decode(await session.get(REGISTER)).value
            rows = PLAN.decode(await session.get(JOURNAL))
            await session.release()
            assert (value, len(rows)) == (VALUE, len(PLAN.decode(PAGE)))
        spent[:] = [process_time() - spent[0], time() - spent[1]]

    def end(result: Any) -> None:
        spent.append(result)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work()).addBoth(end))
    reactor.run(installSignalHandlers=False)
    cpu_s, wall_s, failure = spent
    if failure is not None:
        failure.raiseException()
    return cpu_s, wall_s


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=3000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.serve:
        os.sched_setaffinity(0, {SERVER_CPU % (os.cpu_count() or 1)})
        serve()
        return 0
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.tcp_sessions", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        os.sched_setaffinity(0, {CLIENT_CPU})
        cpu_s, wall_s = run(port, told.sessions)
    finally:
        server.terminate()
        server.wait()
    sys.stdout.write(
        f"{told.sessions} sessions over TCP, a connection each: {told.sessions / cpu_s:,.0f} for each second of client"
        f" CPU ({1e6 * cpu_s / told.sessions:.0f} us each), {told.sessions / wall_s:,.0f} for each second that passed\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
