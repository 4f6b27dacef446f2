"""Laws of findings: all are counted, so many are kept, each says where and what to do."""

from headend.verify.findings import KEPT, REMEDIES, Finding, Findings


def test_all_are_counted_and_the_first_are_kept() -> None:
    findings = Findings()
    for number in range(KEPT + 5):
        findings.add("chain", "broken", meter="M", sequence=number)
    assert (findings.total, len(findings.kept), findings.kept[-1].sequence) == (KEPT + 5, KEPT, KEPT - 1)


def test_a_finding_says_where_and_what_to_do() -> None:
    found = Finding(kind="chain", what="broken", meter="4D50520000000001", sequence=3)
    assert str(found) == f"chain: meter 4D50520000000001, entry 3, broken. To do: {REMEDIES['chain']}"
    assert found.document()["remedy"] == REMEDIES["chain"]
