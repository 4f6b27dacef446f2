"""Laws of fee item descriptors."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from headend.descriptors import UNKNOWN, Descriptor, Descriptors
from tests.support.headend_books import RENT, WATER

_known = st.lists(st.builds(replace, st.just(RENT), number=st.integers(1, 3), revision=st.integers(0, 9)))


@given(known=_known, number=st.integers(1, 3), revision=st.integers(0, 9))
def test_the_newest_not_above_is_found(known: list[Descriptor], number: int, revision: int) -> None:
    fitting = [each.revision for each in known if each.number == number and each.revision <= revision]
    found = Descriptors(known).at(number, revision)
    assert found == (replace(RENT, number=number, revision=max(fitting)) if fitting else UNKNOWN)


def test_the_first_word_stays() -> None:
    descriptors = Descriptors([RENT])
    assert not descriptors.add(replace(RENT, payee="someone else"))
    assert not descriptors.add(RENT)
    assert descriptors.add(replace(RENT, revision=2))
    assert descriptors.at(RENT.number, 1) == RENT


def test_the_newest_of_each_number_in_order() -> None:
    newer = replace(RENT, revision=7)
    descriptors = Descriptors([WATER, newer, RENT])
    assert descriptors.newest(1) == newer
    assert descriptors.newest(9) is UNKNOWN
    assert descriptors.all_newest() == (newer, WATER)
