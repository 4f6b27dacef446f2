"""What a doctor finds: one finding a step, in the order in which one thing stands on another.

Values only. Imported by the other modules here and by `deploy/`, which shows them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Step(StrEnum):
    """What is looked at, in this order; those from NAME to JOURNAL, and CLOCK, for each meter."""

    CONFIGURATION = "configuration"
    NAME = "name resolves"
    PORT = "port opens"
    LINK = "link"
    ASSOCIATION = "association"
    AUTHENTICATION = "authentication"
    COUNTER = "counter accepted"
    JOURNAL = "journal readable"
    CLOCK = "clock"
    HEADEND = "head-end reachable"
    TOKEN = "token accepted"
    DISK = "disk"


class Outcome(StrEnum):
    """How a step went; a step is skipped where it stands on one that failed, or does not apply."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One step: `subject` is the meter's name, or what else was looked at; `measured` is what was seen, in words.

    A failed step has a likely `cause` and a `remedy`, one sentence each.
    """

    subject: str
    step: Step
    outcome: Outcome
    measured: str
    cause: str = ""
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "subject": self.subject,
            "step": self.step.value,
            "outcome": self.outcome.value,
            "measured": self.measured,
            "cause": self.cause,
            "remedy": self.remedy,
        }


class Findings:
    """The findings on one subject, as they come."""

    def __init__(self, subject: str) -> None:
        """Nothing is found yet."""
        self.subject = subject
        self.found: list[Finding] = []

    def ok(self, step: Step, measured: str) -> None:
        """A step that went well."""
        self._add(step, Outcome.OK, measured)

    def failed(self, step: Step, measured: str, cause: str, remedy: str) -> None:
        """A step that did not."""
        self._add(step, Outcome.FAILED, measured, cause, remedy)

    def skipped(self, step: Step, why: str) -> None:
        """A step that was not taken."""
        self._add(step, Outcome.SKIPPED, why)

    def skip_rest(self, steps: tuple[Step, ...]) -> None:
        """Skip those of the steps on which nothing was found, because an earlier one failed."""
        seen = {finding.step for finding in self.found}
        failed = next((finding.step for finding in self.found if finding.outcome is Outcome.FAILED), None)
        for step in steps:
            if step not in seen:
                self.skipped(step, "does not apply" if failed is None else f"needs: {failed.value}")

    def _add(self, step: Step, outcome: Outcome, measured: str, cause: str = "", remedy: str = "") -> None:
        self.found.append(
            Finding(subject=self.subject, step=step, outcome=outcome, measured=measured, cause=cause, remedy=remedy)
        )
