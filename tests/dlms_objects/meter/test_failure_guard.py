"""Who fails too often is kept out for a while; nobody else is, nor a client that proved itself, wherever it is."""

from dlms_objects.meter.failure_guard import FAILURES, REFILL_S, FailureGuard
from dlms_objects.meter.peer_limit import PEERS


def fail(guard, host, count, now_s=0.0):
    for _ in range(count):
        guard.failed(host, now_s)


def test_the_first_failures_keep_nobody_out_one_more_does_until_time_has_passed():
    guard = FailureGuard()
    fail(guard, "a", FAILURES - 1)
    assert not guard.refuses("a", 0.0)
    fail(guard, "a", 1)
    assert [guard.refuses("a", now_s) for now_s in (0.0, REFILL_S - 0.1, REFILL_S)] == [True, True, False]


def test_one_hosts_failures_are_not_anothers():
    guard = FailureGuard()
    fail(guard, "a", 1000)
    assert [guard.refuses(host, 0.0) for host in ("a", "b")] == [True, False]


def test_a_host_with_a_proven_client_is_never_refused():
    guard = FailureGuard()
    guard.proved("gateway")
    fail(guard, "gateway", 1000)
    assert not guard.refuses("gateway", 0.0)


def test_proof_after_the_failures_helps_too():
    guard = FailureGuard()
    fail(guard, "gateway", 1000)
    guard.proved("gateway")
    assert not guard.refuses("gateway", 0.0)


def test_only_so_many_hosts_are_trusted_and_the_latest_stay():
    guard = FailureGuard()
    for number in range(PEERS):
        guard.proved(f"host {number}")
    guard.proved("host 0")
    guard.proved("one more")
    for host in ("host 0", "host 1", "one more"):
        fail(guard, host, FAILURES)
    assert [guard.refuses(host, 0.0) for host in ("host 0", "host 1", "one more")] == [False, True, False]
