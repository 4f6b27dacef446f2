"""The codes are those of the object model, by name and number."""

from dlms_objects.purse.outcome import EventCode, OutcomeCode

OUTCOMES = (
    "done, repeated, id used with other values, amount out of range, would exceed maximum balance, no such entry, "
    "already reversed, not reversible, journal full, storage failed"
)
EVENTS = (
    "1 power up, 2 clock set, 3 clock invalid, 10 low balance, 11 shortfall ahead, 12 insufficient, 13 settled, "
    "14 waiting amount, 20 parameters changed, 21 passive activated, 22 amount set, 30 association refused, "
    "31 decryption failed, 32 replay refused, 33 key changed, 40 journal full, 41 storage failed, 42 tamper, "
    "43 register roll back, 50 supply off, 51 supply on"
)


def test_outcomes_have_the_numbers_of_the_object_model() -> None:
    names = [name.replace(" ", "_").upper() for name in OUTCOMES.split(", ")]
    assert [(code.name, code.value) for code in OutcomeCode] == [(name, number) for number, name in enumerate(names)]


def test_events_have_the_numbers_of_the_object_model() -> None:
    rows = [row.split(" ", 1) for row in EVENTS.split(", ")]
    assert [(code.value, code.name) for code in EventCode] == [
        (int(number), name.replace(" ", "_").upper()) for number, name in rows
    ]
