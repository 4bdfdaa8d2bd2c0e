"""The one table of what keys do: id, title, keys, scope, danger, what it needs.

Bindings, footer, help, palette, keymap and docs/keys.md are made from it. Knows neither
Textual nor the engine; ``python -m workstation.ui.actions`` prints docs/keys.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from workstation.ui.key_names import key_glyph

__all__ = [
    "ACTIONS",
    "PANEL_SCOPES",
    "Action",
    "Danger",
    "Fact",
    "Hint",
    "Scope",
    "action",
    "actions_of",
    "find_key",
    "footer_for",
    "shown_keys",
    "visible",
]


class Scope(StrEnum):
    """Where a key is heard; the value is the heading in help and docs."""

    GLOBAL_PRIORITY = "everywhere, also in text"
    GLOBAL = "outside text"
    CLOCK = "clock"
    ROW = "symbol, position"
    ORDER = "order"
    TASK = "task, feed, strategy"
    CHART = "chart"
    BOOK = "book"
    LIMIT = "risk limit"
    LOG = "log"
    SUMS = "sums"
    DIALOG = "dialog"


PANEL_SCOPES = (
    Scope.ROW,
    Scope.ORDER,
    Scope.TASK,
    Scope.CHART,
    Scope.BOOK,
    Scope.LIMIT,
    Scope.LOG,
    Scope.SUMS,
)
"""Scopes of which one at a time is heard: that of the focused panel."""


class Danger(StrEnum):
    """What a key can do; the value says it in help."""

    LOOK = "looks"
    ONE = "one row"
    TRADING = "trading"


class Fact(StrEnum):
    """What may be true of the screen now; an action lists those it needs."""

    UNLOCKED = "the screen is not locked"
    DRIVEN = "the clock can be driven (simulation, recording)"
    INJECTABLE = "events can be injected (simulation, recording)"
    ROW = "a symbol or position is below the cursor"
    SYMBOL = "a symbol is below the cursor, or has the focus"
    POSITION = "the symbol below the cursor is held or has an entry working"
    ORDER = "a working order is below the cursor"
    ORDERS = "working orders are shown"
    LIMIT = "a limit that can be set is below the cursor"
    TASK = "a task is below the cursor"
    PAUSED_TASK = "the task below the cursor is paused"
    FEED = "the task below the cursor may be a feed"
    SCRIPT = "the task below the cursor has a script"
    OLDER_VERSION = "the script has a version before this one"
    SYMBOLS = "the strategy below the cursor is the focused one, with other symbols"
    ALERT = "there is an alert"
    MATCHES = "something was searched for"
    BOOKMARK = "there is a bookmark"


class Action(Struct, frozen=True, kw_only=True):
    """One thing a key does.

    ``keys`` are Textual's names. ``label`` is the footer's word and ``rank`` its
    priority there (the highest goes first when room is short); None = never shown
    there. Neighbours with the same label share it.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    scope: Scope
    label: str = ""
    danger: Danger = Danger.LOOK
    needs: frozenset[Fact] = frozenset()
    rank: int | None = None

    @property
    def glyph(self) -> str:
        """The key as it is shown: the first one's glyph."""
        return key_glyph(self.keys[0]) if self.keys else ""

    @property
    def call(self) -> str:
        """What bindings and clicks run: ``App.action_act`` with this id."""
        return f"app.act('{self.id}')"


class Hint(Struct, frozen=True, kw_only=True):
    """One entry of the footer."""

    glyph: str
    label: str
    id: str
    rank: int


def shown_keys(keys: Iterable[str]) -> str:
    """Return all keys of an action as help shows them: ``ctrl+k F9``."""
    return " ".join(key_glyph(key) for key in keys)


def _keys(
    id: str,
    keys: str,
    scope: Scope,
    title: str,
    label: str = "",
    rank: int | None = None,
    needs: Collection[Fact] = (),
    danger: Danger = Danger.LOOK,
) -> Action:
    return Action(
        id=id,
        keys=tuple(keys.split()),
        scope=scope,
        title=title,
        label=label,
        rank=rank,
        needs=frozenset(needs),
        danger=danger,
    )


