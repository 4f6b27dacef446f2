"""The test runner of commands reports what commands do."""

from collections.abc import Callable

import pytest

from tests.support.command_line import Run, call, invoke, served


@pytest.mark.parametrize("way", [call, invoke])
def test_a_command_is_run_to_its_end(way: Callable[..., Run]) -> None:
    assert way("--version") == Run(code=0, out="meterpurse 0.1.0\n", err="")
    refused = way("no-such-command")
    assert (refused.code, refused.out) == (2, "")
    assert "No such command" in refused.err


def test_a_command_that_does_not_serve_is_no_service() -> None:
    with pytest.raises(AssertionError, match="not ready"), served("--version"):
        pytest.fail("never reached")
