"""Which dialog ``enter`` opens for what a row stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workstation.engine.frames import DenialRow
from workstation.model.records import (
    DenyRecord,
    FillRecord,
    OrderRecord,
    OwnerRecord,
)
from workstation.ui.screens.denial_details import denial_lines
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.details import (
    feed_lines,
    position_lines,
    row_lines,
    task_lines,
)
from workstation.ui.screens.edit_params import EditParamsScreen
from workstation.ui.screens.figure_details import figure_lines
from workstation.ui.screens.gap_details import gap_lines
from workstation.ui.screens.ledger_details import fill_lines, trade_lines
from workstation.ui.screens.order_details import order_lines, timeline_rows
from workstation.ui.screens.script_details import script_line_lines, strategy_lines
from workstation.ui.screens.set_limit import SetLimitScreen
from workstation.ui.typeset import utc_time
from workstation.ui.verbs.exporting import write_export
from workstation.ui.widgets.text_panel import RuleLine
from workstation.ui.wording import log_line

if TYPE_CHECKING:
    from workstation.engine.script_source import ScriptSource
    from workstation.engine.store import Numbered
    from workstation.model.orders import OrderHistory
    from workstation.ui.app import WorkstationApp
    from workstation.ui.panels.base import Choice
    from workstation.ui.screens.ritual import Ritual
    from workstation.ui.screens.scene import Scene
    from workstation.ui.widgets.text_panel import Line

__all__ = ["detail_screen"]

_TOLD = (OrderRecord, OwnerRecord, FillRecord, DenyRecord)
"""Records whose lines open more than their symbol."""


def detail_screen(app: WorkstationApp, choice: Choice) -> Ritual[Any] | None:
    """Return the dialog for what a row stands for, or None where there is none."""
    if choice.line is not None:
        return _line(app, choice, *choice.line)
    if choice.denial is not None:
        return _denial(app, choice.denial)
    if choice.figures:
        return _figures(app, choice.instrument)
    if choice.gap_ns is not None:
        return _gap(app, choice.instrument, choice.gap_ns)
    if choice.trade is not None:
        return _trade(app, choice.trade)
    if choice.fill is not None:
        return _fill(app, choice.fill)
    if choice.order_id:
        return _order(app, choice.order_id)
    if choice.limit:
        return _limit(app, choice.limit)
    if choice.param:
        return _param(app, choice.param)
    if choice.script_line is not None:
        return _script_line(app, choice.strategy, choice.script_line)
    if choice.strategy and not choice.instrument:
        return _strategy(app, choice.strategy)
    if choice.task:
        return _task(app, choice.task)
    if choice.instrument:
        return _row(app, choice)
    return None


def _records(app: WorkstationApp) -> Sequence[Numbered]:
    # The whole history, not what is new: a cursor of 0 brings it.
    session = app.bridge.session
    return () if session is None else session.frame(0, frozenset(), None).records


def _open(
    app: WorkstationApp,
    title: str,
    lines: Any,
    panels: set[str],
    *,
    wide: bool = False,
    export: Callable[[], str] | None = None,
) -> Any:
    # Any: a function of one scene, as DetailScreen wants it.
    frame = app.bridge.look(frozenset(panels))
    if frame is None:
        return None
    return DetailScreen(
        frame, title, lines, panels=frozenset(panels), wide=wide, export=export
    )


def _trade(app: WorkstationApp, number: int) -> DetailScreen | None:
    # What is closed stays as it is: it is looked at once.
    frame = app.bridge.look(frozenset({"trades"}))
    if frame is None:
        return None
    rows = () if frame.trades is None else frame.trades.rows
    row = next((each for each in rows if each.trade.number == number), None)
    lines = trade_lines(row, frame.header.currency)
    return DetailScreen(frame, f"Trade {number}", lambda _: lines, panels=frozenset())


def _fill(app: WorkstationApp, number: int) -> DetailScreen | None:
    """Return an execution, and below it the order that was executed."""
    frame = app.bridge.look(frozenset({"fills"}))
    if frame is None:
        return None
    rows = () if frame.fills is None else frame.fills.rows
    row = next((each for each in rows if each.number == number), None)
    lines = list(fill_lines(row))
    kept = None if row is None else _history(app, row.fill.order_id)
    if kept is not None:
        lines += ["", RuleLine("Order", kept.order.id), *order_lines(None, kept)]
    return DetailScreen(frame, f"Fill {number}", lambda _: lines, panels=frozenset())


def _denial(app: WorkstationApp, number: int) -> DetailScreen | None:
    frame = app.bridge.look(frozenset({"risk"}))
    if frame is None:
        return None
    rows = () if frame.risk is None else frame.risk.denials
    lines = denial_lines(next((each for each in rows if each.number == number), None))
    return DetailScreen(frame, f"Denial {number}", lambda _: lines, panels=frozenset())


def _line(
    app: WorkstationApp, choice: Choice, seq: int, said: str
) -> Ritual[Any] | None:
    """Return what a line of the log tells of: its order, a denial, else its symbol."""
    session = app.bridge.session
    frame = None if session is None else session.frame(0, frozenset())
    for numbered in () if frame is None else frame.records:
        record = numbered.record
        if record.seq != seq or not isinstance(record, _TOLD):
            continue
        made = frame is not None and seq in frame.injected
        if log_line(record, app.scales, injected=made).plain != said:
            continue
        if isinstance(record, DenyRecord):
            return _denial_of(app, record)
        return _order(app, _order_of(record))
    return detail_screen(app, replace(choice, line=None))


def _order_of(record: OrderRecord | OwnerRecord | FillRecord) -> str:
    if isinstance(record, OrderRecord):
        return record.order.id
    return record.order_id if isinstance(record, OwnerRecord) else record.fill.order_id


def _denial_of(app: WorkstationApp, record: DenyRecord) -> DetailScreen | None:
    frame = app.bridge.look(frozenset())
    if frame is None:
        return None
    row = DenialRow(
        number=0,
        ts=record.ts,
        owner=record.owner,
        instrument=record.instrument,
        code=record.code,
        text=record.text,
        role=record.role.value,
    )
    lines = denial_lines(row)
    title = f"Denial {record.instrument}"
    return DetailScreen(frame, title, lambda _: lines, panels=frozenset())


def _history(app: WorkstationApp, order_id: str) -> OrderHistory | None:
    session = app.bridge.session
    return None if session is None else session.order_history(order_id)


def _order(app: WorkstationApp, order_id: str) -> DetailScreen | None:
    def lines(scene: Scene) -> Sequence[Line]:
        return order_lines(scene.order(order_id), _history(app, order_id))

    def export() -> str:
        kept = _history(app, order_id)
        if kept is None:
            return f"Nothing of {order_id} is kept to export."
        name = f"order-{order_id}"
        _, text = write_export(app, name, order_id, timeline_rows(kept))
        return text

    screen: DetailScreen | None = _open(
        app, f"Order {order_id}", lines, {"orders"}, export=export
    )
    return screen


def _task(app: WorkstationApp, name: str) -> DetailScreen | None:
    records = _records(app)

    def lines(scene: Scene) -> Sequence[Line]:
        feed = next((row for row in scene.feeds or () if row.name == name), None)
        if feed is not None:
            return feed_lines(feed, scene.gaps or (), scene.ts)
        stats = next((row for row in scene.tasks or () if row.name == name), None)
        return task_lines(stats, records)

    panels = {"feeds", "feed_books", "gaps", "tasks"}
    screen: DetailScreen | None = _open(app, name, lines, panels, wide=True)
    return screen


def _source(app: WorkstationApp, strategy: str) -> ScriptSource | None:
    session = app.bridge.session
    return None if session is None else session.script_source(strategy)


def _strategy(app: WorkstationApp, name: str) -> DetailScreen | None:
    source = _source(app, name)

    def lines(scene: Scene) -> Sequence[Line]:
        row = next((each for each in scene.strategies or () if each.name == name), None)
        return strategy_lines(row, scene.script_log, source)

    panels = {"strategies", "script_log"}
    screen: DetailScreen | None = _open(app, f"Strategy {name}", lines, panels)
    return screen


def _script_line(app: WorkstationApp, name: str, number: int) -> DetailScreen | None:
    source = _source(app, name)

    def lines(scene: Scene) -> Sequence[Line]:
        log = scene.script_log
        kept = () if log is None else log.lines
        line = next((each for each in kept if each.number == number), None)
        return script_line_lines(line, log, source)

    screen: DetailScreen | None = _open(app, f"Script {name}", lines, {"script_log"})
    return screen


def _param(app: WorkstationApp, name: str) -> Ritual[Any] | None:
    if app.locked:
        app.say("Parameters are not edited on a locked screen.")
        return None
    frame = app.bridge.look(EditParamsScreen.PANELS)
    if frame is None or frame.params is None:
        return None
    return EditParamsScreen(frame, app.run_command, name)


def _limit(app: WorkstationApp, name: str) -> Ritual[Any] | None:
    if app.locked:
        app.say("Limits are not set on a locked screen.")
        return None
    frame = app.bridge.look(SetLimitScreen.PANELS)
    return None if frame is None else SetLimitScreen(frame, app.run_command, name)


def _figures(app: WorkstationApp, instrument: str) -> DetailScreen | None:
    def lines(scene: Scene) -> Sequence[Line]:
        return figure_lines(scene.figures, instrument)

    title = f"Figures {instrument}"
    screen: DetailScreen | None = _open(app, title, lines, {"figures"}, wide=True)
    return screen


def _gap(app: WorkstationApp, instrument: str, ts: int) -> DetailScreen | None:

    def lines(scene: Scene) -> Sequence[Line]:
        gap = next(
            (g for g in scene.gaps or () if (g.instrument, g.ts) == (instrument, ts)),
            None,
        )
        books = [
            book
            for feed in scene.feeds or ()
            if gap is not None and feed.name == gap.feed
            for book in feed.books
            if book.symbol == instrument
        ]
        remedies = [
            alert.remedy
            for alert in scene.alerts
            if alert.active and alert.instrument == instrument and "book" in alert.text
        ]
        return gap_lines(
            gap, scene.ts, next(iter(remedies), ""), next(iter(books), None)
        )

    title = f"Gap {instrument} {utc_time(ts, 1)}"
    panels = {"gaps", "feeds", "feed_books"}
    screen: DetailScreen | None = _open(app, title, lines, panels)
    return screen


def _row(app: WorkstationApp, choice: Choice) -> DetailScreen | None:
    focus = app.focus_row
    strategy = choice.strategy or ("" if focus is None else focus.strategy)

    def lines(scene: Scene) -> Sequence[Line]:
        if scene.row(strategy, choice.instrument) is not None:
            return row_lines(scene, strategy, choice.instrument)
        held = scene.held(strategy, choice.instrument)
        return position_lines(held[0] if held else None)

    screen: DetailScreen | None = _open(
        app,
        f"{choice.instrument} {strategy}".strip(),
        lines,
        {"symbols", "positions", "machine"},
    )
    return screen
