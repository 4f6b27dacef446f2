"""A trace goes to a file that only its owner reads, anew each time, or to standard error; names are the bridge's."""

from pathlib import Path

import pytest

from deploy.tracing import traced
from dlms_objects.transport.trace import Trace
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire.get import GetRequestNormal
from dlms_objects.wire.wrapper import encode_frame
from tests.support.associations import NOW, World

CALENDAR = GetRequestNormal(attribute=AttributeDescriptor(20, LogicalName.parse("0.0.13.0.0.255"), 5)).encode()


def write(trace: Trace) -> None:
    trace.sent(encode_frame(1, 1, CALENDAR), NOW)


def test_a_trace_file_is_new_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    for _ in range(2):
        with traced(str(path)) as make_trace:
            write(make_trace(World().client_parameters))
            assert len(path.read_text().splitlines()) == 2, "a line is there as soon as it is written"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Activity calendar.active_day_profile_table 0.0.13.0.0.255" in path.read_text()


def test_a_dash_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with traced("-", with_xml=True) as make_trace:
        write(make_trace(World().client_parameters))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "<GetRequestNormal>" in shown.err


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), traced(str(tmp_path / "none" / "trace")):
        pass
