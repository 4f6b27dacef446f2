"""How the attributes of the standard classes read: the members of structures by name, enumerations, times, addresses.

One table, by class and attribute; an attribute that is not in it reads as its plain value. Structures as in gurux-dlms
1.0.203 and, for names, in the standard's manner. Imported by `views` alone.
"""

from collections.abc import Mapping

from gurux_dlms.objects.enums.AccountStatus import AccountStatus
from gurux_dlms.objects.enums.AssociationStatus import AssociationStatus
from gurux_dlms.objects.enums.AutoConnectMode import AutoConnectMode
from gurux_dlms.objects.enums.BaudRate import BaudRate
from gurux_dlms.objects.enums.CertificateEntity import CertificateEntity
from gurux_dlms.objects.enums.CertificateType import CertificateType
from gurux_dlms.objects.enums.ChargeType import ChargeType
from gurux_dlms.objects.enums.ClockBase import ClockBase
from gurux_dlms.objects.enums.ControlMode import ControlMode
from gurux_dlms.objects.enums.ControlState import ControlState
from gurux_dlms.objects.enums.CreditStatus import CreditStatus
from gurux_dlms.objects.enums.CreditType import CreditType
from gurux_dlms.objects.enums.Currency import Currency
from gurux_dlms.objects.enums.GsmCircuitSwitchStatus import GsmCircuitSwitchStatus
from gurux_dlms.objects.enums.GsmPacketSwitchStatus import GsmPacketSwitchStatus
from gurux_dlms.objects.enums.GsmStatus import GsmStatus
from gurux_dlms.objects.enums.ImageTransferStatus import ImageTransferStatus
from gurux_dlms.objects.enums.MBusEncryptionKeyStatus import MBusEncryptionKeyStatus
from gurux_dlms.objects.enums.MessageType import MessageType
from gurux_dlms.objects.enums.NtpAuthenticationMethod import NtpAuthenticationMethod
from gurux_dlms.objects.enums.PaymentMode import PaymentMode
from gurux_dlms.objects.enums.ScriptActionType import ScriptActionType
from gurux_dlms.objects.enums.SecuritySuite import SecuritySuite
from gurux_dlms.objects.enums.ServiceType import ServiceType
from gurux_dlms.objects.enums.SortMethod import SortMethod
from gurux_dlms.objects.enums.TokenDelivery import TokenDelivery
from gurux_dlms.objects.enums.TokenStatusCode import TokenStatusCode

from dlms_objects.gurux_bridge.readers import (
    Reader,
    date,
    each,
    ip_number,
    logical_name,
    members,
    moment,
    named,
    plain,
    text,
    time,
    unit,
)

_SCALER_UNIT = members(scaler=plain, unit=unit)
_SCRIPT = members(script_logical_name=logical_name, script_selector=plain)
_ATTRIBUTE = members(class_id=plain, logical_name=logical_name, attribute_index=plain)
_OBJECT = members(class_id=plain, logical_name=logical_name)
_CAPTURE = members(class_id=plain, logical_name=logical_name, attribute_index=plain, data_index=plain)
_WINDOW = each(members(start_time=moment, end_time=moment))
_SEASONS = each(members(season_profile_name=text, season_start=moment, week_name=text))
_WEEKS = each(
    members(
        week_profile_name=text,
        monday=plain,
        tuesday=plain,
        wednesday=plain,
        thursday=plain,
        friday=plain,
        saturday=plain,
        sunday=plain,
    )
)
_DAYS = each(
    members(
        day_id=plain,
        day_schedule=each(members(start_time=time, script_logical_name=logical_name, script_selector=plain)),
    )
)
_UNIT_CHARGE = members(
    charge_per_unit_scaling=members(commodity_scale=plain, price_scale=plain),
    commodity=_ATTRIBUTE,
    charge_table=each(members(index=text, charge_per_unit=plain)),
)

