"""Writes Grafana's files: `python -m deploy.grafana.generate [DIR] [--sign ¥] [--minor-per-unit 100]`.

The shipped files are those of the defaults; a test holds them to this generator. Run it with another sign for another
currency.
"""

import argparse
import json
import sys
from pathlib import Path

from deploy.grafana.alerts import rules_document
from deploy.grafana.fleet import delivery, fleet, gateway
from deploy.grafana.money import Shown, money, one_meter
from deploy.grafana.panels import Json

HERE = Path(__file__).parent


def documents(shown: Shown) -> dict[str, Json]:
    """Every generated file by its path below deploy/grafana."""
    dashboards = (money(shown), one_meter(shown), fleet(), gateway(), delivery())
    made = {f"dashboards/{each['uid'].removeprefix('meterpurse-')}.json": each for each in dashboards}
    return {**made, "provisioning/alerting/meterpurse.json": rules_document()}


def text_of(document: Json) -> str:
    """The text of a file."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.generate", description="write Grafana's files")
    parser.add_argument("directory", type=Path, nargs="?", default=HERE)
    parser.add_argument("--sign", default=Shown().sign, help="the currency's sign")
    parser.add_argument("--minor-per-unit", type=int, default=Shown().minor_per_unit, choices=[1, 10, 100, 1000])
    told = parser.parse_args()
    for name, document in documents(Shown(sign=told.sign, minor_per_unit=told.minor_per_unit)).items():
        path = told.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(document), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
