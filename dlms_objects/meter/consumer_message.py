"""The consumer message: what the meter shows its household, in Chinese and English; empty when all is well."""

from collections.abc import Mapping
from datetime import datetime

from dlms_objects.purse.prompt import StatusFlag, status
from dlms_objects.purse.state import PurseState
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.money import Money


def consumer_message(state: PurseState, now: datetime, registers: Mapping[AttributeDescriptor, int]) -> str:
    """The prompt to top up: how much is missing and by when, or that the balance is low; at most one sentence each."""
    return " ".join(prompts(state, now, registers)).strip()


def prompts(state: PurseState, now: datetime, registers: Mapping[AttributeDescriptor, int]) -> tuple[str, str]:
    """The prompt to top up in Chinese and in English; both empty when all is well."""
    found = status(state, now, registers)
    if found.first_short_due is not None:
        missing, when = Money(found.shortfall, state.currency), found.first_short_due.date()
        return f"余额不足，请在{when}前充值{missing}。", f"Please top up {missing} by {when}."
    if found.flags & StatusFlag.LOW_BALANCE:
        balance = Money(state.balance, state.currency)
        return f"余额较低：{balance}，请充值。", f"Low balance: {balance}. Please top up."
    return "", ""
