"""`meterpurse gateway doctor`: runs an examination under the reactor and shows the findings as they come.

Imported by the command when it is called.
"""

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from deploy.asking import run_once
from deploy.gateway_files import load_gateway
from dlms_objects.errors import InvalidValueError
from dlms_objects.program_folder import did_you_mean
from gateway.config import GatewayConfig
from gateway.doctor.examination import examine
from gateway.doctor.findings import Finding, Findings, Outcome, Step
from gateway.setup import CONFIG_NAME

_WIDTH = 20


def examine_folder(folder: Path, names: Collection[str], *, as_json: bool) -> bool:
    """Examine a gateway's meters (all, or those named) and its head-end; whether all is well.

    ConfigurationError when the configuration itself is wrong; InvalidValueError for a name that no meter has.
    """
    config = load_gateway(folder)
    _require_known(config, names)
    first = Findings("gateway")
    first.ok(Step.CONFIGURATION, f"{folder / CONFIG_NAME}: {len(config.meter)} meters")
    found = list(first.found)
    if not as_json:
        _show(first)

    async def examined(reactor: Any) -> None:
        async for findings in examine(reactor, folder, config, names):
            found.extend(findings.found)
            if not as_json:
                _show(findings)

    run_once(examined)
    is_well = all(finding.outcome is not Outcome.FAILED for finding in found)
    if as_json:
        document = {"well": is_well, "findings": [finding.document() for finding in found]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return is_well


def _require_known(config: GatewayConfig, names: Collection[str]) -> None:
    known = [meter.name for meter in config.meter]
    for name in names:
        if name not in known:
            raise InvalidValueError(f"there is no meter {name!r} in {CONFIG_NAME}{did_you_mean(name, known)}")


def _show(findings: Findings) -> None:
    sys.stdout.write(f"{findings.subject}\n" + "".join(f"{lines_of(finding)}\n" for finding in findings.found))
    sys.stdout.flush()


def lines_of(finding: Finding) -> str:
    """One finding for people: a line, and two more where it failed."""
    line = f"  {finding.outcome.value:<8}{finding.step.value:<{_WIDTH}}{finding.measured}"
    if finding.outcome is not Outcome.FAILED:
        return line
    indent = " " * 10
    return f"{line}\n{indent}likely cause: {finding.cause}\n{indent}what to do:   {finding.remedy}"
