"""The dashboards about the machinery show only what is reported: every field they name is written somewhere."""

import re

from deploy.grafana.fleet import delivery, fleet, gateway
from tests.support.sources import ROOT

WRITTEN = (
    "".join(
        (ROOT / name).read_text() for name in ("headend/measurements.py", "headend/influx/sink.py", "gateway/status.py")
    )
    + (ROOT / "gateway" / "service.py").read_text()
)


def test_every_field_and_tag_that_is_shown_is_written() -> None:
    named = set()
    for dashboard in (fleet(), gateway(), delivery()):
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                query = re.sub(r'AS "[^"]+"|"(n|last|growth)"', "", target["query"])
                named |= set(re.findall(r'"(\w+)"', query))
    assert len(named) > 20
    assert {name for name in named if not re.search(rf"\b{name}\b", WRITTEN)} == set()
