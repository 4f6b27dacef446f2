"""The JSON of commands: progress counts, and what a top-up says of the meter's answer."""

from headend.api.command_models import Bulk
from headend.commands import State


def test_progress_says_how_many_are_open() -> None:
    states = {State.QUEUED: 2, State.SENT: 1, State.CONFIRMED: 4, State.EXPIRED: 1}
    bulk = Bulk.of("0" * 32, states)
    assert (bulk.total, bulk.open) == (8, 3)
    assert Bulk.of("0" * 32, {}).open == 0
