"""Frames: what the screen (or a remote one) is shown, immutable, pulled at its pace.

``FrameSource.frame`` makes one from the engine between inputs. Money and quantities
are Decimal, market figures float, ages ns; None means not known and is drawn as such.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.engine.recording_writer import TapeStatus
from workstation.engine.store import Numbered
from workstation.indicators import Drawing, Pane, Request
from workstation.kernel import ChannelStats, TaskStats
from workstation.model.market import Level
from workstation.model.opportunities import Opportunity
from workstation.model.orders import Order, OrderRole
from workstation.model.positions import Position
from workstation.model.records import LockRecord, StateRecord
from workstation.model.states import BookTrust, Gate, SymbolState
from workstation.model.timeframes import Timeframe

__all__ = [
    "Alert",
    "BookCount",
    "BookFrame",
    "CandleRow",
    "ChartFrame",
    "FeedRow",
    "FigureHead",
    "FigureRow",
    "FigureTable",
    "Focus",
    "Frame",
    "GapRow",
    "Header",
    "IndicatorRow",
    "MachineFrame",
    "Marker",
    "Move",
    "OpportunityRow",
    "OpportunityTable",
    "OrderRow",
    "OwnFill",
    "OwnLevel",
    "Plot",
    "PlotLine",
    "PositionRow",
    "SymbolRow",
    "TapeFrame",
    "TradeRow",
]


class Focus(Struct, frozen=True):
    """What the panels of one symbol show.

    The chart shows bars of ``timeframe`` with the indicators ``plots`` besides those of
    the script; without a timeframe, or where it is not built, the strategy's own bars
    times ``factor``. The book has ``levels`` of each side, each of ``group`` ticks.
    """

    strategy: str
    instrument: str
    timeframe: Timeframe | None = None
    bars: int = 120
    levels: int = 50
    group: int = 1
    factor: int = 1
    plots: tuple[Request, ...] = ()


class Header(Struct, frozen=True, kw_only=True):
    """The four answers of the two header lines."""

    mode: str
    word: str
    speed: float
    account: str
    ts: int | None
    events: int
    events_total: int | None
    progress: float | None
    feeds_ok: int
    feeds: int
    worst_age_ns: int | None
    books_ok: int
    books: int
    unknown_orders: int
    currency: str
    equity: Decimal
    day_pnl: Decimal
    day_percent: float | None
    open_pnl: Decimal
    fees: Decimal
    exposure: Decimal
    exposure_percent: float | None
    band: str
    limit_percent: float | None
    positions: int
    orders: int
    hold_since_ns: int | None
    kill: str | None
    kill_reason: str
    held_protection: int
    journal: str
    journal_failure: str | None


class SymbolRow(Struct, frozen=True, kw_only=True):
    """One (instrument, strategy) row; ``why_not`` is the first gate that fails.

    ``since_ns`` is for how long it has been in its state, ``waiting`` the signed
    quantity of an entry that follows once the position is closed. Open P&L and the
    stop's distance are taken from ``mark``, the middle of the quote (else the last
    price).
    """

    key: str
    instrument: str
    symbol: str
    strategy: str
    decimals: int
    state: SymbolState | None
    manual: bool
    manual_until_ns: int | None
    since_ns: int | None
    last: float | None
    mark: float | None = None
    change_percent: float | None
    spread_bps: float | None
    age_ns: int | None
    distrust: str | None
    position: Decimal
    waiting: Decimal = Decimal(0)
    quantity_decimals: int
    open_pnl: Decimal | None
    stop_percent: float | None
    why_not: str
    version: int


class OrderRow(Struct, frozen=True, kw_only=True):
    """An order with how far it is from the market, in percent."""

    order: Order
    symbol: str
    decimals: int
    quantity_decimals: int
    price: Decimal | None
    away_percent: float | None
    age_ns: int
    held: bool
    version: int


class PositionRow(Struct, frozen=True, kw_only=True):
    """A position valued at ``mark``."""

    position: Position
    symbol: str
    decimals: int
    quantity_decimals: int
    last: float | None
    mark: float | None = None
    open_pnl: Decimal | None
    stop_percent: float | None
    age_ns: int | None
    version: int


class BookCount(Struct, frozen=True, kw_only=True):
    """What is proven of one book: its end and what it was built from."""

    symbol: str
    decimals: int
    update_id: int
    bid: Level | None
    ask: Level | None
    bid_levels: int
    ask_levels: int
    trust: BookTrust
    reason: str = ""
    applied: int
    dropped: int
    gaps: int
    crossed: int
    replaced: int = 0
    refused: int = 0


class FeedRow(Struct, frozen=True, kw_only=True):
    """One feed: ``rate`` in events per second of the run's own time.

    ``recording`` is what is on disk of it while it is recorded, else None.
    ``worst_symbol`` has been silent for longest, for ``worst_ns``. Of ``book_count``
    books ``books_ok`` are trusted; ``distrusted`` is the first that is not, and why.
    ``books`` are all of them, made where ``feed_books`` are asked for.
    """

    name: str
    kind: str
    state: str
    events: int
    rate: float
    age_ns: int | None
    gaps: int
    skipped: int
    shed: int
    last_error: str
    symbols: int
    worst_symbol: str = ""
    worst_ns: int | None = None
    books_ok: int = 0
    book_count: int = 0
    distrusted: str = ""
    books: tuple[BookCount, ...] = ()
    recording: TapeStatus | None = None


class GapRow(Struct, frozen=True, kw_only=True):
    """One entry of the gap ledger; ``until_ns`` None = still open.

    ``tries`` counts the wishes for a whole book, ``asked`` tells whether the feed can
    be asked for one (a recording cannot), ``mended`` what brought the trust back.
    """

    ts: int
    instrument: str
    feed: str = ""
    reason: str
    expected: int | None
    got: int | None
    until_ns: int | None
    tries: int = 0
    asked: bool = True
    mended: str = ""


class OpportunityRow(Struct, frozen=True, kw_only=True):
    """One ordered pair of venues: what is open, or has just ended (``end`` says why).

    ``age_ns`` is how long it has lived, or did; ``seen`` how often the pair had one.
    """

    opportunity: Opportunity
    buy_venue: str
    sell_venue: str
    buy_decimals: int
    sell_decimals: int
    quantity_decimals: int
    age_ns: int
    best_bps: float
    seen: int
    end: str
    reason: str


class OpportunityTable(Struct, frozen=True, kw_only=True):
    """What the detector sees, and what it is able to see.

    ``markets`` counts those with two venues or more, ``found`` all opportunities of
    the run; ``apart`` says why instruments of one market are not compared.
    """

    enabled: bool
    markets: int = 0
    watches_spreads: bool = False
    found: int = 0
    apart: tuple[str, ...] = ()
    rows: tuple[OpportunityRow, ...] = ()


class IndicatorRow(Struct, frozen=True, kw_only=True):
    """One running indicator at the last closed bar; a NaN or None is no value.

    ``before`` are its values a bar earlier, ``trail`` those of the first output at the
    last bars. It has values from ``needed`` bars on; ``bars`` have closed.
    """

    key: str
    instrument: str
    timeframe: str
    name: str
    params: str
    outputs: tuple[str, ...]
    values: tuple[float, ...] | None
    before: tuple[float, ...] | None
    trail: tuple[float, ...]
    bars: int
    needed: int
    decimals: int


class FigureHead(Struct, frozen=True, kw_only=True):
    """What a figure is, and which processor gives it."""

    name: str
    unit: str
    processor: str
    text: str
    none_when: str


class FigureRow(Struct, frozen=True, kw_only=True):
    """The figures of one instrument, in the order of the heads; None = not known."""

    instrument: str
    decimals: int
    values: tuple[float | None, ...]


class FigureTable(Struct, frozen=True, kw_only=True):
    """The processors' figures of all instruments."""

    heads: tuple[FigureHead, ...]
    rows: tuple[FigureRow, ...]


