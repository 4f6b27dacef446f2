"""The collection of metered consumption: from the registers' readings to the amount of an occurrence.

The sums are in `metering`; this decides when a reading is taken and at which price. Called by `check` and `deduction`.
"""

from dataclasses import replace

from dlms_objects.purse.draft import Draft
from dlms_objects.purse.fee_item import AmountSource, FeeItem, Occurrence, PendingAmount, UnitPrice
from dlms_objects.purse.metering import Metering, Registers
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.money import MAXIMUM_MINOR


def set_base(draft: Draft, item: FeeItem, registers: Registers) -> None:
    """Begin, go on under another price, or pause the metering of an item, as its parameters now ask.

    Consumption up to now is carried at the price that held for it; while an item is disabled or not metered none is
    counted.
    """
    metering, price = item.metering, _price_in_force(item)
    if metering is None:
        if price is not None:
            draft.put(replace(item, metering=Metering(unit_price=price, reading=registers.get(price.register))))
        return
    if metering.reading is not None:
        if metering.unit_price == price:
            return
        metering = _advance(draft, item, metering, registers.get(metering.unit_price.register, metering.reading))
    if price is None:
        metering = replace(metering, reading=None)
    else:
        metering = replace(metering, unit_price=price, reading=registers.get(price.register))
    draft.put(replace(item, metering=metering))


def collect(draft: Draft, item: FeeItem, occurrence: Occurrence, registers: Registers) -> FeeItem:
    """The item with the amount of a metered occurrence found, which then stands however long it has to wait."""
    metering, day = item.metering, occurrence.due.date()
    if occurrence.parameters.amount_source is not AmountSource.METERED or item.pending_on(day) is not None:
        return item
    if metering is None or (metering.reading is None and _price_in_force(item) is not None):
        return item
    if metering.reading is not None:
        reading = registers.get(metering.unit_price.register)
        if reading is None:
            return item
        metering = _advance(draft, item, metering, reading)
    amount, metering = metering.collected()
    pending = PendingAmount(due=day, amount=amount, source=AmountSource.METERED)
    return replace(item.with_pending(pending), metering=metering)


def _advance(draft: Draft, item: FeeItem, metering: Metering, reading: int) -> Metering:
    if metering.rolled_back(reading):
        draft.note(EventCode.REGISTER_ROLL_BACK, fee_item=item.number, value=min(reading, MAXIMUM_MINOR))
    return metering.advanced(reading)


def _price_in_force(item: FeeItem) -> UnitPrice | None:
    """The price at which consumption counts now; None when the item is disabled or not metered."""
    parameters = item.parameters
    if parameters is None or not parameters.enabled or parameters.amount_source is not AmountSource.METERED:
        return None
    return parameters.unit_price
