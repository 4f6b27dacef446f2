"""gurux-dlms's own objects of the standard classes read what our running meter shows in them; and it is a resident."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gurux_dlms.objects import (
    GXDLMSAccount,
    GXDLMSAssociationLogicalName,
    GXDLMSCharge,
    GXDLMSCredit,
    GXDLMSHdlcSetup,
    GXDLMSProfileGeneric,
    GXDLMSSapAssignment,
    GXDLMSTcpUdpSetup,
)

from deploy.demo.influxdb import free_port
from dlms_objects.classes.catalogue import ASSOCIATIONS, CATALOGUE, Rights, Role, association_name
from dlms_objects.transport.credentials import load_client_credentials
from tests.support.command_line import call, invoke, served
from tests.support.gurux_cipher import openssl
from tests.support.gurux_client import GuruxClient, GuruxError, UdpLine
from tests.support.gurux_meter import RunningMeter, associated, running_meter

pytestmark = pytest.mark.e2e

READ_WRITE_DENIED = 3


@pytest.fixture(scope="module", autouse=True)
def _verifying_cipher() -> Iterator[None]:
    with openssl():
        yield


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMeter]:
    with running_meter(tmp_path_factory.mktemp("meter") / "m") as running:
        keys = ("--keys", running.keys[Role.MANAGEMENT], "--endpoint", running.endpoint)
        assert invoke("dlms", "top-up", "500.00", *keys).code == 0
        yield running


@pytest.fixture
def reader(meter: RunningMeter) -> Iterator[GuruxClient]:
    with associated(meter, Role.READER) as client:
        yield client


def test_account_and_credit_are_the_purse(reader: GuruxClient) -> None:
    account, credit = GXDLMSAccount("0.0.19.0.0.255"), GXDLMSCredit("0.0.19.10.0.255")
    for attribute in range(2, 20):
        reader.read_object(account, attribute)
    for attribute in range(2, 12):
        reader.read_object(credit, attribute)
    assert (account.availableCredit, credit.currentCreditAmount, account.amountToClear) == (50_000, 50_000, 0)
    assert (int(account.paymentMode), int(account.accountStatus)) == (2, 2)
    assert list(account.creditReferences) == ["0.0.19.10.0.255"]
    assert (account.currency.name, account.currency.scale, int(account.currency.unit)) == ("CNY", -2, 2)
    assert int(credit.status) == 3


def test_a_charge_is_a_fee_item(reader: GuruxClient) -> None:
    charge = GXDLMSCharge("0.0.19.20.1.255")
    for attribute in range(2, 14):
        reader.read_object(charge, attribute)
    assert (charge.totalAmountPaid, charge.priority, charge.period) == (0, 0, 0)


def test_the_setups_show_how_the_meter_is_reached(reader: GuruxClient, meter: RunningMeter) -> None:
    saps, hdlc = GXDLMSSapAssignment("0.0.41.0.0.255"), GXDLMSHdlcSetup("0.0.22.0.0.255")
    tcp = GXDLMSTcpUdpSetup("0.0.25.0.0.255")
    reader.read_object(saps, 2)
    for attribute in range(2, 10):
        reader.read_object(hdlc, attribute)
    for attribute in range(2, 7):
        reader.read_object(tcp, attribute)
    ((sap, name),) = saps.sapAssignmentList
    assert (sap, name[:3]) == (1, "MPR")
    assert (hdlc.windowSizeTransmit, hdlc.maximumInfoLengthTransmit, hdlc.inactivityTimeout) == (1, 128, 120)
    assert (tcp.port, tcp.maximumSimultaneousConnections, tcp.inactivityTimeout) == (meter.port, 32, 180)


def test_the_token_credit_history_holds_the_top_up(reader: GuruxClient) -> None:
    history = GXDLMSProfileGeneric("0.0.99.15.0.255")
    reader.read_object(history, 3)
    reader.read_object(history, 2)
    assert [row[5] for row in history.buffer] == [50_000]


def test_gurux_reads_the_object_list_of_every_association(meter: RunningMeter) -> None:
    with associated(meter, Role.MANAGEMENT) as client:
        for association in ASSOCIATIONS:
            view = GXDLMSAssociationLogicalName(str(association_name(association.number)))
            answer = client.exchange(client.client.read(view, 2))
            listed = client.client.parseObjects(answer.data, onlyKnownObjects=False)
            assert {(int(item.objectType), item.logicalName, item.version) for item in listed} == {
                (declared.interface.class_id, str(name), declared.interface.version)
                for name, declared in CATALOGUE.items()
                if declared.rights_of(association.role) != Rights()
            }


def test_gurux_is_a_resident_over_the_local_port_and_refused_elsewhere(tmp_path: Path) -> None:
    folder, port = tmp_path / "m", free_port()
    assert call("meter", "init", folder, "--listen", "127.0.0.1:0").code == 0
    with (folder / "meter.toml").open("a") as config:
        config.write(f'\n[[line]]\nendpoint = "udp:127.0.0.1:{port}"\nlocal = true\n')
    keys, local = folder / "keys", ("--endpoint", f"udp:127.0.0.1:{port}", "--keys", folder / "keys" / "resident.toml")
    with served("meter", "run", folder, "--log-level", "error") as running:
        remote = ("--endpoint", running.ready.split()[0])
        assert invoke("dlms", "top-up", "20.00", *remote, "--keys", keys / "management.toml").code == 0
        secret = load_client_credentials(keys / "resident.toml")
        with closing(UdpLine("127.0.0.1", port)) as line:
            client = GuruxClient(line, secret)
            client.associate()
            assert client.read(20101, "0.0.128.0.0.255", 2) == 2_000
            with pytest.raises(GuruxError) as refused:
                client.read(8, "0.0.1.0.0.255", 2)
            assert refused.value.code == READ_WRITE_DENIED
            client.release()
        assert "20.00" in invoke("dlms", "purse", *local).out
        denied = invoke("dlms", "top-up", "1.00", *local)
        assert denied.code != 0
        assert "read-write-denied" in denied.err
        elsewhere = invoke("dlms", "purse", *remote, "--keys", keys / "resident.toml")
        assert elsewhere.code != 0
        assert elsewhere.err.count("\n") == 1
