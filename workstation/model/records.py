"""Records: one per state change — what was, what is, and the input that caused it.

Parts return them through ``Core.record``; the store applies and publishes them, the
decision hash runs over them, the journal keeps them and the log shows them. ``seq``
is the cause, ``ts`` the run's clock. They carry no wall time and no counters.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.limits import BreakerState
from workstation.model.market import Bar
from workstation.model.opportunities import Opportunity, OpportunityEnd
from workstation.model.orders import Fill, Order, OrderEvent, OrderRole, OrderStatus
from workstation.model.positions import Position
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.signals import Signal
from workstation.model.states import BookTrust, PositionBand, SymbolState
from workstation.model.trades import ClosedTrade

__all__ = [
    "BalanceRecord",
    "BandRecord",
    "BarRecord",
    "BookRecord",
    "BreakerRecord",
    "CommandRecord",
    "ControlRecord",
    "DenyRecord",
    "DifferenceRecord",
    "FaultRecord",
    "FeedRecord",
    "FillRecord",
    "FlattenedRecord",
    "LimitRecord",
    "LockRecord",
    "LossBaseRecord",
    "NoteRecord",
    "OpportunityRecord",
    "OrderRecord",
    "OwedRecord",
    "OwnerRecord",
    "ParamsRecord",
    "PositionRecord",
    "ProtectionRecord",
    "Record",
    "RequoteRecord",
    "ResyncRecord",
    "SignalRecord",
    "StateRecord",
    "TaskRecord",
    "TradeRecord",
]


class BarRecord(Struct, frozen=True, gc=False, tag="bar"):
    """A bar became final; ``tape`` digests every tick of the instrument so far."""

    seq: int
    ts: int
    bar: Bar
    tape: int


class BookRecord(Struct, frozen=True, gc=False, tag="book"):
    """A book's trust changed; ``expected``/``got`` are update ids where they apply."""

    seq: int
    ts: int
    instrument: str
    before: BookTrust
    after: BookTrust
    reason: str
    expected: int | None = None
    got: int | None = None


class ResyncRecord(Struct, frozen=True, gc=False, kw_only=True, tag="resync"):
    """A whole book was wished for; ``again_ns`` is when it will be if none comes.

    It says nothing of the feed: whether that can be asked is the edge's to know.
    """

    seq: int
    ts: int
    instrument: str
    attempt: int
    again_ns: int
    reason: str = ""


class SignalRecord(Struct, frozen=True, gc=False, tag="signal"):
    """A row asked the Executor for something."""

    seq: int
    ts: int
    signal: Signal


class RequoteRecord(Struct, frozen=True, gc=False, kw_only=True, tag="requote"):
    """A row's desired orders were compared with its working ones.

    ``cause`` is what made the Executor look; the counts say what it decided, and
    ``why`` the first decisions other than to keep, with their numbers.
    """

    seq: int
    ts: int
    strategy: str
    instrument: str
    cause: str
    bids: int
    asks: int
    kept: int = 0
    modified: int = 0
    canceled: int = 0
    placed: int = 0
    waiting: int = 0
    dropped: int = 0
    denied: int = 0
    why: tuple[str, ...] = ()
    reason: str = ""


class StateRecord(Struct, frozen=True, gc=False, kw_only=True, tag="state"):
    """A row moved by the symbol machine, or stayed on a trigger that it allows.

    ``who`` is ``script``, ``engine``, or the origin of the command that did it.
    """

    seq: int
    ts: int
    strategy: str
    instrument: str
    before: SymbolState
    after: SymbolState
    trigger: str
    who: str
    reason: str = ""


class LockRecord(Struct, frozen=True, gc=False, kw_only=True, tag="lock"):
    """A row was locked in manual, or handed back; ``until_ns`` None = no end."""

    seq: int
    ts: int
    strategy: str
    instrument: str
    before: bool
    after: bool
    until_ns: int | None = None
    who: str = "operator"
    reason: str = ""


class ParamsRecord(Struct, frozen=True, gc=False, kw_only=True, tag="params"):
    """Parameters of a row's script changed; only those that did are named."""

    seq: int
    ts: int
    strategy: str
    instrument: str
    before: dict[str, bool | int | float | str]
    after: dict[str, bool | int | float | str]
    who: str = "operator"
    reason: str = ""


class OrderRecord(Struct, frozen=True, gc=False, tag="order"):
    """An order moved in its table; ``order`` is what it is now.

    ``worth`` is the price a market entry was judged at as it left.
    """

    seq: int
    ts: int
    order: Order
    before: OrderStatus
    event: OrderEvent
    reason: str = ""
    worth: Decimal | None = None


class DenyRecord(Struct, frozen=True, gc=False, kw_only=True, tag="deny"):
    """The risk stage refused an order: stable code, text with the numbers."""

    seq: int
    ts: int
    owner: str
    instrument: str
    role: OrderRole
    code: str
    text: str


class FillRecord(Struct, frozen=True, gc=False, tag="fill"):
    """One execution, booked."""

    seq: int
    ts: int
    fill: Fill


class PositionRecord(Struct, frozen=True, gc=False, tag="position"):
    """An owner's position before and after a fill or a hand-over."""

    seq: int
    ts: int
    before: Position
    after: Position


class OwnerRecord(Struct, frozen=True, gc=False, kw_only=True, tag="owner"):
    """An order that was made at the venue got another owner here; its role too."""

    seq: int
    ts: int
    order_id: str
    instrument: str
    before: str
    after: str
    role: OrderRole
    who: str = "operator"
    reason: str = ""


