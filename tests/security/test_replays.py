"""A ciphered APDU is accepted once: not at once again, not later, not after a restart, not after a crash.

The received counters lie in a real SQLite file, as in the meter and the gateway. A crash is the files as they are at
that moment, opened by a new process; what was not committed is gone with the old one.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from dlms_objects.transport.durable_counters import DurableCounters, DurableReceivedCounters, open_database
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite
from dlms_objects.wire.ciphered import GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING
from dlms_objects.wire.counters import Counters, MemorySentCounters
from dlms_objects.wire.policy import Protection, SecurityPolicy
from dlms_objects.wire.security import BoundContext, DecryptionError, SecurityContext
from tests.support.associations import GATEWAY, METER
from tests.support.contexts import GET, keys_of, sender, with_dedicated

CIPHERING = (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED)
GLOBAL_TAGS, DEDICATED_TAGS = (0xC8, GENERAL_GLO_CIPHERING), (0xD0, GENERAL_DED_CIPHERING)
MOMENTS = ("at once", "later", "after a restart", "after a crash")


class Form(NamedTuple):
    """One way to send an APDU."""

    suite: SecuritySuite
    protection: Protection
    tag: int

    @property
    def keys(self) -> CipherKeys:
        return keys_of(self.suite)

    @property
    def policy(self) -> SecurityPolicy:
        return SecurityPolicy.both_ways(self.protection)


FORMS = [Form(suite, protection, tag) for suite in SecuritySuite for protection in CIPHERING for tag in GLOBAL_TAGS]
DEDICATED_FORMS = [form._replace(tag=tag) for form in FORMS[::2] for tag in DEDICATED_TAGS]


class Machine:
    """A receiver whose process may end: what it knows lies in a file."""

    def __init__(self, folder: Path, form: Form) -> None:
        self._folder, self._form = folder, form
        self._numbers = count()
        self._path = folder / "counters.sqlite"
        self.connection = open_database(self._path)
        self.context = self._boot()

    def _boot(self) -> BoundContext:
        received = DurableCounters(self.connection).received("key")
        counters = Counters(sent=MemorySentCounters(), received=received)
        return SecurityContext(
            keys=self._form.keys, own_title=METER, counters=counters, policy=self._form.policy, is_server=True
        ).bound_to(GATEWAY)

    def restart(self) -> None:
        """End in order, and start again."""
        self.connection.close()
        self.connection = open_database(self._path)
        self.context = self._boot()

    def crash(self) -> None:
        """End at this very moment: the files are taken as they lie on the disk, locks and memory are gone."""
        image = self._folder / f"after-{next(self._numbers)}"
        image.mkdir()
        for name in ("counters.sqlite", "counters.sqlite-wal"):
            source = self._path.with_name(name)
            if source.exists():
                shutil.copy(source, image / name)
        self.connection.close()
        self._path = image / "counters.sqlite"
        self.connection = open_database(self._path)
        self.context = self._boot()


def accepted(context: BoundContext, apdu: bytes) -> bool:
    try:
        return context.unprotect(apdu) == GET
    except DecryptionError:
        return False


def check_replays(machine: Machine, apdus: Iterator[bytes]) -> dict[str, int]:
    """The law: each APDU passes once. How many replays were tried at each moment."""
    tried = dict.fromkeys(MOMENTS, 0)

    def refuse(moment: str, some: list[bytes]) -> None:
        for apdu in some:
            assert not accepted(machine.context, apdu), f"a replay was accepted {moment}"
        tried[moment] += len(some)

    earlier: list[bytes] = []
    for number, apdu in enumerate(apdus):
        assert accepted(machine.context, apdu)
        refuse("at once", [apdu])
        earlier.append(apdu)
        refuse("later", earlier)
        (machine.restart if number % 2 else machine.crash)()
        refuse("after a restart" if number % 2 else "after a crash", earlier)
    return tried


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_replay_is_refused_at_once_later_after_a_restart_and_after_a_crash(form: Form, tmp_path: Path) -> None:
    gateway = sender(form.policy, 0, keys=form.keys)
    tried = check_replays(Machine(tmp_path, form), (gateway.protect(form.tag, GET) for _ in range(6)))
    assert tried == {"at once": 6, "later": 21, "after a restart": 12, "after a crash": 9}


@pytest.mark.parametrize("form", DEDICATED_FORMS, ids=str)
def test_every_replay_under_a_dedicated_key_is_refused_and_the_key_ends_with_its_association(
    form: Form, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, form)
    gateway = with_dedicated(sender(form.policy, 0, keys=form.keys).bound_to(METER))
    apdus = [gateway.protect(form.tag, GET) for _ in range(6)]
    context = with_dedicated(machine.context)
    for apdu in apdus:
        assert accepted(context, apdu)
        assert not any(accepted(context, again) for again in apdus[: apdus.index(apdu) + 1])
    for end in (machine.restart, machine.crash):
        end()
        assert not any(accepted(machine.context, apdu) for apdu in apdus)
    following = with_dedicated(machine.context, b"\x77" * form.suite.key_octets)
    assert not any(accepted(following, apdu) for apdu in apdus)


AE = Form(SecuritySuite.SUITE_0, Protection.AUTHENTICATED_ENCRYPTED, 0xC8)


def stores_nothing(received: DurableReceivedCounters, title: SystemTitle, counter: int) -> None:
    received._highest[title.octets] = counter


def stores_the_one_before(received: DurableReceivedCounters, title: SystemTitle, counter: int) -> None:
    genuine(received, title, counter)
    with received._connection as connection:
        connection.execute("UPDATE received_counter SET highest = ?", (counter - 1,))


def commits_later(received: DurableReceivedCounters, title: SystemTitle, counter: int) -> None:
    if not received._connection.in_transaction:
        received._connection.execute("BEGIN")
    genuine(received, title, counter)


genuine = DurableReceivedCounters.accept


@pytest.mark.parametrize("fault", [stores_nothing, stores_the_one_before, commits_later])
def test_counters_that_are_not_durable_before_the_effect_are_found(
    fault: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DurableReceivedCounters, "accept", fault)
    gateway = sender(AE.policy, 0, keys=AE.keys)
    with pytest.raises(AssertionError, match="a replay was accepted after"):
        check_replays(Machine(tmp_path, AE), (gateway.protect(0xC8, GET) for _ in range(2)))


def test_a_counter_that_cannot_be_stored_lets_nothing_out(tmp_path: Path) -> None:
    machine = Machine(tmp_path, AE)
    apdu = sender(AE.policy, 0, keys=AE.keys).protect(0xC8, GET)
    machine.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.Error):
        machine.context.unprotect(apdu)
    machine.connection.execute("PRAGMA query_only = OFF")
    assert accepted(machine.context, apdu), "the refused frame changed nothing"
