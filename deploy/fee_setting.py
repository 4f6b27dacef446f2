"""Writing the fee items of a household file to a meter. Imported by `dlms fee-set` and the demo."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from deploy.household import Household
from deploy.purse_client import PurseClient
from dlms_objects.errors import InvalidValueError
from dlms_objects.values.civil import time_zone


async def write_fee_items(
    client: PurseClient,
    household: Household,
    *,
    numbers: Collection[int] | None = None,
    with_settings: bool = False,
    activate_at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Write the items (only `numbers` where given), after the settings when wanted; number and revision of each.

    `activate_at`: a civil date-time of the file's zone at which the parameters take force; None: at once.
    InvalidValueError when the file's currency is not the purse's, or a number is not in the file.
    """
    currency = await client.currency()
    if currency != household.currency:
        raise InvalidValueError(f"the household file is in {household.currency.code}, the purse in {currency.code}")
    items = [item for item in household.fee_item if not numbers or item.number in numbers]
    missing = set(numbers or ()) - {item.number for item in items}
    if missing:
        raise InvalidValueError(f"the household file has no fee item {', '.join(map(str, sorted(missing)))}")
    if with_settings:
        await client.set_settings(household.settings_plain())
    written = []
    for item in items:
        parameters = household.parameters_plain(item)
        if activate_at is None:
            revision = await client.set_parameters(item.number, parameters)
        else:
            moment = activate_at.replace(tzinfo=time_zone(household.settings.time_zone))
            await client.set_passive_parameters(item.number, parameters, moment)
            revision = (await client.fee_item(item.number))["revision"]
        written.append({"number": item.number, "label": item.label, "revision": revision})
    return written
