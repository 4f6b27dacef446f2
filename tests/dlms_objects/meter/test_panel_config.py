"""The panel's table: a loopback address and nothing else, and a PIN file beside the settings."""

import pytest
from pydantic import ValidationError

from dlms_objects.meter.panel_config import PanelConfig


@pytest.mark.parametrize("listen", ["127.0.0.1:8090", "127.8.8.8:0", "[::1]:8090"])
def test_a_loopback_address_is_taken(listen):
    assert PanelConfig(listen=listen).listen == listen


@pytest.mark.parametrize("listen", ["0.0.0.0:8090", "192.0.2.1:8090", "[::]:8090", "meter:8090", "localhost:8090"])
def test_any_other_address_is_refused_with_one_that_would_do(listen):
    with pytest.raises(ValidationError, match=r"a loopback address only, such as 127\.0\.0\.1:8090"):
        PanelConfig(listen=listen)


def test_the_pin_is_beside_the_settings_unless_told_otherwise(tmp_path):
    told = {"folder": tmp_path}
    assert PanelConfig.model_validate({}, context=told).pin == tmp_path / "panel.pin"
    assert PanelConfig.model_validate({"pin": "other"}, context=told).pin == tmp_path / "other"
