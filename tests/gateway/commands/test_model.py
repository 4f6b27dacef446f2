"""gateway/commands/model.py: what is delivered is understood, or passed over alone."""

import json

import pytest

from gateway.commands.model import delivered
from gateway.exchange import AnswerError

GOOD = {"id": "0a" * 16, "system_title": "4D50520000000001", "kind": "read", "expires_at": "2026-01-01T00:00:00+08:00"}


def test_one_that_cannot_be_understood_does_not_hold_up_the_others() -> None:
    bad = [{**GOOD, "id": "x"}, {**GOOD, "expires_at": "2026-01-01T00:00:00"}, {**GOOD, "system_title": "1"}, 7]
    (command,) = delivered(json.dumps({"commands": [*bad, GOOD]}).encode())
    assert (command.identifier, command.priority, command.expires_at_s) == ("0a" * 16, 9, 1_767_196_800)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"commands": 1}', b"{}"])
def test_what_is_no_answer_is_an_answer_error(body: bytes) -> None:
    with pytest.raises(AnswerError):
        delivered(body)
