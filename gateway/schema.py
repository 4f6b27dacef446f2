"""The JSON Schema of `gateway.toml`, made from the model: editors complete, explain and check while one types.

Units are the last words of the keys' names and are spelled out in the descriptions. Imported by `deploy/`.
"""

from typing import Any

from gateway.config import GatewayConfig

DRAFT = "https://json-schema.org/draft/2020-12/schema"

UNITS = {
    "_s": "seconds",
    "_rows": "rows",
    "_octets": "octets",
    "_wh": "watt-hours",
    "_minor": "minor units of the currency",
    "_pct": "percent",
}


def gateway_schema() -> dict[str, Any]:
    """The schema as a JSON document; every key has a description, with its unit where it has one."""
    schema = GatewayConfig.model_json_schema()
    for table in (schema, *schema.get("$defs", {}).values()):
        for name, key in table.get("properties", {}).items():
            key.pop("title", None)
            unit = next((word for ending, word in UNITS.items() if name.endswith(ending)), None)
            if unit is not None:
                key["description"] = f"{key.get('description', '')} In {unit}.".strip()
    return {"$schema": DRAFT, **schema, "title": "gateway.toml of MeterPurse"}