CandleRow = tuple[int, float, float, float, float, float]
"""(ts_open, open, high, low, close, volume)."""


class Marker(Struct, frozen=True):
    """A fill on the chart: ``side`` +1 bought, −1 sold; ``role`` is its order's."""

    ts: int
    price: float
    side: int
    role: OrderRole = OrderRole.ENTRY


class Move(Struct, frozen=True):
    """A price of a row that holds from ``ts`` on; None = there is none."""

    ts: int
    price: float | None


class PlotLine(Struct, frozen=True):
    """One output along the closed bars; None where it has no value."""

    name: str
    drawing: Drawing
    values: tuple[float | None, ...]


class Plot(Struct, frozen=True, kw_only=True):
    """An indicator on the chart; ``added`` by the operator, not by a script.

    ``key`` is the request as one writes it: ``ema(20)``. One that is ``scripted`` is no
    indicator but what a script drew under that name.
    """

    key: str
    label: str
    pane: Pane
    bounds: tuple[float, float] | None
    lines: tuple[PlotLine, ...]
    added: bool
    scripted: bool = False


class ChartFrame(Struct, frozen=True, kw_only=True):
    """Closed bars oldest first, the forming one, indicators and own trading.

    ``timeframe`` is shown, ``own`` the row's, ``choices`` what could be shown; None
    where no bars are built. ``number`` counts the closed bars before the first one
    here. ``held`` and ``stops`` are average entry price and stop through time.
    """

    instrument: str
    symbol: str
    decimals: int
    timeframe: Timeframe | None = None
    own: Timeframe | None = None
    choices: tuple[Timeframe, ...] = ()
    number: int = 0
    bars: tuple[CandleRow, ...] = ()
    forming: CandleRow | None = None
    plots: tuple[Plot, ...] = ()
    markers: tuple[Marker, ...] = ()
    held: tuple[Move, ...] = ()
    stops: tuple[Move, ...] = ()
    levels: tuple[tuple[str, float], ...] = ()


