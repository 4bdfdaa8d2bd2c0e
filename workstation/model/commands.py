"""What an operator can tell the engine; every command is an input and is journalled.

``seen_seq`` carries what a dialog showed: where the state has changed since, the
engine refuses and the dialog shows the new sentence. Play, pause, step, speed and
go-until are words to the driver, not commands.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.desired import DesiredOrders
from workstation.model.instruments import Side
from workstation.model.market import MarketEvent
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.reconciliation import Resolution, Subject
from workstation.model.rehearsal import Happening, ToldReport
from workstation.model.signals import Signal
from workstation.model.states import SymbolState

__all__ = [
    "AmendOrder",
    "CancelOrders",
    "CloseUnknown",
    "Command",
    "Disposition",
    "Flatten",
    "HandBack",
    "Hold",
    "Inject",
    "Kill",
    "KillLevel",
    "Override",
    "PauseTask",
    "PlaceOrder",
    "Rearm",
    "Reconcile",
    "Recover",
    "ReloadScript",
    "Resolve",
    "RestartTask",
    "ResumeTask",
    "SetLimit",
    "SetParams",
    "StepTask",
    "StopTask",
]


class Disposition(StrEnum):
    """What an override does to working orders and the position."""

    KEEP = "keep"
    CANCEL = "cancel"
    FLATTEN = "flatten"
    HAND_OVER = "hand_over"
    ADOPT = "adopt"


class KillLevel(StrEnum):
    """Rungs of the kill ladder: hold new orders, cancel entries, flatten."""

    HOLD = "hold"
    CANCEL = "cancel"
    FLATTEN = "flatten"


class _Command(Struct, frozen=True, kw_only=True):
    origin: str = "operator"
    reason: str = ""
    seen_seq: int | None = None


class PauseTask(_Command, frozen=True, kw_only=True, tag="pause_task"):
    """Pause one task; what that withholds depends on its kind."""

    task: str


class ResumeTask(_Command, frozen=True, kw_only=True, tag="resume_task"):
    """Resume a paused task."""

    task: str


class StepTask(_Command, frozen=True, kw_only=True, tag="step_task"):
    """Let a paused task make exactly one withheld call."""

    task: str


class RestartTask(_Command, frozen=True, kw_only=True, tag="restart_task"):
    """Restart a failed or stopped task."""

    task: str


class StopTask(_Command, frozen=True, kw_only=True, tag="stop_task"):
    """Stop a task at once."""

    task: str


class ReloadScript(_Command, frozen=True, kw_only=True, tag="reload_script"):
    """Let a strategy go on with another version of its script.

    ``version`` is its hash; the journal has its text. ``failure`` says why it cannot
    be used: then the version that runs goes on, and it is only on record.
    """

    strategy: str
    version: str
    failure: str = ""


class Inject(_Command, frozen=True, kw_only=True, tag="inject"):
    """Feed an event by hand (simulation and recording only)."""

    event: MarketEvent | Signal | DesiredOrders | Happening | ToldReport


class Override(_Command, frozen=True, kw_only=True, tag="override"):
    """Set a row's state by hand; ``expires_ns`` is when a manual lock ends."""

    strategy: str
    instrument: str
    state: SymbolState
    disposition: Disposition = Disposition.KEEP
    lock: bool = False
    expires_ns: int | None = None


class HandBack(_Command, frozen=True, kw_only=True, tag="hand_back"):
    """End a row's manual lock."""

    strategy: str
    instrument: str


class SetParams(_Command, frozen=True, kw_only=True, tag="set_params"):
    """Change parameters of a script; ``instrument`` None means all its rows."""

    strategy: str
    instrument: str | None = None
    values: dict[str, bool | int | float | str]


class PlaceOrder(_Command, frozen=True, kw_only=True, tag="place_order"):
    """Make an order of the operator's own; it passes the risk stage like any other.

    ``price`` is a limit order's, ``trigger`` what wakes up a stop or stop-limit order;
    ``expires_ns`` is when a GTD order ends. ``stop`` and ``target`` protect what an
    entry fills, and are held here.
    """

    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    stop: Decimal | None = None
    target: Decimal | None = None
    trigger: Decimal | None = None


class AmendOrder(_Command, frozen=True, kw_only=True, tag="amend_order"):
    """Give a working order another whole quantity and price.

    ``quantity`` counts what is filled already. A stop order that waits has a
    ``trigger``, and a price only if it is a stop-limit. Of the stop or target of a
    position ``price`` is the trigger, and the quantity stays the position's.
    """

    order_id: str
    quantity: Decimal
    price: Decimal | None
    trigger: Decimal | None = None


class CancelOrders(_Command, frozen=True, kw_only=True, tag="cancel_orders"):
    """Cancel these orders by client order id; protection only when named here."""

    order_ids: tuple[str, ...]


class CloseUnknown(_Command, frozen=True, kw_only=True, tag="close_unknown"):
    """End an order whose fate is unknown, on the operator's word; needs a reason."""

    order_id: str


class Flatten(_Command, frozen=True, kw_only=True, tag="flatten"):
    """Close a position at market; ``owner`` None means every owner's."""

    instrument: str
    owner: str | None = None


class Hold(_Command, frozen=True, kw_only=True, tag="hold"):
    """Start or end the operator's hold: no new entries; exits and cancels go on."""

    on: bool


class Kill(_Command, frozen=True, kw_only=True, tag="kill"):
    """Climb the kill ladder to this rung."""

    level: KillLevel


class Rearm(_Command, frozen=True, kw_only=True, tag="rearm"):
    """Allow orders again after a kill."""


class Recover(_Command, frozen=True, kw_only=True, tag="recover"):
    """Go on with what the account's journal proves, and ask the venue about it."""


class Reconcile(_Command, frozen=True, kw_only=True, tag="reconcile"):
    """Ask the venue for the account now, and hold the books against it."""


class Resolve(_Command, frozen=True, kw_only=True, tag="resolve"):
    """Settle what books and venue say of one subject.

    ``subject`` is an order's id, an instrument (a position of ``external``), or a
    currency. ``owner`` gets what is attributed; a balance is attributed as a position
    in ``instrument`` at ``price``. ``difference`` is that of the balance as it was
    shown: another one is refused.
    """

    kind: Subject
    subject: str
    resolution: Resolution
    owner: str = ""
    instrument: str = ""
    price: Decimal | None = None
    difference: Decimal | None = None


class SetLimit(_Command, frozen=True, kw_only=True, tag="set_limit"):
    """Set a limit of ``[risk]``, None = no limit; looser only when ``confirmed``."""

    name: str
    value: Decimal | None
    confirmed: bool = False


Command = (
    PauseTask
    | ResumeTask
    | StepTask
    | RestartTask
    | StopTask
    | ReloadScript
    | Inject
    | Override
    | HandBack
    | SetParams
    | PlaceOrder
    | AmendOrder
    | CancelOrders
    | CloseUnknown
    | Flatten
    | Hold
    | Kill
    | Rearm
    | Reconcile
    | Recover
    | Resolve
    | SetLimit
)
