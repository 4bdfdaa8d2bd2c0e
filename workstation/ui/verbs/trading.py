"""Verbs that touch trading: kill, hold, override, ticket, flatten, amend, cancel.

What only reduces risk acts at once; the rest opens the dialog that says what it does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from workstation.model.commands import CancelOrders, Hold, Kill, KillLevel
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import OrderStatus
from workstation.model.owners import OPERATOR
from workstation.ui.panels.book import BookPanel
from workstation.ui.panels.table import TablePanel
from workstation.ui.screens.amend import AmendScreen
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.checked import TicketDesk
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.kill import KillScreen
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.override_all import OverrideAllScreen
from workstation.ui.screens.sentences import listed
from workstation.ui.screens.set_limit import SetLimitScreen
from workstation.ui.screens.ticket import TicketScreen
from workstation.ui.screens.unknown import UnknownScreen

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp
    from workstation.ui.screens.ritual import Ritual

__all__ = ["VERBS", "kill"]


def kill(app: WorkstationApp) -> None:
    """Hold all new orders at once and open the ladder; again, cancel entries."""
    screen = app.screen
    if isinstance(screen, KillScreen):
        screen.second()
        return
    session = app.bridge.session
    if session is None:
        app.kill_at_start = True
        app.say("The engine is starting: it will start halted.", "bad")
        return
    frame = app.bridge.look(KillScreen.PANELS)
    lifts = frame is not None and frame.header.kill is None
    if lifts:
        app.bridge.execute(Kill(level=KillLevel.HOLD, reason="ctrl+k"))
    frame = app.bridge.look(KillScreen.PANELS)
    if frame is not None:
        app.push_screen(
            KillScreen(
                frame,
                app.run_command,
                lifts=lifts,
                locked=app.locked,
                read_only=app.read_only,
            )
        )


def hold(app: WorkstationApp) -> None:
    """Hold new entries, or end the hold."""
    frame = app.bridge.frame
    if frame is None:
        return
    on = frame.header.hold_since_ns is None
    outcome = app.bridge.execute(Hold(on=on, reason="H"))
    if outcome is None:
        return
    if not outcome.accepted:
        app.say(f"Refused: {outcome.detail}.", "warn")
    elif on:
        app.say("Hold: no new entries. Exits, stops and cancels go on. H lifts it.")
    else:
        app.say("The hold is lifted.")


def _open(app: WorkstationApp, screen: Ritual[Any] | None) -> None:
    if screen is not None:
        app.push_screen(screen, app.answered)


def override(app: WorkstationApp) -> None:
    """Open the override of the row below the cursor, or of the marked ones."""
    choice = app.choice
    frame = app.bridge.look(OverrideScreen.PANELS)
    if choice is None or frame is None:
        return
    panel = app.panel
    if isinstance(panel, TablePanel) and panel.marked_count > 1:
        managed = {
            (row.strategy, row.instrument)
            for row in frame.symbols or ()
            if row.state is not None
        }
        marked = [(each.strategy, each.instrument) for each in panel.choices]
        keys = [key for key in dict.fromkeys(marked) if key in managed]
        if keys:
            _open(app, OverrideAllScreen(frame, app.run_command, keys))
        else:
            app.say("No strategy manages the marked rows: nothing to override.")
        return
    known = [
        row
        for row in frame.symbols or ()
        if row.instrument == choice.instrument and row.state is not None
    ]
    strategy = choice.strategy
    owners = listed([row.strategy for row in known], "or")
    if strategy and strategy not in [row.strategy for row in known]:
        adopts = (
            f"; o on {owners}'s row adopts" if strategy == OPERATOR and known else ""
        )
        app.say(f"Nobody manages it: F flattens{adopts}.")
        return
    if not strategy:
        if len(known) != 1:
            app.say(f"No strategy manages {choice.instrument}: nothing to override.")
            return
        strategy = known[0].strategy
    _open(app, OverrideScreen(frame, app.run_command, strategy, choice.instrument))


def flatten(app: WorkstationApp) -> None:
    """Open the flatten dialog of the row below the cursor."""
    choice = app.choice
    frame = app.bridge.look(FlattenScreen.PANELS)
    if choice is not None and frame is not None:
        owner = choice.strategy or None
        _open(app, FlattenScreen(frame, app.run_command, choice.instrument, owner))


def _desk(app: WorkstationApp) -> TicketDesk:
    session = app.bridge.session
    assert session is not None
    return TicketDesk(app.run_command, session.preview_order, session.touch)


def _instrument(app: WorkstationApp, name: str) -> Instrument | None:
    return next((i for i in app.config.run.instruments if i.id == name), None)


def ticket(app: WorkstationApp) -> None:
    """Open the order ticket of the symbol below the cursor, else of the focused one.

    From a level of the book it begins there: on its own side, where it would rest.
    """
    panel = app.panel
    frame = app.bridge.look(TicketScreen.PANELS)
    instrument = _instrument(app, app.symbol)
    if instrument is None or frame is None:
        return
    side, at = Side.BUY, None
    level = panel.ladder.cursor_row if isinstance(panel, BookPanel) else None
    if level is not None:
        name, row = level
        side = Side.BUY if name == "bid" else Side.SELL
        at = instrument.nearest_price(Decimal(repr(row.at)))
    _open(app, TicketScreen(frame, _desk(app), instrument, side=side, at=at))


def amend(app: WorkstationApp) -> None:
    """Open the amend dialog of the order below the cursor."""
    choice = app.choice
    frame = app.bridge.look(AmendScreen.PANELS)
    if choice is None or frame is None:
        return
    found = [row for row in frame.orders or () if row.order.id == choice.order_id]
    if not found:
        app.say("It is not working any more.")
        return
    instrument = _instrument(app, found[0].order.instrument)
    assert instrument is not None
    _open(app, AmendScreen(frame, _desk(app), instrument, choice.order_id))


def cancel(app: WorkstationApp) -> None:
    """Cancel entries at once; ask where an order protects or its fate is unknown."""
    panel = app.panel
    if panel is None:
        return
    ids = tuple(choice.order_id for choice in panel.choices if choice.order_id)
    frame = app.bridge.look(CancelScreen.PANELS)
    if not ids or frame is None:
        return
    orders = {row.order.id: row.order for row in frame.orders or ()}
    known = [orders[id] for id in ids if id in orders]
    if not known:
        app.say("It is not working any more.")
        return
    if len(known) == 1 and known[0].status is OrderStatus.UNKNOWN:
        _open(app, UnknownScreen(frame, app.run_command, known[0].id))
        return
    if len(known) == 1 and not known[0].is_protection:
        outcome = app.bridge.execute(CancelOrders(order_ids=(known[0].id,)))
        if outcome is not None and outcome.accepted:
            app.say(f"Cancel of order {known[0].id} was sent.")
        elif outcome is not None:
            app.say(f"Refused: {outcome.detail}.", "warn")
        return
    _open(app, CancelScreen(frame, app.run_command, [order.id for order in known]))


def cancel_all(app: WorkstationApp) -> None:
    """Ask to cancel all orders shown."""
    panel = app.panel
    frame = app.bridge.look(CancelScreen.PANELS)
    if not isinstance(panel, TablePanel) or frame is None:
        return
    ids = [c.order_id for c in panel.shown_choices if c.order_id]
    _open(app, CancelScreen(frame, app.run_command, ids))


def set_limit(app: WorkstationApp) -> None:
    """Open the dialog of the limit below the cursor."""
    choice = app.choice
    frame = app.bridge.look(SetLimitScreen.PANELS)
    if choice is not None and choice.limit and frame is not None:
        _open(app, SetLimitScreen(frame, app.run_command, choice.limit))


VERBS: dict[str, Any] = {
    "app.kill": kill,
    "trading.hold": hold,
    "row.override": override,
    "row.ticket": ticket,
    "book.ticket": ticket,
    "row.flatten": flatten,
    "order.amend": amend,
    "order.cancel": cancel,
    "order.cancel_all": cancel_all,
    "limit.amend": set_limit,
}
