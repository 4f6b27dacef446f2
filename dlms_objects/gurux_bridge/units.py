"""Exact decimals: a whole number scaled by a power of ten, and the symbols of the standard's units.

Not by gurux, which scales in floats (1005 x 10^-3 becomes 1.0050000000000001). Imported by the views.
"""

from collections.abc import Mapping

from gurux_dlms.enums import Unit

# The standard's table in its order, from unit 1 on.
_FIRST_UNITS = """
    a mo wk d h min s ° °C currency m m/s m³ m³ m³/h m³/h m³/d m³/d l kg N Nm Pa bar J J/h W VA var Wh VAh varh
    A C V V/m F Ω Ωm²/m Wb T A/m H Hz 1/(Wh) 1/(varh) 1/(VAh) V²h A²h kg/s S K 1/(V²h) 1/(A²h) 1/m³ % Ah
"""
SYMBOLS: Mapping[int, str] = {
    **dict(enumerate(_FIRST_UNITS.split(), start=1)),
    60: "Wh/m³",
    61: "J/m³",
    62: "mol%",
    63: "g/m³",
    64: "Pa·s",
    65: "J/kg",
    66: "g/cm²",
    67: "atm",
    70: "dBm",
    71: "dBµV",
    72: "dB",
}
"""The units 1..72 as the standard writes them; later ones go by gurux's name."""

COUNT = 255
_NAMES: Mapping[int, str] = {int(unit): unit.name.lower().replace("_", " ") for unit in Unit}


def unit_symbol(unit: int) -> str:
    """How the unit 0..255 is written; empty for a count and for none, `unit 99` for an unknown one."""
    if unit in (0, COUNT):
        return ""
    return SYMBOLS.get(unit) or _NAMES.get(unit) or f"unit {unit}"


def scaled(number: int, scaler: int) -> str:
    """number x 10^scaler as exact decimal text: (1005, -3) is `1.005`. `scaler` is -128..127."""
    if scaler >= 0:
        return str(number * 10**scaler)
    digits = str(abs(number)).zfill(1 - scaler)
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:scaler]}.{digits[scaler:]}"


def with_unit(number: int, scaler: int, unit: int) -> str:
    """`1.005 Wh`."""
    return f"{scaled(number, scaler)} {unit_symbol(unit)}".rstrip()
