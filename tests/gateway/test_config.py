"""gateway/config.py: what `gateway.toml` may say, and that everything else is a mistake with a place."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dlms_objects.values.system_title import SystemTitle
from gateway.config import GatewayConfig

METER: dict[str, Any] = {
    "name": "flat-1",
    "system_title": "4D50520000000001",
    "endpoint": "tcp:127.0.0.1:4059",
    "key_file": "keys/flat-1.toml",
}
DOCUMENT: dict[str, Any] = {
    "system_title": "4D50470000000001",
    "headend": {"url": "http://127.0.0.1:8460/", "token_file": "token"},
    "outbox": {"path": "outbox.sqlite3"},
    "meter": [METER],
}


def load(**changes: Any) -> GatewayConfig:
    """The document with these tables changed, as loaded from /srv/gateway."""
    return GatewayConfig.model_validate(DOCUMENT | changes, context={"folder": Path("/srv/gateway")})


def test_the_shortest_document_is_enough_and_paths_are_counted_from_its_folder() -> None:
    config = load()
    assert config.system_title == SystemTitle.parse("4D50470000000001")
    assert config.headend.url == "http://127.0.0.1:8460"
    assert config.headend.token_file == Path("/srv/gateway/token")
    assert config.outbox.path == Path("/srv/gateway/outbox.sqlite3")
    assert config.meter[0].key_file == Path("/srv/gateway/keys/flat-1.toml")
    assert (config.meter[0].client_sap, config.meter[0].server_sap) == (1, 1)
    assert load(outbox={"path": "/var/lib/outbox"}).outbox.path == Path("/var/lib/outbox")
    assert load(meter=[]).meter == ()


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"system_title": "short"}, ("system_title",)),
        ({"system_title": None}, ("system_title",)),
        ({"headend": {"url": "ftp://x", "token_file": "t"}}, ("headend", "url")),
        ({"headend": {"url": "http://", "token_file": "t"}}, ("headend", "url")),
        ({"headend": {"url": "http://user:secret@x", "token_file": "t"}}, ("headend", "url")),
        ({"headend": {"url": "http://x/?a=1", "token_file": "t"}}, ("headend", "url")),
        ({"headend": {"url": "http://x"}}, ("headend", "token_file")),
        ({"headend": {"url": "http://x", "token_file": "t", "retries": 3}}, ("headend", "retries")),
        ({"outbox": {"path": "x", "maximum_rows": 0}}, ("outbox", "maximum_rows")),
        ({"collection": {"concurrency": 0}}, ("collection", "concurrency")),
        ({"collection": {"concurrency": "many"}}, ("collection", "concurrency")),
        ({"meter": [METER | {"name": "flat 1"}]}, ("meter", 0, "name")),
        ({"meter": [METER, METER | {"system_title": "xx"}]}, ("meter", 1, "system_title")),
        ({"meter": [METER | {"page_rows": 0}]}, ("meter", 0, "page_rows")),
        ({"meter": [METER | {"client_sap": 0}]}, ("meter", 0, "client_sap")),
        ({"meter": [METER | {"colour": "red"}]}, ("meter", 0, "colour")),
        ({"meters": []}, ("meters",)),
    ],
)
def test_a_mistake_is_refused_at_its_place(changes: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        load(**changes)
    assert [error["loc"] for error in caught.value.errors()] == [place]


@pytest.mark.parametrize(
    "endpoint", ["tcp:10.0.0.7:4059", "udp:10.0.0.7:4059", "tcp:a.example:1", r"tcp:fe80\:\:1:65535"]
)
def test_endpoints_are_tcp_or_udp_host_and_port(endpoint: str) -> None:
    assert load(meter=[METER | {"endpoint": endpoint}]).meter[0].endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "10.0.0.7:4059",
        "tcp:10.0.0.7",
        "tcp::4059",
        "tcp:x:0",
        "tcp:x:65536",
        "tcp:x:y",
        "udp:x",
        "sctp:x:1",
        "tcp:::1:1",
    ],
)
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="host:port|a port is"):
        load(meter=[METER | {"endpoint": endpoint}])


def test_a_loaded_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError):
        load().outbox.maximum_rows = 5
