"""Who the meters are: a SAP each that no broadcast has, and titles and keys that the seed fixes and nobody shares."""

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.meter.fleet.identity import ALL_STATIONS, LARGEST_FLEET, FleetIdentity, sap_of


def test_every_meter_has_a_sap_of_its_own_and_none_means_all_stations() -> None:
    saps = [sap_of(number) for number in range(1, LARGEST_FLEET + 1)]
    assert saps == sorted(set(range(1, 2**16)) - set(ALL_STATIONS))


@pytest.mark.parametrize(("number", "sap"), [(1, 1), (126, 126), (127, 128), (16381, 16382), (16382, 16384)])
def test_the_sap_is_the_number_as_far_as_it_may(number: int, sap: int) -> None:
    assert sap_of(number) == sap


def test_a_seed_fixes_titles_and_keys_and_no_two_meters_share_any() -> None:
    first, again, other = FleetIdentity(1), FleetIdentity(1), FleetIdentity(2)
    numbers = range(1, 301)
    assert [first.title(number) for number in numbers] == [again.title(number) for number in numbers]
    assert [first.keys(number) for number in numbers] == [again.keys(number) for number in numbers]
    titles = {identity.title(number) for identity in (first, other) for number in numbers}
    assert len(titles) == 600
    keys = [
        key
        for identity in (first, other)
        for number in numbers
        for of_one in identity.keys(number).associations.values()
        for key in (of_one.global_unicast_encryption_key, of_one.authentication_key)
    ] + [identity.keys(number).master_key for identity in (first, other) for number in numbers]
    assert len(set(keys)) == len(keys) == 600 * 7


@pytest.mark.parametrize("role", [Role.READER, Role.MANAGEMENT])
def test_a_clients_credentials_are_the_meters_keys(role: Role) -> None:
    identity = FleetIdentity(5)
    for number, credentials in enumerate(identity.credentials(role, 130), start=1):
        keys = identity.keys(number).associations[credentials.client_sap]
        assert credentials.cipher_keys() == keys
        assert (credentials.system_title, credentials.server_sap) == (identity.title(number), sap_of(number))
