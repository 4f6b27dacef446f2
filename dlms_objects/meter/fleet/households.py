"""Seeded households: what fees a meter of the fleet has, what it consumes and what was paid in, the same for one seed.

Everything is put into the purse by its own rules; a household is no more than what residents and landlords would enter.
Imported by `setup` and `hosted_meter`.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from dlms_objects.classes.catalogue import ACTIVE_ENERGY_IMPORT
from dlms_objects.classes.standard import REGISTER
from dlms_objects.meter.consumption import SeededConsumption
from dlms_objects.purse import operations
from dlms_objects.purse.fee_item import AmountSource, Frequency, Parameters, RegisterReference, Schedule, UnitPrice
from dlms_objects.purse.parameters import FeeKind
from dlms_objects.purse.state import Change, Journal, PurseState

ENERGY = RegisterReference(REGISTER.class_id, ACTIVE_ENERGY_IMPORT, 2)
PAID_IN_EVERY = timedelta(hours=6)
_HALF_PAST_MIDNIGHT = time(0, 30)


class Household:
    """The household of one meter; `seed` and `number` fix everything about it."""

    def __init__(self, seed: int, number: int) -> None:
        """Nothing is drawn yet."""
        self._seed = f"{seed}/{number}"

    def consumption(self) -> SeededConsumption:
        """What it draws from the mains."""
        dice = self._dice("consumption")
        return SeededConsumption(seed=dice.randrange(10**6), kwh_per_year=dice.randrange(1_200, 4_800, 100))

    def fees(self, since: date) -> Iterator[tuple[int, Parameters]]:
        """Its fee items by number, falling due from `since` on: three to seven, in two of three homes a daily one."""
        dice = self._dice("fees")
        rent, price = dice.randrange(180_000, 600_000, 10_000), dice.randrange(5_000, 6_200)
        yield 1, self._monthly(dice, since, FeeKind.RENT, "房租 rent", "landlord", rent)
        management = dice.randrange(8_000, 45_000, 500)
        yield 2, self._monthly(dice, since, FeeKind.PROPERTY_MANAGEMENT, "物业费 management", "property", management)
        yield (
            3,
            Parameters(
                kind=FeeKind.ELECTRICITY,
                label="电费 electricity",
                payee="state-grid",
                priority=1,
                amount_source=AmountSource.METERED,
                unit_price=UnitPrice(price=price, scaler=-5, register=ENERGY),
                schedule=Schedule(frequency=Frequency.MONTHLY, day=-1, time=time(22), first=since),
            ),
        )
        if dice.random() < 2 / 3:
            daily = Schedule(frequency=Frequency.DAILY, time=_time(dice), first=since)
            parking = dice.randrange(300, 2_000, 50)
            yield (
                4,
                Parameters(kind=FeeKind.PARKING, label="停车 parking", payee="garage", amount=parking, schedule=daily),
            )
        if dice.random() < 1 / 2:
            weekly = Schedule(frequency=Frequency.WEEKLY, day=dice.randint(1, 7), time=_time(dice), first=since)
            yield 5, Parameters(kind=FeeKind.INTERNET, label="宽带 internet", payee="net", amount=990, schedule=weekly)
        for number, kind, label, source in (
            (6, FeeKind.WATER, "水费 water", AmountSource.CLOUD),
            (7, FeeKind.GAS, "燃气 gas", AmountSource.MANUAL),
        ):
            if dice.random() < 1 / 3:
                billed = Schedule(frequency=Frequency.MONTHLY, day=dice.randint(1, 28), time=_time(dice), first=since)
                yield (
                    number,
                    Parameters(
                        kind=kind,
                        label=label,
                        payee=label.split()[1],
                        priority=2,
                        amount_source=source,
                        schedule=billed,
                    ),
                )

    def live_until(self, state: PurseState, journal: Journal, now: datetime, top_ups: int) -> Change:
        """The purse after the fees were entered and `top_ups` amounts were paid in, the last at the instant `now`.

        One change that holds all of them, to be stored at once.
        """
        dice = self._dice("top-ups")
        first = now - PAID_IN_EVERY * max(0, top_ups - 1)
        changes = []
        for number, parameters in self.fees(now.date()):
            changes.append(operations.set_parameters(state, first, number, parameters))
            state = changes[-1].state
        for index in range(top_ups):
            identifier, amount = dice.randbytes(16), dice.randrange(5_000, 50_000, 100)
            changes.append(operations.top_up(state, journal, first + PAID_IN_EVERY * index, identifier, amount))
            state = changes[-1].state
        return Change(
            state=state,
            entries=tuple(entry for change in changes for entry in change.entries),
            events=tuple(event for change in changes for event in change.events),
            used_ids=tuple(used for change in changes for used in change.used_ids),
            sequence=state.head.sequence,
            balance=state.balance,
        )

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self._seed}/{what}")

    @staticmethod
    def _monthly(  # noqa: PLR0913 - the terms of a fee
        dice: random.Random, since: date, kind: FeeKind, label: str, payee: str, amount: int
    ) -> Parameters:
        schedule = Schedule(frequency=Frequency.MONTHLY, day=dice.randint(1, 28), time=_HALF_PAST_MIDNIGHT, first=since)
        return Parameters(kind=kind, label=label, payee=payee, amount=amount, schedule=schedule)


def _time(dice: random.Random) -> time:
    return time(dice.randrange(24), dice.randrange(60))
