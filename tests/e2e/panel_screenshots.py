"""The front panel's screenshots: `python -m tests.e2e.panel_screenshots docs/panel` makes them anew.

Each is of a real meter's page in Chromium. Fewer colours make them small.
"""

import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support.panels import PIN, chromium, household, panel_page, prepared_meter, running_meter

COLOURS = 64
BALANCE = 1_234_550
LITTLE = 36_000


def idle(page: Page) -> None:
    """Nothing to do: the rent is shown."""
    page.keyboard.press("ArrowRight")


def typed_in(page: Page) -> None:
    """After an amount was typed in."""
    enter_amount(page, "86.40")


def code(page: Page) -> None:
    """The first frame of the courier's batch."""
    page.keyboard.press("q")
    page.wait_for_selector("#code:not([hidden])")
    page.locator("#code-picture").evaluate("picture => picture.decode()")


def nothing(_page: Page) -> None:
    """As the page opens."""


def enter_amount(page: Page, amount: str, pin: str = PIN) -> None:
    """Type in an amount for the fee item that is chosen, by keyboard only, and wait for the answer."""
    page.focus("#amount")
    page.keyboard.type(amount)
    page.keyboard.press("Tab")
    page.keyboard.type(pin)
    with page.expect_response("**/amount"):
        page.keyboard.press("Enter")
    page.wait_for_selector("#enter:not([disabled])")


SHOTS: dict[str, Callable[[Page], None]] = {"idle": idle, "after-entry": typed_in, "qr": code}


def shoot(page: Page, path: Path) -> None:
    """Take the whole page as a small PNG file."""
    picture = Image.open(BytesIO(page.screenshot(full_page=True)))
    picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def shoot_all(browser: Browser, folder: Path, meters: Path) -> None:
    """Every screenshot at every width into `folder`; the meters are made in `meters`."""
    folder.mkdir(parents=True, exist_ok=True)
    for width in ("phone", "desktop"):
        rich, poor = meters / f"rich-{width}", meters / f"poor-{width}"
        url = prepared_meter(rich, balance=BALANCE, items=household(), top_ups=12)
        with running_meter(rich):
            for name, act in SHOTS.items():
                with panel_page(browser, url, width) as page:
                    act(page)
                    shoot(page, folder / f"{name}-{width}.png")
        url = prepared_meter(poor, balance=LITTLE, items=household(water_day=20, rent_day=15))
        with running_meter(poor), panel_page(browser, url, width) as page:
            nothing(page)
            shoot(page, folder / f"prompting-{width}.png")


def main() -> None:
    """Make them in the folder that the command line names."""
    with tempfile.TemporaryDirectory() as place:
        meters = Path(place)
        with chromium(meters) as browser:
            shoot_all(browser, Path(sys.argv[1]), meters)


if __name__ == "__main__":
    main()
