"""Draws the pictures of the documentation: ``python -m docs.screenshots [FOLDER]``.

The app itself on the shipped default, without a terminal, at one event of the run and
with clocks that stand: the same bytes on every machine. The snapshot tests look at the
same moment. Nothing is journalled, and nothing of the user's own is read.
"""

from __future__ import annotations

import asyncio
import html
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct
from textual.pilot import Pilot

from workstation.config import Config, load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.control import Outcome
from workstation.engine.drivers import PlayDriver
from workstation.engine.frames import Focus, Frame
from workstation.engine.order_preview import Preview, Touch
from workstation.engine.recorder import RecorderAnswer
from workstation.engine.script_source import ScriptSource
from workstation.engine.session import Session
from workstation.kernel import SimClock
from workstation.model.commands import (
    AmendOrder,
    Command,
    Inject,
    Override,
    PlaceOrder,
    Reconcile,
)
from workstation.model.instruments import Side
from workstation.model.orders import OrderHistory
from workstation.model.rehearsal import HandOrder, Happening, Transfer
from workstation.model.states import SymbolState
from workstation.paths import shipped_folder
from workstation.ui.app import WorkstationApp

__all__ = [
    "EVENTS",
    "SEEN_FROM",
    "Still",
    "change_behind",
    "make_app",
    "press",
    "read_config",
    "run_to",
    "settle",
]

EVENTS = 39_850
"""Five positions with held stops, one row in CloseWatch, one book that is untrusted."""

_LOCKED_AT = 37_000
SEEN_FROM = 39_650
"""Where a screen begins to look: rates are taken over a second and more."""
_LOCKED = "ETHUSDT"
_QUIET_NS = 40_000_000
# What a run costs is the one figure of it that depends on the machine.
_CPU_NS_PER_EVENT = 10_000
_CALL_NS = 26_000
# A changed cell is tinted for three frames; then a standing run draws the same again.
_MOST_FRAMES = 20
_SAME_FRAMES = 2
_OVERRIDE = (
    *("tab", "tab", "right", "tab", "right", "tab", "left", "tab", "tab"),
    *"news at two",
)
_SIZE = ("0", "full_stop", "1")
_CELL = 12.2
"""Width of a column in Textual's pictures."""
_BLANK = "&#160;"
_TEXT = (
    r'(<text class="[^"]*" x=")([\d.]+)(" y="[^"]*" textLength=")[\d.]+("[^>]*>)'
    rf"((?:{_BLANK})*)([^<]*)</text>"
)
_IMAGES = Path(__file__).parent / "images"


class Picture(Struct, frozen=True):
    """One file: at which size, in which theme, after which keys, with which config."""

    name: str
    columns: int = 120
    rows: int = 40
    theme: str = "harbor-dark"
    keys: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    behind: bool = False
    """Whether the venue's side of the account is changed behind the run's back."""


PICTURES = (
    Picture("monitor"),
    Picture("feeds", keys=("2",)),
    Picture("log", keys=("7",)),
    Picture("strategies", keys=("4",)),
    Picture("override", keys=("o", *_OVERRIDE)),
    Picture("ticket", keys=("b", *["tab"] * 6, *_SIZE)),
    Picture("kill", keys=("ctrl+k",)),
    Picture(
        "chart",
        keys=("tab", "z"),
        overrides=('ui.chart=["bollinger(20, 2)", "macd(12, 26, 9)", "rsi(14)"]',),
    ),
    Picture("reconciliation", 100, 30, keys=("j",), behind=True),
    Picture("monitor-80x24", 80, 24),
    Picture("monitor-light", theme="paper-light"),
    Picture("monitor-okabe", theme="okabe-dark"),
)