class ProtectionRecord(Struct, frozen=True, gc=False, kw_only=True, tag="protection"):
    """What a position is to be protected by is something else now; None = not by that.

    ``best`` is the best price so far; where a trailing stop follows it from there, the
    records of its order say. It ends with the position, without a record.
    """

    seq: int
    ts: int
    owner: str
    instrument: str
    stop: Decimal | None
    target: Decimal | None
    trailing_bps: float | None
    best: float


class FlattenedRecord(Struct, frozen=True, gc=False, kw_only=True, tag="flattened"):
    """What these entries still fill, however late, is closed as it comes."""

    seq: int
    ts: int
    order_ids: tuple[str, ...]
    reason: str


class OwedRecord(Struct, frozen=True, gc=False, kw_only=True, tag="owed"):
    """So much of what late fills added is still to close; it makes no order yet."""

    seq: int
    ts: int
    owner: str
    instrument: str
    before: Decimal
    after: Decimal


class BalanceRecord(Struct, frozen=True, gc=False, kw_only=True, tag="balance"):
    """What was put into the account of a currency, or taken out, is another sum now.

    Fills are not in it. The account's first word is recorded for its own currency even
    where nothing changes by it.
    """

    seq: int
    ts: int
    currency: str
    before: Decimal
    after: Decimal
    who: str = "operator"
    reason: str = ""


class DifferenceRecord(Struct, frozen=True, gc=False, kw_only=True, tag="difference"):
    """Books and venue were found to differ about a subject, or not any more.

    ``here`` and ``venue`` are what each says; for an order or position that only was
    ignored they are empty.
    """

    seq: int
    ts: int
    kind: Subject
    subject: str
    before: Verdict
    after: Verdict
    here: str = ""
    venue: str = ""
    who: str = "engine"
    reason: str = ""


class TradeRecord(Struct, frozen=True, gc=False, tag="trade"):
    """A position came back to flat, or crossed zero: one round trip is over."""

    seq: int
    ts: int
    trade: ClosedTrade


class BandRecord(Struct, frozen=True, gc=False, tag="band"):
    """The account's position in an instrument entered another band."""

    seq: int
    ts: int
    instrument: str
    before: PositionBand
    after: PositionBand
    position: Decimal


class TaskRecord(Struct, frozen=True, gc=False, kw_only=True, tag="task"):
    """A task changed state."""

    seq: int
    ts: int
    task: str
    before: str
    after: str
    reason: str = ""


class FaultRecord(Struct, frozen=True, gc=False, kw_only=True, tag="fault"):
    """A task's handler or script failed and was contained."""

    seq: int
    ts: int
    task: str
    instrument: str
    error: str
    where: str = ""


class FeedRecord(Struct, frozen=True, gc=False, kw_only=True, tag="feed"):
    """A feed ended, skipped a damaged row, or shed events."""

    seq: int
    ts: int
    feed: str
    what: str
    detail: str = ""


class ControlRecord(Struct, frozen=True, gc=False, kw_only=True, tag="control"):
    """Hold or kill changed: ``name`` is ``hold`` or ``kill``."""

    seq: int
    ts: int
    name: str
    before: str
    after: str
    who: str = "operator"
    reason: str = ""


class LimitRecord(Struct, frozen=True, gc=False, kw_only=True, tag="limit"):
    """A limit was set while the run goes on; None = no limit."""

    seq: int
    ts: int
    name: str
    before: Decimal | None
    after: Decimal | None
    who: str = "operator"
    reason: str = ""


class LossBaseRecord(Struct, frozen=True, gc=False, kw_only=True, tag="loss_base"):
    """What losses are measured from is another equity now.

    ``day_start`` is the equity with which the day began that started at ``day_ns``,
    ``peak`` the highest one since drawdowns were last begun anew; while that rises
    there is a record for each 0.1 %. ``initial`` is the money put in by then.
    """

    seq: int
    ts: int
    day_ns: int
    day_start: Decimal
    peak: Decimal
    initial: Decimal


class BreakerRecord(Struct, frozen=True, gc=False, kw_only=True, tag="breaker"):
    """A watched figure came near its limit, went beyond it, or is well below again.

    ``name`` is the limit's, or ``margin``: the used one against what is free.
    """

    seq: int
    ts: int
    name: str
    before: BreakerState
    after: BreakerState
    value: Decimal
    limit: Decimal


class CommandRecord(Struct, frozen=True, gc=False, kw_only=True, tag="command"):
    """A command was taken, or refused with the reason."""

    seq: int
    ts: int
    command: str
    subject: str
    who: str
    accepted: bool
    detail: str = ""


class NoteRecord(Struct, frozen=True, gc=False, kw_only=True, tag="note"):
    """A line that a script wrote to the log with ``market.log``."""

    seq: int
    ts: int
    strategy: str
    instrument: str
    text: str


class OpportunityRecord(Struct, frozen=True, gc=False, kw_only=True, tag="opportunity"):
    """An opportunity opened (``end`` None), or closed as it was last seen."""

    seq: int
    ts: int
    opportunity: Opportunity
    best_bps: float
    end: OpportunityEnd | None = None
    reason: str = ""


Record = (
    BarRecord
    | BookRecord
    | ResyncRecord
    | SignalRecord
    | RequoteRecord
    | StateRecord
    | LockRecord
    | ParamsRecord
    | OrderRecord
    | DenyRecord
    | FillRecord
    | PositionRecord
    | OwnerRecord
    | ProtectionRecord
    | FlattenedRecord
    | OwedRecord
    | BalanceRecord
    | DifferenceRecord
    | TradeRecord
    | BandRecord
    | TaskRecord
    | FaultRecord
    | FeedRecord
    | ControlRecord
    | LimitRecord
    | LossBaseRecord
    | BreakerRecord
    | CommandRecord
    | NoteRecord
    | OpportunityRecord
)
