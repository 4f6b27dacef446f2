"""dlms-cosem's general decoder on a page of the journal."""

from typing import Any

from dlms_cosem.dlms_data import DlmsDataParser


def decoded_rows(page: bytes) -> list[tuple[Any, ...]]:
    """The rows of a page as dlms-cosem's general decoder reads them."""
    (array,) = DlmsDataParser().parse(page)
    return [tuple(_octets(cell) for cell in row) for row in array.to_python()]


def _octets(cell: Any) -> Any:
    return bytes(cell) if isinstance(cell, bytearray) else cell
