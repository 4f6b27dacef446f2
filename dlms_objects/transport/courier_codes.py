"""The frames of a courier as QR codes: SVG for pages and files, PNG for files, text for terminals.

Scanning is the phone's business.
"""

import io
from typing import Final

import segno

ERROR_CORRECTION: Final = "m"
QUIET_ZONE: Final = 4  # modules, as the QR standard demands


def frame_svg(frame: str, *, scale: int = 4) -> str:
    """One frame of `courier_frames` as an SVG element, black on white; `scale` is the size of a module in pixels.

    It stands on its own and inside an HTML page.
    """
    picture = io.BytesIO()
    _code(frame).save(picture, kind="svg", scale=scale, border=QUIET_ZONE, light="#fff", xmldecl=False, nl=False)
    return picture.getvalue().decode()


def frame_png(frame: str, *, scale: int = 4) -> bytes:
    """One frame of `courier_frames` as a PNG file; `scale` is the size of a module in pixels."""
    picture = io.BytesIO()
    _code(frame).save(picture, kind="png", scale=scale, border=QUIET_ZONE)
    return picture.getvalue()


def frame_text(frame: str) -> str:
    """One frame as lines of half blocks, two modules in a character; to be shown in white on black."""
    drawn = io.StringIO()
    _code(frame).terminal(drawn, border=QUIET_ZONE, compact=True)
    return drawn.getvalue()


def _code(frame: str) -> segno.QRCode:
    return segno.make_qr(frame, error=ERROR_CORRECTION, mode="alphanumeric", boost_error=False)
