"""gateway/reload.py: every change is either carried out or named as waiting for a restart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.system_title import SystemTitle
from gateway.config import CollectionSection, GatewayConfig, HeadendSection, HttpSection, MeterSection, OutboxSection
from gateway.reload import Changes, Settings, changes

FOLDER = Path("/gateway")


def meter(number: int, **other: object) -> MeterSection:
    values = {
        "name": f"flat-{number}",
        "system_title": title(number),
        "endpoint": f"tcp:10.0.0.{number}:4059",
        "key_file": FOLDER / "keys.toml",
    }
    return MeterSection.model_validate(values | other)


def title(number: int) -> SystemTitle:
    return SystemTitle(b"MPR\x00\x00\x00\x00" + bytes([number]))


def settings(*meters: MeterSection, key: int = 1) -> Settings:
    config = GatewayConfig(
        system_title=SystemTitle(b"MPG\x00\x00\x00\x00\x07"),
        headend=HeadendSection(url="https://head.example.org", token_file=FOLDER / "token"),
        outbox=OutboxSection(path=FOLDER / "outbox.sqlite3"),
        meter=meters,
    )
    keys = {
        section.name: MeterCredentials(
            system_title=section.system_title,
            client_sap=1,
            server_sap=1,
            encryption_key=bytes([7] * 15 + [key]),
            authentication_key=bytes([9] * 15 + [key]),
        )
        for section in meters
    }
    return Settings(config=config, credentials=keys)


def between(change: Callable[[GatewayConfig], dict[str, object]]) -> Changes:
    running = settings(meter(1))
    config = running.config.model_copy(update=change(running.config))
    return changes(running, Settings(config=config, credentials=running.credentials))


def test_meters_are_added_removed_and_changed_by_name() -> None:
    wanted = settings(meter(2), meter(3, collect_every_s=5), meter(4))
    done = changes(settings(meter(1), meter(2), meter(3)), wanted)
    assert (done.added, done.removed, done.changed) == (("flat-4",), ("flat-1",), ("flat-3",))
    assert done.running == wanted
    assert str(done) == "meters: 1 added, 1 removed, 1 changed"


def test_other_keys_in_the_same_file_change_a_meter() -> None:
    done = changes(settings(meter(1)), settings(meter(1), key=2))
    assert done.changed == ("flat-1",)


def test_the_same_settings_change_nothing() -> None:
    done = changes(settings(meter(1)), settings(meter(1)))
    assert str(done) == "meters: 0 added, 0 removed, 0 changed"


@pytest.mark.parametrize(("name", "value"), [("concurrency", 3), ("session_limit_s", 7.0)])
def test_limits_of_sessions_are_taken_over(name: str, value: float) -> None:
    done = between(lambda config: {"collection": config.collection.model_copy(update={name: value})})
    assert done.new_limits
    assert done.at_restart == ()
    assert getattr(done.running.config.collection, name) == value


@pytest.mark.parametrize(
    "name",
    [
        *(f"headend.{name}" for name in HeadendSection.model_fields),
        *(f"outbox.{name}" for name in OutboxSection.model_fields),
        "collection.read_every_s",
        "collection.back_off_first_s",
        "collection.back_off_maximum_s",
    ],
)
def test_what_a_running_gateway_cannot_change_is_named_and_stays(name: str) -> None:
    section, key = name.split(".")
    done = between(lambda config: {section: getattr(config, section).model_copy(update={key: "another"})})
    assert done.at_restart == (name,)
    assert not done.new_limits
    assert done.running.config == settings(meter(1)).config
    assert f"at the next start only: {name}" in str(done)


def test_a_table_that_comes_or_goes_is_named() -> None:
    assert between(lambda _config: {"http": HttpSection()}).at_restart == ("http",)


def test_what_waits_for_a_restart_is_named_again_at_the_next_reload() -> None:
    running = settings(meter(1))
    config = running.config.model_copy(update={"http": HttpSection()})
    wanted = Settings(config=config, credentials=running.credentials)
    assert changes(changes(running, wanted).running, wanted).at_restart == ("http",)


def test_every_setting_of_a_collection_is_either_taken_over_or_named() -> None:
    for name in CollectionSection.model_fields:
        done = between(lambda config, name=name: {"collection": config.collection.model_copy(update={name: -1})})  # type: ignore[misc]
        assert done.new_limits is (done.at_restart == ())


def test_settings_without_a_meter_keep_the_others() -> None:
    assert settings(meter(1), meter(2)).only(["flat-2"]).config.meter == (meter(2),)