_P, _G, _C = Scope.GLOBAL_PRIORITY, Scope.GLOBAL, Scope.CLOCK
_R, _O, _T, _D = Scope.ROW, Scope.ORDER, Scope.TASK, Scope.DIALOG
_ONE, _TRADING = Danger.ONE, Danger.TRADING
_DRIVEN, _ALERT, _MATCHES = {Fact.DRIVEN}, {Fact.ALERT}, {Fact.MATCHES}
_FREE = {Fact.UNLOCKED}
_ROW, _POSITION = _FREE | {Fact.ROW}, _FREE | {Fact.POSITION}
_SYMBOL = _FREE | {Fact.SYMBOL}
_ORDER, _ORDERS = _FREE | {Fact.ORDER}, _FREE | {Fact.ORDERS}
_TASK, _PAUSED = _FREE | {Fact.TASK}, _FREE | {Fact.TASK, Fact.PAUSED_TASK}
_SCRIPT = _TASK | {Fact.SCRIPT}
_INJECT = _FREE | {Fact.INJECTABLE}
_SYMBOLS = {Fact.TASK, Fact.SYMBOLS}
_BACK_TO = {Fact.DRIVEN, Fact.BOOKMARK}

_KILL = "hold all new orders and open the kill ladder; again cancels entries"
_HOLD = "hold: no new entries; exits, stops and cancels go on"
_STEP = "one withheld call of a paused task"

