"""The alert rules: each asks, reduces, compares, and says in words what is wrong."""

from deploy.grafana.alerts import RULES, rules_document
from tests.support import grafana


def test_the_rules_have_what_grafana_needs() -> None:
    rules = grafana.RULES.validate_python(rules_document())
    for rule in rules.groups[0].rules:
        assert [step.refId for step in rule.steps] == ["A", "B", "C"]
        assert rule.steps[1].model["expression"] == "A"
        assert rule.steps[2].model["expression"] == "B"
        assert "$" not in rule.annotations["summary"]


def test_what_the_issue_names_has_a_rule() -> None:
    titles = {rule.title for rule in RULES}
    assert {"Outbox growing", "Meter silent", "Chain conflict", "Notice failures", "Balance shortfall wave"} <= titles


def test_silence_is_an_alert_only_where_silence_is_the_trouble() -> None:
    assert [rule.uid for rule in RULES if rule.no_points != "OK"] == ["meterpurse-headend-silent"]
