"""Pictures for mails and statements, as SVG: the balance over a month, the shares of its fees.

Drawn in whole units from integers, so that the same figures make the same octets; no script, no reference to anything
outside, a title and a description for who cannot see it. Imported by the API and `delivery.message`.
"""

from collections.abc import Sequence
from html import escape

from dlms_objects.values.money import Currency
from headend.notices import Language
from headend.rendering import fee_name, money_text, month_text
from headend.series import Month

WIDTH = 600
CURVE_HEIGHT = 200
MARGIN = 16
HEADER = 40
FOOTER = 28
BAR_HEIGHT = 18
BAR_PITCH = 46

_INK, _QUIET, _RULE, _BLUE, _RED = "#1c2733", "#5d6b7a", "#d5dbe1", "#2563a8", "#b3261e"
_FONT = "font-family=\"'Segoe UI',Roboto,'PingFang SC','Noto Sans SC','Noto Sans CJK SC',sans-serif\""
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "balance": "Balance in {month}",
        "from_to": "From {first} to {last}; lowest {low}, highest {high}.",
        "shares": "Fees in {month}",
        "sum": "{sum} in all.",
        "nothing": "Nothing was booked.",
        "separator": "; ",
        "pair": "{fee}: {amount}",
    },
    "zh-CN": {
        "balance": "{month}余额",
        "from_to": "从{first}到{last}；最低{low}，最高{high}。",
        "shares": "{month}各项费用",
        "sum": "合计{sum}。",
        "nothing": "没有记录。",
        "separator": "；",
        "pair": "{fee}：{amount}",
    },
}


def balance_svg(month: Month, *, language: Language, currency: Currency | None) -> str:
    """The balance at the end of each day as a stepped curve with its lowest and highest value."""
    words = _WORDS[language]
    title = balance_title(month, language=language)
    values = [day.balance_minor for day in month.days]
    if not values:
        return _svg(title, words["nothing"], CURVE_HEIGHT, [], language)

    def money(minor: int) -> str:
        return money_text(minor, language=language, currency=currency)

    told = words["from_to"].format(
        first=money(values[0]), last=money(values[-1]), low=money(min(values)), high=money(max(values))
    )
    low, high = min(*values, 0), max(*values, 0)
    heights = [_height(value, low, high) for value in values]
    zero = _height(0, low, high)
    right = WIDTH - MARGIN
    corners = [f"{_left(step, len(values))},{top}" for step, top in enumerate(heights)]
    path = (
        "M" + corners[0] + "".join(f"H{corner.partition(',')[0]}V{corner.partition(',')[2]}" for corner in corners[1:])
    )
    path += f"H{right}"
    colour = _RED if min(values) < 0 else _BLUE
    bottom = CURVE_HEIGHT - 8
    shapes = [
        f'<path d="{path}V{zero}H{MARGIN}Z" fill="{colour}" fill-opacity="0.12"/>',
        f'<path d="M{MARGIN},{zero}H{right}" stroke="{_RULE}" stroke-width="1" fill="none"/>',
        f'<path d="{path}" stroke="{colour}" stroke-width="2" fill="none" stroke-linejoin="round"/>',
        _label(MARGIN, bottom, month.days[0].day.isoformat(), _QUIET),
        _label(right, bottom, month.days[-1].day.isoformat(), _QUIET, anchor="end"),
        _label(right, 24, money(values[-1]), _INK, anchor="end", bold=True),
    ]
    return _svg(title, told, CURVE_HEIGHT, shapes, language)


def shares_svg(month: Month, *, language: Language, currency: Currency | None) -> str:
    """A bar for each fee item, the dearest first, as long as its share of the month."""
    words = _WORDS[language]
    title = shares_title(month, language=language)
    totals = sorted(month.totals, key=lambda total: (-total.amount_minor, total.fee_item))
    height = HEADER + BAR_PITCH * max(len(totals), 1) + 8
    if not totals:
        return _svg(title, words["nothing"], height, [], language)
    highest = max(1, *(total.amount_minor for total in totals))
    shapes, told = [], []
    for step, total in enumerate(totals):
        top = HEADER + BAR_PITCH * step
        fee = fee_name(total.label, total.fee_item, language=language)
        amount = money_text(total.amount_minor, language=language, currency=currency)
        told.append(words["pair"].format(fee=fee, amount=amount))
        length = max(total.amount_minor, 0) * (WIDTH - 2 * MARGIN) // highest
        shapes += [
            _label(MARGIN, top + 14, fee, _INK),
            _label(WIDTH - MARGIN, top + 14, amount, _INK, anchor="end"),
            _bar(top + 20, WIDTH - 2 * MARGIN, _RULE),
            _bar(top + 20, length, _BLUE),
        ]
    whole = money_text(sum(total.amount_minor for total in totals), language=language, currency=currency)
    said = words["separator"].join([*told, words["sum"].format(sum=whole)])
    return _svg(title, said, height, shapes, language)


def balance_title(month: Month, *, language: Language) -> str:
    """The title of the balance's picture."""
    return _WORDS[language]["balance"].format(month=month_text(month.month, language=language))


def shares_title(month: Month, *, language: Language) -> str:
    """The title of the shares' picture."""
    return _WORDS[language]["shares"].format(month=month_text(month.month, language=language))


def _left(step: int, count: int) -> int:
    """Where a day begins."""
    return MARGIN + step * (WIDTH - 2 * MARGIN) // count


def _height(value: int, low: int, high: int) -> int:
    """How far down a value lies; low and high are not both 0 unless all is."""
    room = CURVE_HEIGHT - HEADER - FOOTER
    return HEADER + (room if high == low else (high - value) * room // (high - low))


def _bar(top: int, length: int, colour: str) -> str:
    return f'<rect x="{MARGIN}" y="{top}" width="{length}" height="{BAR_HEIGHT}" rx="3" fill="{colour}"/>'


def _label(left: int, top: int, text: str, colour: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{left}" y="{top}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _svg(title: str, description: str, height: int, shapes: Sequence[str], language: Language) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-labelledby="title description" xml:lang="{language}" font-size="14" {_FONT}>\n'
        f'<title id="title">{escape(title)}</title>\n<desc id="description">{escape(description)}</desc>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f"{_label(MARGIN, 24, title, _INK, bold=True)}\n" + "".join(f"{shape}\n" for shape in shapes) + "</svg>\n"
    )
