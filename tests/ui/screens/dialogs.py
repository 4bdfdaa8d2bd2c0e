"""Every dialog in a typical state, by name, for the tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tests.ui.fakes import params
from tests.ui.screens.scenes import (
    BTC,
    ETH,
    STOP,
    TARGET,
    TS,
    FakeEngine,
    Fuse,
    alert,
    frame,
    header,
    in_trade,
    order,
)
from tests.ui.screens.sides import scene_frame, touch
from workstation.engine.reloading import ReloadAnswer
from workstation.indicators import Request
from workstation.model.orders import OrderEvent, OrderHistory, OrderMove, OrderStatus
from workstation.ui.actions import Scope
from workstation.ui.screens.alerts import AlertsScreen
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.edit_params import EditParamsScreen
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.go_until import GoUntilScreen
from workstation.ui.screens.help_screen import HelpScreen
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.kill import KillScreen
from workstation.ui.screens.order_details import order_lines
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.plots import PlotsScreen
from workstation.ui.screens.quit import QuitScreen
from workstation.ui.screens.reconciliation import ReconciliationScreen
from workstation.ui.screens.resolve import ResolveScreen
from workstation.ui.screens.ritual import Ritual
from workstation.ui.screens.roll_back import RollBackScreen
from workstation.ui.screens.stop_task import StopTaskScreen
from workstation.ui.screens.unknown import UnknownScreen
from workstation.ui.screens.unlock import UnlockScreen

__all__ = ["ACTING", "BUSY", "DIALOGS", "Nothing"]

Make = Callable[[FakeEngine, Fuse], Ritual[Any]]
# Any: each dialog dismisses with a type of its own.

BUSY = msgspec.structs.replace(
    in_trade(),
    orders=(STOP, TARGET, order("o-15"), order("o-16", instrument="ETHUSDT")),
    alerts=(alert(), alert(2, severity="bad", count=1), alert(3, active=False)),
)
KILLED = msgspec.structs.replace(BUSY, header=header(kill="hold", word="HALTED"))
_LOST_ROW = order("o-16", instrument="ETHUSDT", price="2682.50")
LOST = msgspec.structs.replace(
    BUSY,
    orders=(
        STOP,
        msgspec.structs.replace(
            _LOST_ROW,
            order=msgspec.structs.replace(
                _LOST_ROW.order,
                status=OrderStatus.UNKNOWN,
                reason="no answer for 5 s in pending_cancel",
            ),
        ),
    ),
)
TIMELINE = OrderHistory(
    STOP.order,
    (
        OrderMove(
            TS - 134_000_000_000,
            OrderStatus.INITIALIZED,
            OrderEvent.HOLD,
            OrderStatus.HELD,
            "stop",
            Decimal(1),
            Decimal("60400.00"),
        ),
        OrderMove(
            TS - 90_500_000_000,
            OrderStatus.HELD,
            OrderEvent.REPLACE,
            OrderStatus.HELD,
            "trigger moved",
            None,
            Decimal("60452.00"),
        ),
        OrderMove(
            TS - 4_200_000_000,
            OrderStatus.HELD,
            OrderEvent.SUBMIT,
            OrderStatus.SUBMITTED,
            "stop 60452.00 met at 60451.9",
        ),
        OrderMove(
            TS - 4_160_000_000,
            OrderStatus.SUBMITTED,
            OrderEvent.PARTIAL_FILL,
            OrderStatus.PARTIALLY_FILLED,
            "",
            Decimal("0.4"),
            Decimal("60451.50"),
        ),
    ),
    2,
)
INSTRUMENTS = {"BTCUSDT": BTC, "ETHUSDT": ETH}


class _Store:
    number = 0

    def since(self, number: int) -> list[Any]:
        return []


class _Clock:
    def now(self) -> int:
        return TS


class Nothing:
    """A run in which nothing happens."""

    def __init__(self) -> None:
        self.store = _Store()
        self.clock = _Clock()


DIALOGS: dict[str, Make] = {
    "override": lambda engine, fuse: OverrideScreen(
        in_trade(), engine.execute, "ema_cross", "BTCUSDT", timer=fuse
    ),
    "flatten": lambda engine, fuse: FlattenScreen(
        BUSY, engine.execute, "BTCUSDT", "ema_cross", timer=fuse
    ),
    "cancel-one": lambda engine, fuse: CancelScreen(
        BUSY, engine.execute, ["o-13"], timer=fuse
    ),
    "cancel-all": lambda engine, fuse: CancelScreen(
        BUSY, engine.execute, ["o-13", "o-14", "o-15", "o-16"], timer=fuse
    ),
    "stop-task": lambda engine, fuse: StopTaskScreen(
        BUSY, engine.execute, "ema_cross", timer=fuse
    ),
    "stop-feed": lambda engine, fuse: StopTaskScreen(
        BUSY, engine.execute, "spot", timer=fuse
    ),
    "roll-back": lambda engine, fuse: RollBackScreen(
        BUSY,
        "ema_cross",
        lambda: ("7b555b94c1", "1b2c3d4e5f"),
        lambda: ReloadAnswer(True, "ema_cross.py goes back to the one before"),
        timer=fuse,
    ),
    "kill": lambda engine, fuse: KillScreen(
        KILLED, engine.execute, lifts=True, timer=fuse
    ),
    "quit": lambda engine, fuse: QuitScreen(BUSY, engine.execute, timer=fuse),
    "unlock": lambda engine, fuse: UnlockScreen(frame(), timer=fuse),
    "inject": lambda engine, fuse: InjectScreen(
        in_trade(), engine.execute, INSTRUMENTS, "BTCUSDT", "ema_cross", timer=fuse
    ),
    "go-until": lambda engine, fuse: GoUntilScreen(
        in_trade(),
        Nothing(),
        "ema_cross",
        "BTCUSDT",
        price_of=lambda instrument: 61_685.99,
        tick=Decimal("0.01"),
        timer=fuse,
    ),
    "edit-params": lambda engine, fuse: EditParamsScreen(
        frame(params=params()), engine.execute, "slow", timer=fuse
    ),
    "alerts": lambda engine, fuse: AlertsScreen(BUSY, lambda ids: None, timer=fuse),
    "detail": lambda engine, fuse: DetailScreen(
        BUSY,
        "Order 13",
        lambda scene: order_lines(scene.order("o-13"), TIMELINE),
        export=lambda: "",
        timer=fuse,
    ),
    "unknown": lambda engine, fuse: UnknownScreen(
        LOST, engine.execute, "o-16", timer=fuse
    ),
    "reconciliation": lambda engine, fuse: ReconciliationScreen(
        scene_frame(),
        engine.execute,
        INSTRUMENTS,
        lambda key, way: None,
        lambda rows: "",
        timer=fuse,
    ),
    "resolve": lambda engine, fuse: ResolveScreen(
        scene_frame(),
        engine.execute,
        INSTRUMENTS,
        "balance/USDT",
        touch,
        timer=fuse,
    ),
    "plots": lambda engine, fuse: PlotsScreen(
        BUSY,
        "BTCUSDT",
        asked=[Request.parse("ema(10)"), Request.parse("ema(20)")],
        added=[Request.parse("macd"), Request.parse("bollinger(20, 2.5)")],
        change=lambda plots: None,
        timer=fuse,
    ),
    "help": lambda engine, fuse: HelpScreen(
        BUSY,
        Scope.ROW,
        log_path="/home/someone/.local/state/workstation/logs/workstation-2024.log",
        themes=("harbor-dark", "okabe-dark", "paper-light"),
        theme="harbor-dark",
        timer=fuse,
    ),
}

ACTING = (
    *("override", "flatten", "cancel-one", "cancel-all", "stop-task", "kill", "quit"),
    *("inject", "resolve"),
)
"""Those whose first verb sends a command."""
