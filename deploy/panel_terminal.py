"""The front panel on a terminal: the same view as the page's, drawn by rich; keys instead of buttons.

Without a terminal it is shown once. Imported by `meterpurse meter panel` when it is called.
"""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel as Frame
from rich.table import Table
from rich.text import Text as Words

from deploy.panel_client import PanelClient, PanelUnreachableError
from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel import TypedAmount
from dlms_objects.meter.panel_texts import Text
from dlms_objects.meter.panel_view import ItemView, Level, PanelView
from dlms_objects.transport.courier_codes import frame_text

POLL_S: Final = 1.0
_LOCAL_FLAGS: Final = 3  # their place in what tcgetattr gives
_STYLES: Final = {Level.GOOD: "green", Level.CARE: "yellow", Level.BAD: "bold red"}
_MARKS: Final = {Level.GOOD: "●", Level.CARE: "■", Level.BAD: "◆"}
_KEYS: Final = Text("E 录入金额 · Q 二维码 · ←→ 翻页 · X 退出", "E amount · Q QR · ←→ turn · X end")
_TOO_SMALL: Final = Text("窗口太小，需要 {columns}×{rows}", "The window is too small; {columns} by {rows} are needed")
_WHICH: Final = Text("项目编号", "Number of the fee")
_AMOUNT: Final = Text("金额", "Amount")
_PIN: Final = Text("密码", "PIN")


class Keyboard(Protocol):
    """Where keys come from."""

    def read(self, timeout_s: float) -> str:
        """A key, or nothing within that time."""
        ...

    def line(self, prompt: str, *, hidden: bool = False) -> str:
        """A line that a person types in; `hidden` shows nothing of it."""
        ...


class TerminalKeyboard:
    """The keys of the controlling terminal, without waiting for Enter."""

    def __init__(self, console: Console) -> None:
        """Lines are asked for on that console."""
        self._console = console
        self._descriptor = sys.stdin.fileno()
        self._usual = termios.tcgetattr(self._descriptor)

    @contextmanager
    def single_keys(self) -> Iterator[None]:
        """While it lasts keys come one by one and are not shown; then the terminal is as it was."""
        tty.setcbreak(self._descriptor)
        try:
            yield
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._usual)

    def read(self, timeout_s: float) -> str:
        """A key, an arrow as `left` or `right`, or nothing within that time."""
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return ""
        key = os.read(self._descriptor, 8).decode(errors="replace")
        return {"\x1b[D": "left", "\x1b[C": "right", "": "x"}.get(key, key[:1].lower())

    def line(self, prompt: str, *, hidden: bool = False) -> str:
        """A line, with the terminal as it usually is, but for the echo of what is hidden."""
        usual = list(self._usual)
        if hidden:
            usual[_LOCAL_FLAGS] &= ~termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, usual)
        try:
            return self._console.input(prompt)
        finally:
            tty.setcbreak(self._descriptor)


