"""The household file: amounts are exact, mistakes are named by line, and the example is good."""

from pathlib import Path

import pytest

from deploy.configuration import ConfigurationError, load
from deploy.household import Household
from dlms_objects.classes.fee_item_class import PARAMETERS
from dlms_objects.classes.parameters_codec import parameters_from_data
from dlms_objects.classes.purse_class import SETTINGS
from dlms_objects.classes.shape import from_plain
from dlms_objects.errors import InvalidValueError
from tests.support.sources import ROOT

EXAMPLE = ROOT / "deploy" / "examples" / "household.toml"
HEAD = '[household]\nname = "h"\ncurrency = { code = "CNY", scale = -2 }\n'
ITEM = '[[fee_item]]\nnumber = 1\nkind = "rent"\nlabel = "Rent"\namount_source = "fixed"\namount = "1.00"\n'
SCHEDULE = 'schedule = { frequency = "monthly", day = 1, time = 00:00:00, first = 2026-01-01 }\n'


def loaded(tmp_path: Path, text: str) -> Household:
    path = tmp_path / "household.toml"
    path.write_text(text)
    return load(path, Household)


def test_the_example_is_valid_parameters_and_settings() -> None:
    household = load(EXAMPLE, Household)
    assert len(household.fee_item) == 5
    for item in household.fee_item:
        parameters_from_data(from_plain(PARAMETERS, household.parameters_plain(item)))
    from_plain(SETTINGS, household.settings_plain())


def test_every_amount_source_of_the_method_is_in_the_example() -> None:
    household = load(EXAMPLE, Household)
    assert {item.amount_source for item in household.fee_item} == {"fixed", "cloud", "manual", "metered"}


def test_amounts_are_exact_to_the_minor_unit(tmp_path: Path) -> None:
    household = loaded(tmp_path, HEAD + ITEM.replace("1.00", "90071992547409.93") + SCHEDULE)
    assert household.parameters_plain(household.fee_item[0])["amount"] == 9_007_199_254_740_993


def test_an_amount_finer_than_the_currency_is_refused(tmp_path: Path) -> None:
    household = loaded(tmp_path, HEAD + ITEM.replace("1.00", "1.005") + SCHEDULE)
    with pytest.raises(InvalidValueError, match="more than the 2 decimals"):
        household.parameters_plain(household.fee_item[0])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + ITEM.replace('"rent"', '"rant"') + SCHEDULE, 6, "one of other, rent"),
        (HEAD + ITEM.replace('"1.00"', "1.00") + SCHEDULE, 9, "valid string"),
        (HEAD + ITEM.replace("number = 1", "number = 33") + SCHEDULE, 5, "less than or equal to 32"),
        (HEAD + ITEM + SCHEDULE.replace("monthly", "hourly"), 10, "frequency"),
        (HEAD + ITEM, 4, "schedule: missing"),
        (HEAD + ITEM + SCHEDULE + 'unit_price = { price = 1, scaler = 0, register = "1.2" }\n', 11, "logical name"),
        (HEAD + "[setings]\n", 4, "did you mean 'settings'"),
    ],
)
def test_a_mistake_is_named_by_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        loaded(tmp_path, text)
    (problem,) = refusal.value.problems
    assert (problem.line, words in problem.message) == (line, True), str(problem)
