"""`meterpurse gateway doctor` as an operator sees it: lines or JSON, and exit code 1 when something is wrong."""

import json
from pathlib import Path

from deploy.gateway_doctor import lines_of
from gateway.doctor.findings import Findings, Step
from tests.deploy.commands.test_gateway import ready_made
from tests.support.command_line import call, invoke


def test_a_failed_step_is_told_with_cause_and_remedy() -> None:
    found = Findings("flat-1")
    found.ok(Step.NAME, "m is 10.0.0.7")
    found.failed(Step.PORT, "m:4059 refuses", "it is off", "Switch it on.")
    assert [lines_of(finding) for finding in found.found] == [
        "  ok      name resolves       m is 10.0.0.7",
        "  failed  port opens          m:4059 refuses\n"
        "          likely cause: it is off\n"
        "          what to do:   Switch it on.",
    ]


def test_what_is_wrong_ends_in_exit_code_1(tmp_path: Path) -> None:
    folder = ready_made(tmp_path)
    text = invoke("gateway", "doctor", folder)
    assert text.code == 1
    assert "flat-1\n" in text.out
    assert "likely cause: " in text.out
    shown = invoke("gateway", "doctor", folder, "flat-1", "--json")
    document = json.loads(shown.out)
    assert (shown.code, document["well"]) == (1, False)
    assert {"configuration", "port opens", "head-end reachable", "disk"} <= {
        finding["step"] for finding in document["findings"]
    }


def test_a_meter_that_is_not_configured_is_one_line_with_the_one_meant(tmp_path: Path) -> None:
    refused = call("gateway", "doctor", ready_made(tmp_path), "flat1")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "there is no meter 'flat1' in gateway.toml; did you mean 'flat-1'?\n"
