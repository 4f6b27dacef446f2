"""A meter with a front panel, run as its users do, and Chromium before it.

Chromium is Debian's; where it is missing the test is skipped on a developer's machine and fails in CI (`CI=true`).
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.demo.influxdb import free_port
from dlms_objects.meter.panel_pin import PIN_NAME, PinHash
from dlms_objects.meter.panel_view import EntryLock, PanelView, panel_view
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from tests.support.command_line import served
from tests.support.memory_network import MemoryReactor
from tests.support.meters import MeterWorld, plain_parameters

PIN = "270614"
NOON = datetime.fromisoformat("2026-06-10T12:00:00+08:00")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"phone": (360, 740), "desktop": (1280, 800)}
WATER, RENT, PARKING = 1, 2, 3


def empty_view() -> PanelView:
    """What a new meter's panel shows at NOON."""
    state = PurseState.new(SystemTitle(b"MPR\x00\x00\x00\x00\x01"), Currency("CNY", -2), Settings())
    view = panel_view(state, NOON, {}, EntryLock(), supply_on=True)
    return replace(view, time="2026-06-10 12:00", lamps=view.lamps[:1])


def household(*, water_day: int = 20, rent_day: int = 1) -> dict[int, dict[str, Any]]:
    """A water bill typed in by hand, the rent, and a parking space, as plain parameters by number."""
    water = {"kind": "water", "label": "水费 3-502", "payee": "waterworks", "amount_source": "manual", "amount": 0}
    parking = {"kind": "parking", "label": "B2-117", "payee": "parking", "amount": 30_000}
    return {
        WATER: plain_parameters(**water, schedule={"day": water_day}),
        RENT: plain_parameters(label="房租 3-502", schedule={"day": rent_day}),
        PARKING: plain_parameters(**parking, schedule={"day": 28}),
    }


def prepared_meter(
    folder: Path, *, balance: int, items: dict[int, dict[str, Any]], pin: str | None = PIN, top_ups: int = 1
) -> str:
    """Make a meter at NOON with that balance (minor units, in so many top-ups) and those fee items; its page's URL.

    Its clock nearly stands still. It is not running when this returns.
    """
    port = free_port()
    world = MeterWorld(folder, start=False, clock_start=NOON, clock_rate=0.001)
    with world.made.config.open("a") as config:
        config.write(f'[panel]\nlisten = "127.0.0.1:{port}"\n')
    world.reactor = MemoryReactor(time.time())
    world.options = {"clock": {"start": NOON, "rate": 0.001}}
    world.start()
    client = world.connect()
    for number in range(top_ups):
        client.top_up(number + 1, balance // top_ups + (balance % top_ups if number == 0 else 0))
    for number, parameters in items.items():
        client.set_item("parameters", parameters, number)
    client.release()
    world.stop()
    if pin is not None:
        PinHash.of(pin).save(folder / PIN_NAME)
    return f"http://127.0.0.1:{port}"


@contextmanager
def panel_page(browser: Browser, url: str, width: str = "phone") -> Iterator[Page]:
    """A page that shows the panel, with nothing that turns by itself; an error of its script fails the test."""
    across, down = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": across, "height": down}, reduced_motion="reduce", device_scale_factor=1
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    try:
        yield page
    finally:
        context.close()
    assert not errors, errors


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Debian's Chromium, headless, with a profile of its own in `folder`."""
    program = shutil.which("chromium")
    if program is None:
        missing = "chromium is not installed (Debian package: chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=FLAGS, env={**os.environ, "HOME": str(folder)}
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def running_meter(folder: Path) -> Iterator[None]:
    """`meterpurse meter run` on that folder while the block lasts; it must end in good order."""
    with served("meter", "run", folder) as serving:
        yield
    assert serving.code == 0, serving.err
