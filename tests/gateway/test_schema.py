"""The JSON Schema of gateway.toml: every key explained, with its unit; it allows and forbids what the model does."""

from typing import Any

from gateway.config import GatewayConfig
from gateway.schema import UNITS, gateway_schema


def keys() -> dict[tuple[str, str], dict[str, Any]]:
    """Every key of every table, by the table's title."""
    schema = gateway_schema()
    tables = [schema, *schema["$defs"].values()]
    return {(table["title"], name): key for table in tables for name, key in table["properties"].items()}


def test_every_key_has_words_for_a_person() -> None:
    found = keys()
    assert len(found) > 25
    silent = [name for name, key in found.items() if "description" not in key and "Section" not in str(key)]
    assert silent == []


def test_a_unit_in_a_name_is_spelled_out() -> None:
    for (_table, name), key in keys().items():
        for ending, unit in UNITS.items():
            assert name.endswith(ending) == key.get("description", "").endswith(f"In {unit}."), name


def test_limits_and_unknown_keys_are_in_it() -> None:
    concurrency = keys()["CollectionSection", "concurrency"]
    assert (concurrency["minimum"], concurrency["maximum"], concurrency["default"]) == (1, 2000, 50)
    schema = gateway_schema()
    assert all(table["additionalProperties"] is False for table in (schema, *schema["$defs"].values()))
    assert set(schema["properties"]) == set(GatewayConfig.model_fields)
