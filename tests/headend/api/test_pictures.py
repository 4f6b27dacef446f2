"""The routes of series and pictures."""

from pathlib import Path

import httpx
import pytest

from headend.database import Database
from headend.ingest import ingest
from tests.support.headend_books import TITLE, usual_journal

BASE = f"/api/v1/purses/{TITLE}"


@pytest.fixture
def filled(database: Database, reader: httpx.Client) -> httpx.Client:
    database.write_now(lambda connection: ingest(connection, [usual_journal().batch()]))
    return reader


def test_the_series_of_a_month(filled: httpx.Client) -> None:
    series = filled.get(BASE + "/series/2026-01").json()
    assert series["days"] == [{"day": "2026-01-01", "balance": {"minor": 149_994, "text": "1499.94"}}]
    assert [share["amount"]["minor"] for share in series["shares"]] == [350_000, 0]


@pytest.mark.parametrize("name", ["balance", "shares"])
def test_a_picture_is_svg_in_the_language_asked_for(filled: httpx.Client, name: str, tmp_path: Path) -> None:
    answer = filled.get(f"{BASE}/pictures/2026-01/{name}.svg?language=en")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "January 2026" in answer.text
    assert "2026年1月" in filled.get(f"{BASE}/pictures/2026-01/{name}.svg").text


def test_what_is_not_there_is_refused(reader: httpx.Client) -> None:
    assert reader.get("/api/v1/purses/4D505200000000FF/series/2026-01").status_code == 404
    assert reader.get(BASE + "/series/2026-13").status_code == 422
    assert reader.get(BASE + "/pictures/2026-01/pie.svg").status_code == 422
