"""The front panel in a real browser: keyboard only, at a phone's width, its codes read from the picture."""

import io
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page

from dlms_objects.classes.courier_frames import FrameCollection
from dlms_objects.meter.panel_pin import FREE_FAILURES
from tests.e2e.panel_screenshots import SHOTS, enter_amount, shoot, shoot_all
from tests.support.courier_headend import CourierHeadEnd
from tests.support.panels import (
    NOON,
    PIN,
    WIDTHS,
    chromium,
    household,
    panel_page,
    prepared_meter,
    running_meter,
)
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e

TOP_UPS = 12
BALANCE = 1_234_550
MOST_OCTETS = 60_000  # of a screenshot in docs/


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium for all of these tests."""
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the meter of a test lives."""
    return tmp_path / "meter"


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """The page of a running meter with some money and three fees."""
    url = prepared_meter(folder, balance=BALANCE, items=household(), top_ups=TOP_UPS)
    with running_meter(folder):
        yield url


def words(page: Page, name: str) -> str:
    """The text of the part of that name."""
    return page.inner_text(f"#{name}")


def test_the_fees_come_in_turn_by_keyboard(browser: Browser, url: str) -> None:
    with panel_page(browser, url) as page:
        assert (words(page, "balance"), words(page, "currency")) == ("12345.50", "CNY")
        assert words(page, "time") == f"{NOON:%Y-%m-%d %H:%M}"
        assert words(page, "message-en") == "All is well"
        seen = []
        for _ in range(4):
            seen.append((words(page, "item-name"), words(page, "item-amount"), words(page, "item-turn")))
            page.keyboard.press("ArrowRight")
        assert seen == [
            ("水费 3-502", "--", "1 / 3"),
            ("房租 3-502", "3500.00 CNY", "2 / 3"),
            ("B2-117", "300.00 CNY", "3 / 3"),
            ("水费 3-502", "--", "1 / 3"),
        ]


def test_the_prompt_to_top_up_is_shown_in_both_languages(browser: Browser, folder: Path) -> None:
    url = prepared_meter(folder, balance=36_000, items=household(rent_day=15))
    with running_meter(folder), panel_page(browser, url) as page:
        assert words(page, "message-zh") == "余额不足，请在2026-06-15前充值3140.00 CNY。"
        assert words(page, "message-en") == "Please top up 3140.00 CNY by 2026-06-15."
        assert page.get_attribute("#message", "aria-live") == "polite"
        assert "将不足\nshort soon" in page.inner_text("#lamps li.care")


def test_an_amount_is_typed_in_by_keyboard_only(browser: Browser, url: str) -> None:
    with panel_page(browser, url) as page:
        for _ in range(12):
            if page.locator("#amount").evaluate("field => field === document.activeElement"):
                break
            page.keyboard.press("Tab")
            outline = page.locator(":focus").evaluate("part => getComputedStyle(part).outlineStyle")
            assert outline == "solid"
        page.keyboard.type("86.40")
        page.keyboard.press("Tab")
        page.keyboard.type(PIN)
        with page.expect_response("**/amount"):
            page.keyboard.press("Enter")
        page.wait_for_selector("#enter:not([disabled])")
        assert words(page, "message-zh") == "已录入：水费 3-502 86.40 CNY"
        page.wait_for_selector("#item-amount:has-text('86.40 CNY')")
        assert page.input_value("#pin") == ""


def test_the_keypad_writes_to_the_field_last_chosen(browser: Browser, url: str) -> None:
    with panel_page(browser, url) as page:
        for key in "86.45":
            page.click(f'[data-key="{key}"]')
        page.click('[data-key="back"]')
        page.click('[data-key="0"]')
        assert page.input_value("#amount") == "86.40"
        page.focus("#pin")
        for key in PIN:
            page.click(f'[data-key="{key}"]')
        assert (page.input_value("#amount"), page.input_value("#pin")) == ("86.40", PIN)
        with page.expect_response("**/amount"):
            page.click("#enter")
        page.wait_for_selector("#message-en:has-text('Taken: 水费 3-502 86.40 CNY')")


