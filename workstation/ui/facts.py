"""What is true of the screen now, and the words for keys that need what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workstation.engine.frames import Frame
from workstation.ui.actions import Action, Fact, Scope
from workstation.ui.key_names import key_glyph
from workstation.ui.panels.base import Choice, Panel

__all__ = ["not_here", "row_facts", "why_not"]

_MISSING = {
    Fact.UNLOCKED: "the screen is locked (L unlocks)",
    Fact.DRIVEN: "the clock of this run cannot be driven",
    Fact.INJECTABLE: "events are injected in simulation and recording only",
    Fact.ROW: "no symbol is below the cursor",
    Fact.SYMBOL: "there is no symbol in this run",
    Fact.POSITION: "the symbol below the cursor holds nothing",
    Fact.ORDER: "no working order is below the cursor",
    Fact.ORDERS: "no working orders are shown",
    Fact.LIMIT: "no limit that can be set is below the cursor",
    Fact.TASK: "no task is below the cursor",
    Fact.PAUSED_TASK: "the task below the cursor is not paused (p pauses it)",
    Fact.FEED: "a strategy is no feed; feeds are in layout 2",
    Fact.SCRIPT: "this task has no script; strategies are in layout 4",
    Fact.OLDER_VERSION: "the script has no version before this one",
    Fact.SYMBOLS: "this task has no other symbols",
    Fact.ALERT: "there is no alert",
    Fact.MATCHES: "nothing was searched for (/ does)",
    Fact.BOOKMARK: "there is no bookmark (m sets one)",
}


def why_not(entry: Action, missing: frozenset[Fact], *, read_only: bool) -> str:
    """Return why an action cannot be done: the first thing it lacks."""
    if read_only and Fact.UNLOCKED in missing:
        return f"{entry.glyph}: this screen only looks (--read-only)."
    first = next(fact for fact in Fact if fact in missing)
    return f"{entry.glyph}: {_MISSING[first]}."


def not_here(entry: Action, key: str) -> str:
    """Return where a key would be heard that the focused panel does not hear."""
    # The label, for a title and the names of a scope do not fit into 80 columns.
    return f"{key_glyph(key)} ({entry.label or entry.title}) needs: {entry.scope}."


def row_facts(
    panel: Panel | None,
    frame: Frame | None,
    versions: Callable[[str], Sequence[str]],
) -> set[Fact]:
    """Return what is true of the row below the focused panel's cursor.

    ``versions`` returns those of a task's script, none where it has no script.
    """
    facts: set[Fact] = set()
    choice = None if panel is None else panel.choice
    orders = () if frame is None else frame.orders
    if panel is not None and panel.scope is Scope.ORDER and orders:
        facts.add(Fact.ORDERS)
    if choice is None:
        return facts
    if choice.instrument:
        facts.add(Fact.ROW)
    if choice.order_id:
        facts.add(Fact.ORDER)
    if choice.limit:
        facts.add(Fact.LIMIT)
    if choice.task:
        facts.add(Fact.TASK)
        known = len(versions(choice.task))
        # Which of the other tasks is a feed, the recorder knows: it says so.
        facts.add(Fact.SCRIPT if known else Fact.FEED)
        if known > 1:
            facts.add(Fact.OLDER_VERSION)
        # A pinned panel's frame is its own, with what it asks for.
        own = None if panel is None else panel.frame
        if any(_is_paused(each, choice.task) for each in (frame, own) if each):
            facts.add(Fact.PAUSED_TASK)
    if frame is not None and choice.instrument and _is_exposed(frame, choice):
        facts.add(Fact.POSITION)
    return facts


def _is_exposed(frame: Frame, choice: Choice) -> bool:
    rows = any(
        row.instrument == choice.instrument
        and choice.strategy in ("", row.strategy)
        and row.position
        for row in frame.symbols or ()
    )
    held = any(
        row.position.instrument == choice.instrument for row in frame.positions or ()
    )
    working = any(
        row.order.instrument == choice.instrument for row in frame.orders or ()
    )
    return rows or held or working


def _is_paused(frame: Frame, task: str) -> bool:
    states = [(row.name, row.state) for row in frame.feeds or ()]
    states += [(row.name, row.state) for row in frame.strategies or ()]
    return (task, "paused") in states or any(
        row.name == task and row.state.value == "paused" for row in frame.tasks or ()
    )