ACTIONS: tuple[Action, ...] = (
    # The kill key needs nothing, not even an unlocked screen.
    _keys("app.kill", "ctrl+k f9", _P, _KILL, "KILL", danger=_TRADING),
    _keys("app.quit", "ctrl+q", _P, "quit; asks while anything is exposed", "quit"),
    _keys("app.palette", "ctrl+p", _P, "search all commands", "palette"),
    _keys("app.redraw", "ctrl+l", _P, "draw the whole screen again"),
    _keys("app.interrupt", "ctrl+c", _P, "does nothing and says so"),
    # Outside text.
    _keys("app.help", "question_mark", _G, "all keys, this panel's first", "keys", 0),
    _keys("table.select", "enter", _G, "detail of the row", "detail", 5),
    _keys("find.filter", "slash", _G, "filter the panel's rows", "filter", 2),
    _keys("find.next", "n", _G, "next match", "match", 6, _MATCHES),
    _keys("find.previous", "N", _G, "previous match", "match", 6, _MATCHES),
    _keys("view.back", "escape", _G, "back: field, filter, zoom, focus"),
    _keys("panel.next", "tab", _G, "next panel", "panel", 3),
    _keys("panel.previous", "shift+tab", _G, "previous panel"),
    _keys("panel.jump", "ctrl+o", _G, "one letter on every panel"),
    _keys("layout.monitor", "1", _G, "layout Monitor"),
    _keys("layout.feeds", "2", _G, "layout Feeds and tasks"),
    _keys("layout.trade", "3", _G, "layout Trade"),
    _keys("layout.strategies", "4", _G, "layout Strategies"),
    _keys("layout.log", "7", _G, "layout Log"),
    _keys("alerts.open", "a", _G, "list the alerts with their age", "alerts", 4),
    _keys("alerts.acknowledge", "A", _G, "acknowledge the alerts", needs=_ALERT),
    _keys(
        *("account.reconciliation", "j", _G, "reconciliation: here and at the venue"),
        *("account", 10),
    ),
    _keys("panel.zoom", "z", _G, "give the panel the whole screen", "zoom", 7),
    _keys("panel.pin", "w", _G, "keep the panel on its symbol", "pin", 8),
    _keys("table.mark", "v", _G, "mark or unmark the row"),
    _keys("view.copy", "y", _G, "copy the row or the marked ones, plain"),
    _keys("view.export", "e", _G, "export the panel to a file, plain"),
    _keys("table.sort", "S", _G, "sort by the next column"),
    _keys("screen.lock", "L", _G, "lock the screen; unlocking asks for the account"),
    _keys("trading.hold", "H", _G, _HOLD, "hold", 9, _FREE, _TRADING),
    # The clock of a driven run.
    _keys("clock.play", "space", _C, "play or pause", "pause", 0, _DRIVEN),
    _keys("clock.event", "full_stop", _C, "one event", "event", 1, _DRIVEN),
    _keys("clock.bar", "comma", _C, "on to the row's next bar", "bar", 3, _DRIVEN),
    _keys("clock.slower", "less_than_sign", _C, "slower", "speed", 2, _DRIVEN),
    _keys("clock.faster", "greater_than_sign", _C, "faster", "speed", 2, _DRIVEN),
    _keys("clock.until", "g", _C, "go until something happens", "until", 4, _DRIVEN),
    _keys("clock.bookmark", "m", _C, "bookmark this moment", "mark", 5, _DRIVEN),
    _keys(
        *("clock.to_bookmark", "apostrophe", _C, "show the log at the last bookmark"),
        *("to it", 6, _BACK_TO),
    ),
    # Symbols and positions, orders, tasks.
    _keys("row.override", "o", _R, "override the state", "override", 0, _ROW, _ONE),
    _keys(
        *("row.flatten", "F", _R, "close the position at market"),
        *("flatten", 0, _POSITION, _TRADING),
    ),
    _keys("row.ticket", "b", _R, "order ticket", "order", 1, _SYMBOL, _ONE),
    _keys(
        *("order.cancel", "c", _O, "cancel the order; asks if it protects"),
        *("cancel", 0, _ORDER, _ONE),
    ),
    _keys(
        *("order.amend", "u", _O, "amend price or quantity"),
        *("amend", 1, _ORDER, _ONE),
    ),
    _keys(
        *("order.cancel_all", "C", _O, "cancel all orders shown; keeps protection"),
        *("cancel all", 1, _ORDERS, _TRADING),
    ),
    _keys("task.pause", "p", _T, "pause or resume", "pause", 0, _TASK, _ONE),
    _keys("task.step", "s", _T, _STEP, "step", 1, _PAUSED, _ONE),
    _keys("task.restart", "r", _T, "restart", "restart", 1, _TASK, _ONE),
    _keys("task.stop", "x", _T, "stop; names what needs it", "stop", 1, _TASK, _ONE),
    _keys(
        *("feed.record", "W", _T, "record the feed, or end that"),
        *("record", 2, _TASK | {Fact.FEED}, _ONE),
    ),
    _keys(
        *("script.reload", "R", _T, "try the script's file, and reload it"),
        *("reload", 3, _SCRIPT, _ONE),
    ),
    _keys(
        *("script.roll_back", "U", _T, "back to the script's version before"),
        *("roll back", 4, _SCRIPT | {Fact.OLDER_VERSION}, _ONE),
    ),
    _keys("task.inject", "i", _T, "inject an event", "inject", 2, _INJECT, _ONE),
    _keys(
        *("strategy.previous_symbol", "left", _T, "the strategy's symbol before"),
        *("symbol", 2, _SYMBOLS),
    ),
    _keys(
        *("strategy.next_symbol", "right", _T, "the strategy's next symbol"),
        *("symbol", 2, _SYMBOLS),
    ),
    # Chart, book, log, sums.
    _keys("chart.timeframe", "t", Scope.CHART, "next timeframe", "timeframe", 0),
    _keys("chart.plots", "d", Scope.CHART, "add or remove indicators", "draw", 0),
    _keys("chart.zoom_in", "plus equals_sign", Scope.CHART, "closer", "scale", 1),
    _keys("chart.zoom_out", "minus", Scope.CHART, "further", "scale", 1),
    _keys("chart.left", "left", Scope.CHART, "crosshair one bar back", "crosshair", 2),
    _keys("chart.right", "right", Scope.CHART, "crosshair one bar on", "crosshair", 2),
    _keys("chart.up", "up", Scope.CHART, "crosshair up"),
    _keys("chart.down", "down", Scope.CHART, "crosshair down"),
    _keys("chart.follow", "f", Scope.CHART, "follow the newest bar", "follow", 1),
    _keys("book.up", "up", Scope.BOOK, "one level up", "level", 1),
    _keys("book.down", "down", Scope.BOOK, "one level down", "level", 1),
    _keys("book.finer", "plus equals_sign", Scope.BOOK, "finer steps", "scale", 2),
    _keys("book.coarser", "minus", Scope.BOOK, "coarser price steps", "scale", 2),
    _keys(
        *("book.ticket", "b", Scope.BOOK, "order ticket; enter: at the level's price"),
        *("order", 1, _ROW, _ONE),
    ),
    _keys("book.follow", "f", Scope.BOOK, "follow the best prices", "follow", 0),
    _keys(
        *("limit.amend", "u", Scope.LIMIT, "set the limit; a looser one is confirmed"),
        *("set", 0, _FREE | {Fact.LIMIT}, _ONE),
    ),
    _keys("log.follow", "f", Scope.LOG, "follow the newest line", "follow", 0),
    _keys("sums.group", "k", Scope.SUMS, "by strategy, symbol or day", "kind", 0),
    # Dialogs.
    _keys("dialog.next", "tab", _D, "next field or button", "next", 3),
    _keys("dialog.previous", "shift+tab", _D, "previous field or button"),
    _keys("dialog.press", "enter", _D, "press the focused button", "press", 1),
    _keys("dialog.back", "escape", _D, "back, with nothing done", "back", 0),
    _keys("dialog.go", "y", _D, "go on: the first verb, once armed", "go on", 2),
    _keys("dialog.up", "up", _D, "one tick or lot up in a number"),
    _keys("dialog.down", "down", _D, "one tick or lot down in a number"),
    _keys("dialog.bid", "b", _D, "in a price: the best bid"),
    _keys("dialog.mid", "m", _D, "in a price: the middle"),
    _keys("dialog.ask", "a", _D, "in a price: the best ask"),
    _keys("dialog.raw", "f2", _D, "raw JSON of an event or order", "raw JSON", 4),
)

