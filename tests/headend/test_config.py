"""Laws of the configuration."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from headend.config import HeadendConfig, MeterConfig

TITLE = "4D50520000000001"


def test_everything_has_a_default_and_the_server_is_private_by_default() -> None:
    config = HeadendConfig()
    assert config.listen == "127.0.0.1:8460"
    assert config.meter == ()


def test_paths_are_counted_from_the_folder_of_the_file() -> None:
    config = HeadendConfig.model_validate({"database": "books.sqlite"}, context={"folder": Path("/srv/headend")})
    assert config.database == Path("/srv/headend/books.sqlite")
    assert HeadendConfig.model_validate({}, context={"folder": Path("/srv")}).database == Path("/srv/headend.sqlite")


def test_a_meter_speaks_chinese_in_shanghai_unless_told_otherwise() -> None:
    meter = MeterConfig(system_title=TITLE.lower(), household=" Unit 1 ")
    assert (meter.system_title, meter.household) == (TITLE, "Unit 1")
    assert (meter.language, meter.time_zone) == ("zh-CN", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("place", "document"),
    [
        (("listen",), {"listen": "8460"}),
        (("listen",), {"listen": ":8460"}),
        (("listen",), {"listen": "127.0.0.1:65536"}),
        (("listen",), {"listen": "127.0.0.1:http"}),
        (("maximum_body_octets",), {"maximum_body_octets": 10}),
        (("write_queue",), {"write_queue": 0}),
        (("stop_timeout_s",), {"stop_timeout_s": 0}),
        (("databse",), {"databse": "x"}),
        (("meter", 0, "system_title"), {"meter": [{"system_title": "4D50", "household": "x"}]}),
        (("meter", 0, "household"), {"meter": [{"system_title": TITLE, "household": " "}]}),
        (("meter", 0, "household"), {"meter": [{"system_title": TITLE, "household": "a\nb"}]}),
        (("meter", 0, "household"), {"meter": [{"system_title": TITLE}]}),
        (("meter", 0, "language"), {"meter": [{"system_title": TITLE, "household": "x", "language": "de"}]}),
        (("meter", 0, "time_zone"), {"meter": [{"system_title": TITLE, "household": "x", "time_zone": "Mars"}]}),
        (("influx", "url"), {"influx": {"bucket": "b"}}),
        (("influx", "url"), {"influx": {"bucket": "b", "url": "127.0.0.1:8086"}}),
        (("influx", "bucket"), {"influx": {"bucket": "", "url": "http://127.0.0.1:8086"}}),
        (("influx", "batch_points"), {"influx": {"bucket": "b", "url": "http://127.0.0.1:8086", "batch_points": 0}}),
        ((), {"meter": [{"system_title": TITLE, "household": "x"}, {"system_title": TITLE, "household": "y"}]}),
    ],
)
def test_a_mistake_is_refused_where_it_is(place: tuple[str | int, ...], document: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        HeadendConfig.model_validate(document)
    assert [error["loc"] for error in caught.value.errors()] == [place]
