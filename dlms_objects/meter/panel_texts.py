"""What the front panel says, each text in both its languages: zh-CN first, then English.

Imported by the panel's view, its amounts and its pages; the words that never change are in the page itself.
"""

from dataclasses import dataclass
from typing import Final

from dlms_objects.purse.fee_item import FeeKind
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.purse.prompt import ItemState


@dataclass(frozen=True, slots=True)
class Text:
    """One text in zh-CN and in English."""

    zh: str
    en: str

    def filled(self, **words: object) -> "Text":
        """The text with these words in its places."""
        return Text(self.zh.format(**words), self.en.format(**words))


NOTHING: Final = Text("", "")
ALL_WELL: Final = Text("一切正常", "All is well")

KINDS: Final = {
    FeeKind.OTHER: Text("其他", "other"),
    FeeKind.RENT: Text("房租", "rent"),
    FeeKind.PROPERTY_MANAGEMENT: Text("物业费", "property management"),
    FeeKind.WATER: Text("水费", "water"),
    FeeKind.ELECTRICITY: Text("电费", "electricity"),
    FeeKind.GAS: Text("燃气费", "gas"),
    FeeKind.HEATING: Text("取暖费", "heating"),
    FeeKind.PARKING: Text("停车费", "parking"),
    FeeKind.INTERNET: Text("网费", "internet"),
}

STATES: Final = {
    ItemState.DISABLED: Text("停用", "disabled"),
    ItemState.SCHEDULED: Text("已安排", "scheduled"),
    ItemState.WAITING_AMOUNT: Text("等待金额", "waiting for its amount"),
    ItemState.WAITING_BALANCE: Text("等待充值", "waiting for a top-up"),
    ItemState.FINISHED: Text("已结束", "finished"),
}

ENTRY_OPEN: Final = Text("可录入金额", "An amount may be typed in")
ENTRY_NO_PIN: Final = Text("未设密码，不能录入金额", "No PIN is set: no amount can be typed in")
ENTRY_NO_ITEM: Final = Text("没有需要手工录入金额的项目", "No fee item takes an amount by hand")
ENTRY_LOCKED: Final = Text("密码错误次数过多，请 {seconds} 秒后再试", "Too many wrong PINs: try again in {seconds} s")

AMOUNT_TAKEN: Final = Text("已录入：{label} {amount}", "Taken: {label} {amount}")
AMOUNT_TAKEN_BEFORE: Final = Text("已录入过：{label} {amount}", "Taken already: {label} {amount}")
WRONG_PIN: Final = Text("密码错误", "Wrong PIN")
NOT_AN_AMOUNT: Final = Text("金额无效，最多 {digits} 位小数", "Not an amount; at most {digits} decimals")
NOT_UNDERSTOOD: Final = Text("请求无效，请重新录入", "Not understood: please begin again")
NOT_FROM_HERE: Final = Text("只接受本机面板的请求", "Only this panel's own page may ask that")
NO_SUCH_PAGE: Final = Text("没有此页", "No such page")
FAULT: Final = Text("电表内部故障，未作更改", "A fault of the meter; nothing was changed")
NO_BATCH: Final = Text("现在没有可出示的记录", "There is no batch to be shown now")

REFUSALS: Final = {
    OutcomeCode.ID_USED_WITH_OTHER_VALUES: Text(
        "此单已用于其他金额，请重新录入", "Used for another amount: begin again"
    ),
    OutcomeCode.AMOUNT_OUT_OF_RANGE: Text("金额超出范围", "The amount is out of range"),
    OutcomeCode.NO_SUCH_ENTRY: Text("该项目现在不接受手工金额", "That fee takes no amount by hand now"),
    OutcomeCode.JOURNAL_FULL: Text("预存金额已满", "Too many amounts are waiting already"),
    OutcomeCode.STORAGE_FAILED: Text("存储失败，未作更改", "Could not be stored; nothing was changed"),
}
"""Why `set_amount` did not happen; the outcomes it cannot have are not here."""