class PanelTerminal:
    """The panel as it stands on the terminal: what is shown below the view, and which frame of the code."""

    def __init__(self, client: PanelClient, console: Console) -> None:
        """Show what `client` says on `console`."""
        self._client = client
        self._console = console
        self._words = texts.NOTHING
        self._frames: tuple[str, ...] = ()
        self._frame = 0

    def show_once(self) -> None:
        """Print the view and end; PanelUnreachableError."""
        self._console.print(screen(self._client.page().view, texts.NOTHING))

    def run(self, keyboard: Keyboard) -> None:
        """Show the view until X is pressed, and do what the keys say; PanelUnreachableError at the start only."""
        with Live(self._drawn(), console=self._console, auto_refresh=False, screen=True) as live:
            while (key := keyboard.read(POLL_S)) != "x":
                try:
                    self._press(key, keyboard, live)
                    drawn = self._drawn()
                except PanelUnreachableError as error:
                    drawn = Words(str(error))
                live.update(drawn, refresh=True)

    def _press(self, key: str, keyboard: Keyboard, live: Live) -> None:
        if key == "q":
            was_shown = bool(self._frames)
            self._frames, self._frame = () if was_shown else self._client.frames(), 0
            self._words = texts.NOTHING if self._frames or was_shown else texts.NO_BATCH
        elif key in ("left", "right") and self._frames:
            self._frame = (self._frame + (1 if key == "right" else -1)) % len(self._frames)
        elif key == "e":
            live.stop()
            try:
                self._words = self._enter(keyboard)
            finally:
                live.start()

    def _enter(self, keyboard: Keyboard) -> Text:
        page = self._client.page()
        items = {item.number: item for item in page.view.items if item.takes_amount}
        if not page.view.can_enter:
            return page.view.entry
        self._console.print(_items_table(items.values(), page.view.currency))
        number = keyboard.line(f"{both(_WHICH)}: ") if len(items) > 1 else str(next(iter(items)))
        item = items.get(int(number)) if number.isdecimal() else None
        if item is None:
            return texts.NOT_UNDERSTOOD
        amount = keyboard.line(f"{item.label} {item.due_day} {both(_AMOUNT)}: ")
        pin = keyboard.line(f"{both(_PIN)}: ", hidden=True)
        typed = TypedAmount(pin=pin, number=item.number, due_day=item.due_day, amount=amount, form=page.form)
        return self._client.enter(typed).words

    def _drawn(self) -> RenderableType:
        if self._frames:
            return self._code()
        return screen(self._client.page().view, self._words)

    def _code(self) -> RenderableType:
        lines = frame_text(self._frames[self._frame]).splitlines()
        columns, rows = len(lines[0]), len(lines) + 1
        if self._console.width < columns or self._console.height < rows:
            return Words(both(_TOO_SMALL.filled(columns=columns, rows=rows)))
        code = Words("\n".join(lines), style="bright_white on black", no_wrap=True)
        return Group(code, Words(f"{self._frame + 1} / {len(self._frames)}  {both(_KEYS)}"))


def both(text: Text) -> str:
    """A text in both languages, one after the other."""
    return f"{text.zh} {text.en}"


def screen(view: PanelView, words: Text) -> RenderableType:
    """The view as a frame of lines; `words` is the answer to what was asked last."""
    top = Table.grid(expand=True)
    top.add_column()
    top.add_column(justify="right")
    top.add_row("余额 Balance", view.time)
    top.add_row("", Words(f"{view.balance} {view.currency}", style="bold"))
    message = words if words != texts.NOTHING else view.prompt if view.prompt != texts.NOTHING else texts.ALL_WELL
    due = f"{view.next_due}  {view.next_amount} {view.currency if view.next_amount else ''}" if view.next_due else "--"
    return Frame(
        Group(
            top,
            Words(f"{message.zh}\n{message.en}", style="bold"),
            f"\n下次扣款 Next due  {due}\n",
            _items_table(view.items, view.currency),
            _lamps(view),
            Words(both(view.entry)),
        ),
        title="MeterPurse",
        subtitle=both(_KEYS),
    )


def _items_table(items: Iterable[ItemView], currency: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, box=None)
    for name in ("", "项目 Fee", "下次 Due"):
        table.add_column(name)
    table.add_column(f"金额 {currency}", justify="right")
    table.add_column("状态 State")
    for item in items:
        label = item.label or both(item.kind)
        table.add_row(str(item.number), Words(label), item.due, item.amount or "--", both(item.state))
    return table


def _lamps(view: PanelView) -> Words:
    words = Words("\n")
    for lamp in view.lamps:
        words.append(f"{_MARKS[lamp.level]} ", style=_STYLES[lamp.level])
        words.append(f"{lamp.name.zh} {lamp.name.en}: {lamp.words.zh} {lamp.words.en}   ")
    return words


def run_panel(listen: str) -> None:
    """Show the panel of the meter that listens there: live on a terminal, else once. PanelUnreachableError."""
    console = Console()
    terminal = PanelTerminal(PanelClient(listen), console)
    if not (console.is_terminal and sys.stdin.isatty()):
        terminal.show_once()
        return
    keyboard = TerminalKeyboard(console)
    with keyboard.single_keys():
        terminal.run(keyboard)
