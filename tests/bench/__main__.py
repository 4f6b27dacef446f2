"""`make bench`: what one session costs beside gurux-dlms on the same octets, and what share of the limit that is.

CPU time in this process, cases interleaved. Ends with 1 when the client is not LEAST_TIMES_GURUX times gurux-dlms's,
or when any peer reads other values than the rest.
"""

import platform
import statistics
import sys
from importlib.metadata import version

from deploy.demo.influxdb import is_installed
from tests.bench import hdlc_frames, meter_checks, pages, peers, points, purse_checks
from tests.bench.rounds import Measured, measure, quiet
from tests.bench.sessions import CLIENTS, GURUX, GURUX_OPENSSL, LEAN, OURS, Disagreement, check_agreement, session_case

ROUNDS = 9
LEAST_TIMES_GURUX = 50
REFERENCE_LEAN_CLIENT_US = 109.0
"""The lean client of the project's peer study: 100 rows of 51 octets with their times made into datetime."""
LEAN_PAIR = "lean client and server"
Results = dict[str, list[Measured]]


def main() -> int:
    """Measure and print; the exit code."""
    others = ", ".join(f"{name} {version(name)}" for name in ("gurux-dlms", "dlms-cosem", "cryptography"))
    show(
        f"Python {platform.python_version()}, {others}; CPU time in one process, medians of {ROUNDS} interleaved rounds"
    )
    try:
        with quiet():
            check_agreement()
            decoding = {count: pages.page_cases(count) for count in (100, 1000)}
            chain, checks = pages.chain_cases(100), purse_checks.check_cases()
            beside, hdlc = peers.peer_cases(), hdlc_frames.frame_cases()
    except Disagreement as error:
        show(f"not measured: {error}")
        return 1
    enough = sessions()
    other_peers(measure(beside, ROUNDS))
    microseconds("An HDLC frame of 128 octets made and read", measure(hdlc, ROUNDS), hdlc_frames.GURUX)
    for count, cases in decoding.items():
        microseconds(f"A page of {count} rows decoded", measure(cases, ROUNDS), pages.GURUX)
    microseconds("100 rows verified (numbers, digests, balances)", measure(chain, ROUNDS))
    microseconds("A check of the purse, without the store", measure(checks, ROUNDS))
    with meter_checks.meter_cases() as cases:
        microseconds("The same of a meter with its store in memory", measure(cases, ROUNDS))
    enough = points_to_influxdb() and enough
    return 0 if enough else 1


def points_to_influxdb() -> bool:
    """The sink beside raw posting; whether it reaches the share that is required. Not measured without the servers."""
    show("\nPoints per second into InfluxDB through nginx (wall time, other work of the machine included)\n")
    if not is_installed():
        show("not measured: influxd and nginx are not installed (Debian packages influxdb and nginx-light)")
        return True
    measured = points.throughput()
    for name, figures in (("sink, from the durable outbox", measured.sink), ("raw posting of the bytes", measured.raw)):
        show(f"{name:<36}{statistics.median(figures):>10,.0f} points/s")
    enough = measured.share >= points.LEAST_SHARE
    verdict = f"at least {points.LEAST_SHARE:.0%} required: {'reached' if enough else 'MISSED'}"
    show(f"{'share':<36}{measured.share:>10.0%} ({verdict})")
    return enough


def sessions() -> bool:
    """The session of every client with our server; whether ours is as much cheaper than gurux-dlms's as required."""
    cases = {name: session_case(name) for name in CLIENTS}
    results = measure(cases | {LEAN_PAIR: session_case(LEAN, LEAN)}, ROUNDS)
    client = {name: parts[0] for name, parts in results.items()}
    server = {name: parts[1] for name, parts in results.items()}
    show(
        "\nOne session: associate (HLS 5 GMAC, authenticated + encrypted), read a register, read and decode 100 journal"
    )
    show("rows of 98 octets, release. Every client reads the same octets from the same server, ours.\n")
    show(f"{'client':<24}{'CPU us':>10}{'times ours':>14}")
    for name in (OURS, LEAN, GURUX_OPENSSL, GURUX):
        show(f"{name:<24}{client[name].median_us:>10.1f}{client[name].times(client[OURS]):>14.2f}")
    show(f"\n{'server (own client)':<24}{'CPU us':>10}{'times ours':>14}")
    for name, label in ((OURS, OURS), (LEAN_PAIR, LEAN)):
        show(f"{label:<24}{server[name].median_us:>10.1f}{server[name].times(server[OURS]):>14.2f}")
    ours, ours_server, lean_server = client[OURS], server[OURS], server[LEAN_PAIR]
    ratio = client[GURUX].times(ours)
    enough = ratio >= LEAST_TIMES_GURUX
    verdict = f"at least {LEAST_TIMES_GURUX} required: {'reached' if enough else 'MISSED'}"
    show(f"\n{ratio:.0f} times cheaper than gurux-dlms's client as shipped ({verdict}),")
    show(f"{client[GURUX_OPENSSL].times(ours):.0f} times cheaper than it is with OpenSSL swapped in.")
    show("Share of the limit in Python that is reached:")
    share(f"client, {LEAN} on the same octets", client[LEAN].times(ours), ours.times(client[LEAN]))
    share(f"client, {LEAN} with the {LEAN} server", client[LEAN_PAIR].times(ours), ours.times(client[LEAN_PAIR]))
    reference = ours.median_us / REFERENCE_LEAN_CLIENT_US
    share(f"client, the reference figure of {REFERENCE_LEAN_CLIENT_US:.0f} us", 1 / reference, reference)
    share(f"server, {LEAN}", lean_server.times(ours_server), ours_server.times(lean_server))
    return enough


def other_peers(results: Results) -> None:
    """The session once more: dlms-cosem's client beside ours, gurux's repaired server beside ours."""
    (ours, ours_server), (cosem, _), (_, gurux_server) = (
        results[name] for name in (peers.OURS, peers.DLMS_COSEM, peers.GURUX_SERVER)
    )
    show(f"\n{peers.DLMS_COSEM:<36}{cosem.median_us:>10.1f} us{cosem.times(ours):>10.1f} x our client")
    times = gurux_server.times(ours_server)
    show(f"{peers.GURUX_SERVER:<36}{gurux_server.median_us:>10.1f} us{times:>10.1f} x our server")


def share(name: str, reached: float, ratio: float) -> None:
    """How near to a limit we are, and how many times its cost that is."""
    show(f"  {name:<46}{reached:>5.0%}{ratio:>8.2f} x")


def microseconds(title: str, results: Results, peer: str | None = None) -> None:
    """A table of cases, and how many times cheaper each is than the peer."""
    show(f"\n{title}\n")
    for name, (part,) in sorted(results.items(), key=lambda item: item[1][0].median_us):
        times = f"{results[peer][0].times(part):>10.1f} x {peer}" if peer not in (None, name) else ""
        show(f"{name:<36}{part.median_us:>10.1f} us{times}")


def show(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
