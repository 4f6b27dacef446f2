"""The OpenAPI description is good enough to work from."""

from typing import Any

import httpx
import pytest

FORMS = {"application/json", "image/svg+xml", "application/octet-stream", "application/age", "text/plain", "text/csv"}


@pytest.fixture
def description(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/openapi.json").json()
    return answer


def operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in description["paths"].values() for operation in path.values()]


def test_every_route_is_described_and_every_answer_has_a_model(description: dict[str, Any]) -> None:
    found = operations(description)
    assert len(found) == 50
    for operation in found:
        assert operation["summary"]
        assert operation["description"]
        success = operation["responses"].get("200")
        forms = {} if success is None else success["content"]
        assert set(forms) <= FORMS
        assert "application/json" not in forms or "$ref" in forms["application/json"]["schema"]


def test_every_error_is_described_as_a_problem(description: dict[str, Any]) -> None:
    statuses = set()
    for operation in operations(description):
        for status, response in operation["responses"].items():
            if status >= "400":
                statuses.add(status)
                assert set(response["content"]) == {"application/problem+json"}
    assert statuses == {"400", "401", "403", "404", "409", "413", "415", "422", "429", "503"}


def test_every_field_of_money_and_identity_has_words_or_an_example(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for model in ("BatchSent", "MeterAnswer", "Purse", "Entry", "Reconciliation", "Notice"):
        assert schemas[model]["description"]
        for name, field in schemas[model]["properties"].items():
            told = {"description", "examples", "$ref", "items"} & set(field)
            assert told, f"{model}.{name} says nothing of itself"


def test_the_token_is_part_of_the_description(description: dict[str, Any]) -> None:
    assert description["components"]["securitySchemes"] == {
        "HTTPBearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that `headend init` wrote into a file, one that an admin made, or that of a "
            "session.",
        }
    }
    secured = [operation for operation in operations(description) if operation.get("security")]
    assert len(secured) == 46


def test_the_page_for_people_is_served(client: httpx.Client) -> None:
    assert client.get("/docs").status_code == 200