class Still:
    """A session at one event, whose CPU times are a fixed price for each event."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.engine = session.engine
        self.aggregator = session.aggregator
        self.reloading = session.reloading

    @property
    def driver(self) -> PlayDriver:
        """The driver: it plays, but its wall clock stands."""
        return self._session.driver

    def take_up(self) -> None:
        """Have no venue whose account is to be taken up."""

    async def drive(self) -> None:
        """Drive the run, whose wall clock stands, until the screen is left."""
        await self._session.drive()

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return a frame that no machine makes different."""
        frame = self._session.frame(cursor, panels, focus)
        tasks = frame.tasks and tuple(
            msgspec.structs.replace(task, cpu_ns=task.events * _CPU_NS_PER_EVENT)
            for task in frame.tasks
        )
        strategies = frame.strategies and tuple(
            msgspec.structs.replace(each, p99_ns=_CALL_NS) for each in frame.strategies
        )
        return msgspec.structs.replace(frame, tasks=tasks, strategies=strategies)

    def order_history(self, order_id: str) -> OrderHistory | None:
        """Return an order's moves."""
        return self._session.order_history(order_id)

    def script_source(self, strategy: str) -> ScriptSource | None:
        """Return the text of a strategy's script, without the folder it lies in."""
        source = self._session.script_source(strategy)
        if source is None:
            return None
        return msgspec.structs.replace(source, path=Path(source.path).name)

    def go_on(self, events: int) -> None:
        """Step to the first quiet moment after ``events``.

        Quiet: nothing is due for a while. The driver's wall clock stands, so it would
        look for the next event again and again, the sooner the busier.
        """
        engine = self.engine
        while engine.delivered < events or self._left_ns() < _QUIET_NS:
            engine.step()

    def _left_ns(self) -> int:
        due = self.engine.sources.peek_ts()
        return _QUIET_NS if due is None else due - self.engine.clock.now()

    def execute(self, command: Command) -> Outcome:
        """Take a command."""
        return self._session.execute(command)

    def preview_order(self, command: PlaceOrder | AmendOrder) -> Preview:
        """Return what an order would do."""
        return self._session.preview_order(command)

    def touch(self, instrument: str) -> Touch:
        """Return the best prices."""
        return self._session.touch(instrument)

    def toggle_recording(self, name: str) -> RecorderAnswer:
        """Refuse: a picture writes nothing."""
        return RecorderAnswer(False, f"{name} is not recorded in a picture")

    def close(self) -> None:
        """End the run."""
        self._session.close()


def read_config(
    theme: str = "harbor-dark", *overrides: str, config: str = "default.toml"
) -> Config:
    """Return a shipped config with everything that a user can choose set."""
    return load_config(
        shipped_folder("config") / config,
        (
            'journal.path=""',
            "engine.frame_hz=0.5",
            # A slow or busy machine must not show in a picture as a script cut short.
            "engine.script_budget_ms=60000",
            "ui.layout=1",
            'ui.glyphs="unicode"',
            f'ui.theme="{theme}"',
            *overrides,
        ),
        seed=7,
    )


def run_to(config: Config, events: int = EVENTS) -> Still:
    """Return the run at its first quiet moment after ``events``.

    On the way the operator locks one symbol.
    """
    still = Still(assemble_session(config.run, wall=SimClock()))
    engine = still.engine
    engine.start()
    still.go_on(min(events, _LOCKED_AT))
    if events > _LOCKED_AT:
        lock = Override(
            strategy="ema_cross",
            instrument=_LOCKED,
            state=SymbolState.WATCH,
            lock=True,
            expires_ns=engine.clock.now() + 900_000_000_000,
            reason="venue maintenance at midnight",
        )
        outcome = still.execute(lock)
        assert outcome.accepted, outcome.detail
        still.go_on(events)
    return still