def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_name(browser: Browser, url: str) -> None:
    forms = []
    with panel_page(browser, url) as page:
        page.on("request", lambda asked: forms.append(asked.post_data_json["form"]) if asked.post_data else None)
        lose = {"wanted": True}

        def answer(route: object) -> None:
            fetched = route.fetch()  # type: ignore[attr-defined] # the meter has done it
            if lose.pop("wanted", False):
                route.fulfill(status=200, content_type="application/json", body="{")  # type: ignore[attr-defined]
            else:
                route.fulfill(response=fetched)  # type: ignore[attr-defined]

        page.route("**/amount", answer)
        enter_amount(page, "86.40")
        page.keyboard.press("Enter")
        page.wait_for_selector("#message-en:has-text('Taken already: 水费 3-502 86.40 CNY')")
    assert len(forms) == 2
    assert len(set(forms)) == 1


def test_a_wrong_pin_is_told_and_after_some_the_entry_closes(browser: Browser, url: str) -> None:
    with panel_page(browser, url) as page:
        for _ in range(FREE_FAILURES):
            enter_amount(page, "86.40", "111111")
            page.wait_for_selector("#message-en:has-text('Wrong PIN')")
            page.fill("#amount", "")
        enter_amount(page, "86.40", "111111")
        page.wait_for_selector("#message-en:has-text('Too many wrong PINs: try again in 30 s')")
        page.wait_for_selector("#entry-fields[disabled]")


def test_without_a_pin_the_display_says_that_nothing_can_be_typed_in(browser: Browser, folder: Path) -> None:
    url = prepared_meter(folder, balance=BALANCE, items=household(), pin=None)
    with running_meter(folder), panel_page(browser, url) as page:
        assert words(page, "entry-zh") == "未设密码，不能录入金额"
        assert page.is_disabled("#amount")


@pytest.mark.parametrize("width", list(WIDTHS))
def test_the_codes_on_the_picture_make_a_batch_that_the_headend_believes(
    browser: Browser, url: str, folder: Path, tmp_path: Path, width: str
) -> None:
    collected = FrameCollection()
    with panel_page(browser, url, width) as page:
        SHOTS["qr"](page)
        while not collected.is_complete:
            shoot(page, tmp_path / "qr.png")
            (code,) = zxingcpp.read_barcodes(Image.open(tmp_path / "qr.png"))
            assert collected.add(code.text)
            page.keyboard.press("ArrowRight")
            page.locator("#code-picture").evaluate("picture => picture.decode()")
        page.keyboard.press("Escape")
        assert page.is_hidden("#code")
    head_end = CourierHeadEnd(folder / "keys" / "courier.toml")
    assert head_end.take(collected.batch()) == TOP_UPS
    assert head_end.balance == BALANCE


def test_nothing_is_wider_than_the_screen(browser: Browser, url: str) -> None:
    with panel_page(browser, url) as page:
        page.keyboard.press("q")
        page.wait_for_selector("#code:not([hidden])")
        assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["phone"][0]


def test_the_screenshots_can_be_made_and_are_small(browser: Browser, tmp_path: Path) -> None:
    shoot_all(browser, tmp_path / "docs", tmp_path)
    made = sorted((tmp_path / "docs").iterdir())
    kept = sorted((ROOT / "docs" / "panel").glob("*.png"))
    assert [path.name for path in made] == [path.name for path in kept]
    assert len(made) == 8
    for path in [*made, *kept]:
        assert path.stat().st_size < MOST_OCTETS
        assert Image.open(io.BytesIO(path.read_bytes())).width == WIDTHS[path.stem.rpartition("-")[2]][0]


def test_an_amount_is_typed_in_on_a_terminal(url: str, folder: Path) -> None:
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "deploy", "meter", "panel", str(folder)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "50"}
    process = subprocess.Popen(command, cwd=ROOT, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    try:
        heard = until(mine, "12345.50 CNY")
        os.write(mine, b"e")
        heard += until(mine, "Amount: ")
        os.write(mine, b"86.40\n")
        heard += until(mine, "PIN: ")
        os.write(mine, PIN.encode() + b"\n")
        heard += until(mine, "Taken: 水费 3-502 86.40 CNY")
        os.write(mine, b"x")
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(mine)
    assert PIN not in heard
    assert url


def until(descriptor: int, words: str) -> str:
    """What the terminal shows up to these words; AssertionError after 20 s."""
    heard, end_s = b"", time.monotonic() + 20
    while words not in heard.decode(errors="ignore"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, end_s - time.monotonic()))
        assert ready, heard.decode(errors="replace")
        heard += os.read(descriptor, 4096)
    return heard.decode(errors="replace")
