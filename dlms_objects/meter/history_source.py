"""The standard's two histories, views of the journal: what was collected for charges, and what was paid in.

The store finds their rows by an index; the profile over them is `profile_objects.ProfileObject`. Imported by `meter`.
"""

from functools import partial

from dlms_objects.classes.purse_class import JOURNAL_ROW
from dlms_objects.meter.profile_objects import LARGEST_NUMBER, LAST_ENTRY_ATTRIBUTE
from dlms_objects.meter.store import History, MeterStore


class HistorySource:
    """One of the standard's histories: the journal's rows of its kinds, with the numbers they have there."""

    attribute = LAST_ENTRY_ATTRIBUTE
    row_shape = JOURNAL_ROW
    profile_entries = LARGEST_NUMBER

    def __init__(self, store: MeterStore, history: History) -> None:
        """Read from this store."""
        self.count = partial(store.history_count, history)
        self.entries = partial(store.history_entries, history)
        self.rows = partial(store.history_rows, history)
        self.rows_of_period = partial(store.history_of_period, history)