_BY_ID = {entry.id: entry for entry in ACTIONS}


def action(id: str) -> Action:
    """Return the action of this id; KeyError names the id when there is none."""
    return _BY_ID[id]


def actions_of(scope: Scope) -> tuple[Action, ...]:
    """Return the actions of a scope, in the order of the table."""
    return tuple(entry for entry in ACTIONS if entry.scope is scope)


def find_key(
    key: str,
    scopes: Collection[Scope] = tuple(Scope),
    keymap: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Action, ...]:
    """Return what ``key`` does in these scopes, after ``keymap`` (id to keys)."""
    keys = keymap or {}
    return tuple(
        entry
        for entry in ACTIONS
        if entry.scope in scopes and key in keys.get(entry.id, entry.keys)
    )


def visible(entry: Action, facts: Collection[Fact]) -> bool:
    """Tell whether all that the action needs is true."""
    return entry.needs <= frozenset(facts)


def footer_for(
    scope: Scope,
    facts: Collection[Fact],
    keymap: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Hint, ...]:
    """Return the footer of a focused panel (or the clock, or a dialog).

    A panel's own keys come first, then those heard outside text. ``CLOCK`` and
    ``DIALOG`` give their own keys only. What cannot act now is left out.
    """
    keys = keymap or {}
    scopes = [scope, _G] if scope not in (_C, _D, _G) else [scope]
    hints: list[Hint] = []
    for one in scopes:
        entries = [entry for entry in actions_of(one) if entry.rank is not None]
        if one is _G:
            # "? keys" ends the line, where one looks for it.
            entries.sort(key=lambda entry: entry.id == "app.help")
        for entry in entries:
            own = keys.get(entry.id, entry.keys)
            if not own or not visible(entry, facts):
                continue
            glyph, rank = key_glyph(own[0]), entry.rank or 0
            if hints and hints[-1].label == entry.label:
                last = hints.pop()
                glyph = f"{last.glyph} {glyph}"
            # Every panel's own keys stay longer than the common ones.
            if one is not scope and entry.id != "app.help":
                rank += 2
            hints.append(Hint(glyph=glyph, label=entry.label, id=entry.id, rank=rank))
    return tuple(hints)


if __name__ == "__main__":
    # The page imports this module, so it cannot be imported at the top.
    from workstation.ui.keys_page import document

    print(document(), end="")