CLASS_VIEWS: Mapping[int, Mapping[int, Reader]] = {
    3: {3: _SCALER_UNIT},
    4: {3: _SCALER_UNIT, 5: moment},
    5: {4: _SCALER_UNIT, 6: moment, 7: moment},
    6: {
        2: each(_OBJECT),
        3: each(members(mask_name=text, index_list=each(plain))),
        4: text,
    },
    7: {3: each(_CAPTURE), 5: named(SortMethod), 6: _CAPTURE},
    8: {2: moment, 5: moment, 6: moment, 9: named(ClockBase)},
    9: {
        2: each(
            members(
                script_identifier=plain,
                actions=each(
                    members(
                        service_id=named(ScriptActionType),
                        class_id=plain,
                        logical_name=logical_name,
                        index=plain,
                        parameter=plain,
                    )
                ),
            )
        )
    },
    10: {
        2: each(
            members(
                index=plain,
                enable=plain,
                script_logical_name=logical_name,
                script_selector=plain,
                switch_time=time,
                validity_window=plain,
                exec_weekdays=plain,
                exec_specdays=plain,
                begin_date=date,
                end_date=date,
            )
        )
    },
    11: {2: each(members(index=plain, specialday_date=date, day_id=plain))},
    15: {8: named(AssociationStatus), 9: logical_name},
    17: {2: each(members(sap=plain, logical_device_name=text))},
    18: {
        6: named(ImageTransferStatus),
        7: each(members(image_size=plain, image_identification=text, image_signature=plain)),
    },
    19: {3: named(BaudRate), 4: named(BaudRate), 6: text},
    20: {
        2: text,
        3: _SEASONS,
        4: _WEEKS,
        5: _DAYS,
        6: text,
        7: _SEASONS,
        8: _WEEKS,
        9: _DAYS,
        10: moment,
    },
    21: {3: _ATTRIBUTE, 4: each(members(action_up=_SCRIPT, action_down=_SCRIPT))},
    22: {2: _SCRIPT, 4: each(members(time=time, date=date))},
    23: {2: named(BaudRate)},
    27: {2: named(BaudRate), 3: each(members(request=text, response=text, delay_after_response=plain)), 4: each(text)},
    28: {3: _WINDOW},
    29: {2: named(AutoConnectMode), 5: _WINDOW, 6: each(text)},
    40: {
        2: each(_CAPTURE),
        3: members(transport_service=named(ServiceType), destination=text, message=named(MessageType)),
        4: _WINDOW,
        8: logical_name,
        13: moment,
    },
    41: {3: logical_name},
    42: {2: logical_name, 3: ip_number, 4: each(ip_number), 6: ip_number, 7: ip_number, 9: ip_number, 10: ip_number},
    45: {2: text},
    47: {
        2: text,
        3: named(GsmStatus),
        4: named(GsmCircuitSwitchStatus),
        5: named(GsmPacketSwitchStatus),
        8: moment,
    },
    48: {2: logical_name},
    61: {4: _SCALER_UNIT},
    62: {3: each(_CAPTURE)},
    64: {
        3: named(SecuritySuite),
        6: each(
            members(
                entity=named(CertificateEntity),
                type=named(CertificateType),
                serial_number=plain,
                issuer=text,
                subject=text,
                subject_alt_name=text,
            )
        ),
    },
    65: {3: moment, 4: each(_ATTRIBUTE)},
    70: {3: named(ControlState), 4: named(ControlMode)},
    71: {
        2: _ATTRIBUTE,
        8: members(emergency_profile_id=plain, emergency_activation_time=moment, emergency_duration=plain),
        11: members(action_over_threshold=_SCRIPT, action_under_threshold=_SCRIPT),
    },
    72: {
        2: logical_name,
        3: each(members(data_information_block=plain, value_information_block=plain)),
        14: named(MBusEncryptionKeyStatus),
    },
    74: {2: named(BaudRate)},
    100: {3: text, 5: named(NtpAuthenticationMethod)},
    111: {
        2: members(payment_mode=named(PaymentMode), account_status=named(AccountStatus)),
        9: each(logical_name),
        10: each(logical_name),
        11: each(members(credit_reference=logical_name, charge_reference=logical_name, collection_configuration=plain)),
        12: each(members(credit_reference=logical_name, token_proportion=plain)),
        13: moment,
        14: moment,
        15: members(currency_name=text, currency_scale=plain, currency_unit=named(Currency)),
    },
    112: {3: named(CreditType), 8: named(CreditStatus), 11: moment},
    113: {3: named(ChargeType), 5: _UNIT_CHARGE, 6: _UNIT_CHARGE, 7: moment, 10: moment},
    115: {
        2: plain,
        3: moment,
        4: each(text),
        5: named(TokenDelivery),
        6: members(status_code=named(TokenStatusCode), data_value=plain),
    },
}
