"""Findings: as they come, and what stands on a failure is skipped."""

from gateway.doctor.findings import Findings, Outcome, Step


def test_steps_after_a_failure_say_what_they_need() -> None:
    found = Findings("flat-1")
    found.ok(Step.NAME, "it is there")
    found.failed(Step.PORT, "no", "it is off", "Switch it on.")
    found.skip_rest((Step.NAME, Step.PORT, Step.LINK))
    assert [(each.step, each.outcome, each.measured) for each in found.found] == [
        (Step.NAME, Outcome.OK, "it is there"),
        (Step.PORT, Outcome.FAILED, "no"),
        (Step.LINK, Outcome.SKIPPED, "needs: port opens"),
    ]


def test_steps_left_without_a_failure_do_not_apply() -> None:
    found = Findings("flat-1")
    found.skip_rest((Step.LINK,))
    assert found.found[0].measured == "does not apply"


def test_a_finding_is_plain_values_for_programs() -> None:
    found = Findings("flat-1")
    found.failed(Step.PORT, "no", "it is off", "Switch it on.")
    assert found.found[0].document() == {
        "subject": "flat-1",
        "step": "port opens",
        "outcome": "failed",
        "measured": "no",
        "cause": "it is off",
        "remedy": "Switch it on.",
    }