def change_behind(still: Still) -> None:
    """Let money come to the venue, and orders by hand; ask until that counts.

    From ``SEEN_FROM`` on; what that takes of the run's time ends before ``EVENTS``.
    """
    bid = still.touch("BTCUSDT").bid
    assert bid is not None
    below = (Decimal(repr(bid)) * Decimal("0.98")).quantize(Decimal("0.01"))
    lot = Decimal("0.01")
    happenings: tuple[Happening, ...] = (
        Transfer(currency="USDT", amount=Decimal(250)),
        Transfer(currency="BTC", amount=lot),
        HandOrder(instrument="BTCUSDT", side=Side.BUY, quantity=lot, price=below),
        HandOrder(instrument="ETHUSDT", side=Side.SELL, quantity=Decimal("0.5")),
    )
    commands: list[Command] = [Inject(event=event) for event in happenings]
    for command in commands:
        assert still.execute(command).accepted
    for events in (SEEN_FROM + 20, SEEN_FROM + 180):
        still.go_on(events)
        assert still.execute(Reconcile()).accepted


def make_app(config: Config, still: Still) -> WorkstationApp:
    """Return the app over a run that stands; its own clock stands too."""
    return WorkstationApp(
        config,
        session=still,
        themes=(shipped_folder("themes"),),
        environ={"TERM": "xterm-256color"},
        wall=SimClock(),
    )


async def press(
    pilot: Pilot[int], keys: Sequence[str], *, events: int = EVENTS
) -> None:
    """Press keys at the moment of ``events`` and wait until the picture stands.

    A digit that comes first is pressed a little before the moment, because rates need
    two looks at the run.
    """
    still = _app(pilot).bridge.session
    while still is None:
        await pilot.pause()
        still = _app(pilot).bridge.session
    assert isinstance(still, Still)
    layout, rest = (keys[:1], keys[1:]) if keys and keys[0].isdigit() else ((), keys)
    for key in layout:
        await pilot.press(key)
        await settle(pilot)
    _app(pilot).bridge_now()
    await pilot.pause()
    still.go_on(events)
    if rest:
        _app(pilot).bridge_now()
        await pilot.pause()
    for key in rest:
        await pilot.press(key)
        await pilot.pause()
    await settle(pilot)


async def settle(pilot: Pilot[int]) -> None:
    """Pump by hand until frames change nothing any more."""
    app = _app(pilot)
    before, same = "", 0
    for _ in range(_MOST_FRAMES):
        ritual = app.open_ritual()
        if ritual is not None and not ritual.armed:
            # Its own timer says the same a little later.
            ritual.arm()
        app.bridge_now()
        await pilot.pause()
        after = app.export_screenshot()
        same = same + 1 if after == before else 0
        if same == _SAME_FRAMES:
            return
        before = after
    raise RuntimeError(f"the screen still changes after {_MOST_FRAMES} frames")


def _app(pilot: Pilot[int]) -> WorkstationApp:
    assert isinstance(pilot.app, WorkstationApp)
    return pilot.app


async def draw(picture: Picture) -> str:
    """Return a picture as SVG."""
    config = read_config(picture.theme, *picture.overrides)
    still = run_to(config, SEEN_FROM)
    if picture.behind:
        change_behind(still)
    app = make_app(config, still)
    async with app.run_test(size=(picture.columns, picture.rows)) as pilot:
        await press(pilot, picture.keys)
        return _plain(app.export_screenshot(simplify=True))


def _plain(svg: str) -> str:
    """Return the SVG without Textual's number and without fonts from the web.

    Text begins at its first sign: some viewers drop the blanks in front of it.
    """
    svg = re.sub(r"\bterminal-\d+-", "terminal-", svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(_TEXT, _begin_at_sign, svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE).strip() + "\n"


def _begin_at_sign(match: re.Match[str]) -> str:
    before, x, between, rest, blanks, text = match.groups()
    indent = len(blanks) // len(_BLANK)
    text = re.sub(f"(?:{_BLANK})+$", "", text)
    if not text:
        return ""
    cells = len(html.unescape(text))
    left = f"{float(x) + indent * _CELL:g}"
    return f"{before}{left}{between}{cells * _CELL:g}{rest}{text}</text>"


def main(folder: Path) -> None:
    """Write all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        path = folder / f"{picture.name}.svg"
        path.write_text(asyncio.run(draw(picture)), encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _IMAGES)
