"""The money dashboards: amounts are exact in InfluxDB, divided for the eye only, and never of two currencies."""

from deploy.grafana.money import Shown, money, one_meter


def test_amounts_are_divided_for_the_eye_only() -> None:
    shown = Shown()
    assert (shown.unit, shown.decimals) == ("prefix:¥ ", 2)
    assert shown.amount("sum(x)", negative=True) == "sum(x) / -100"


def test_no_query_about_entries_mixes_currencies() -> None:
    for dashboard in (money(Shown()), one_meter(Shown())):
        queries = [target["query"] for panel in dashboard["panels"] for target in panel["targets"]]
        about_entries = [query for query in queries if "purse_entry" in query]
        assert len(about_entries) > 5
        assert all("\"currency\" = '$currency'" in query for query in about_entries)