class OwnLevel(Struct, frozen=True, kw_only=True):
    """Own orders at one price: ``side`` +1 buys, ``held`` = not at the venue."""

    price: float
    side: int
    quantity: float
    held: bool


class BookFrame(Struct, frozen=True, kw_only=True):
    """The book of one symbol, best levels first, each of ``group`` ticks.

    ``distrust`` is why nothing may trade on it (stale, untrusted) and ``distrust_ns``
    for how long, as far as is known; ``remedy`` is what will mend it. Spread,
    imbalance (of the five best prices) and microprice are of the ungrouped book.
    ``mine`` are own orders, the dearest first.
    """

    instrument: str
    symbol: str
    decimals: int
    quantity_decimals: int
    trust: BookTrust
    reason: str
    distrust: str | None
    distrust_ns: int | None
    remedy: str
    tick: float
    group: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    spread: float | None
    spread_bps: float | None
    imbalance: float | None
    microprice: float | None
    applied: int
    gaps: int
    mine: tuple[OwnLevel, ...]


TradeRow = tuple[int, float, float, int]
"""(ts, price, size, aggressor: +1 bought, −1 sold, 0 not known)."""


class OwnFill(Struct, frozen=True, kw_only=True):
    """One of our fills; ``number`` counts all fills of the run, ``side`` +1 bought."""

    number: int
    ts: int
    price: float
    size: float
    side: int


class TapeFrame(Struct, frozen=True, kw_only=True):
    """The last trades of one symbol, oldest first; ``total`` ever counts them all.

    ``mean_size`` and ``buy_share`` (of the volume whose side is known) are of the whole
    window that is kept. ``bars_only``: the feed brings bars and no trades.
    """

    instrument: str
    symbol: str
    decimals: int
    quantity_decimals: int
    total: int
    trades: tuple[TradeRow, ...]
    fills: tuple[OwnFill, ...]
    mean_size: float | None
    buy_share: float | None
    is_kept: bool
    bars_only: bool


class MachineFrame(Struct, frozen=True, kw_only=True):
    """One row in full: state, position, protection, gates, history newest first."""

    row: SymbolRow
    position: Position
    stop: Decimal | None
    target: Decimal | None
    stop_held: bool
    script: str
    answer: str
    gates: tuple[Gate, ...]
    history: tuple[StateRecord | LockRecord, ...]
    params: tuple[tuple[str, str], ...]
    calls: int


class Alert(Struct, frozen=True, kw_only=True):
    """Something an operator should know: cause, what it means, how often."""

    id: int
    ts: int
    last_ts: int
    severity: str
    subject: str
    instrument: str
    text: str
    remedy: str
    count: int
    active: bool


class Frame(Struct, frozen=True, kw_only=True):
    """What one reader asked for; panels it did not name are None.

    Besides these fields one may ask for ``feed_books``: feeds with all their books.
    """

    seq: int
    ts: int
    cursor: int
    missed: int
    header: Header
    alerts: tuple[Alert, ...]
    records: tuple[Numbered, ...]
    injected: frozenset[int]
    symbols: tuple[SymbolRow, ...] | None = None
    orders: tuple[OrderRow, ...] | None = None
    positions: tuple[PositionRow, ...] | None = None
    feeds: tuple[FeedRow, ...] | None = None
    gaps: tuple[GapRow, ...] | None = None
    tasks: tuple[TaskStats, ...] | None = None
    channels: tuple[ChannelStats, ...] | None = None
    indicators: tuple[IndicatorRow, ...] | None = None
    figures: FigureTable | None = None
    opportunities: OpportunityTable | None = None
    chart: ChartFrame | None = None
    book: BookFrame | None = None
    tape: TapeFrame | None = None
    machine: MachineFrame | None = None
