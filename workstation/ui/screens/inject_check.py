"""What the engine would refuse of an event made by hand, said while it is typed.

Pure, from what the screen has: the instruments and the rows of the frame. What only the
venue knows (balances, the price a market order gets) stays its own to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workstation.engine.frames import SymbolRow
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Instrument
from workstation.model.rehearsal import HandOrder, ToldReport, Transfer
from workstation.model.signals import Signal
from workstation.ui.screens.inject_form import Injected
from workstation.ui.screens.sentences import listed
from workstation.ui.screens.ticket_form import price_error, quantity_error
from workstation.ui.typeset import NONE, plain

__all__ = ["refusal"]

_NAMED = 4
# So many symbols of a strategy fit a line; the rest is counted.


def refusal(
    event: Injected,
    instruments: Mapping[str, Instrument],
    rows: Sequence[SymbolRow],
) -> str:
    """Return why an event would be refused, with what would be right; "" if it passes.

    ``rows`` are those of all strategies.
    """
    if isinstance(event, Transfer | ToldReport):
        return ""
    one = instruments.get(event.instrument)
    if one is None:
        return f"no instrument {event.instrument}; known: {', '.join(instruments)}"
    if isinstance(event, Signal):
        return _signal(event, rows)
    if isinstance(event, HandOrder):
        return _order(event, one, rows)
    # Late: the engine is imported after the first paint.
    from workstation.engine.injection import check_event

    try:
        check_event(event, tuple(instruments))
    except CommandRefused as error:
        return str(error)
    return ""


def _signal(event: Signal, rows: Sequence[SymbolRow]) -> str:
    managed = [row for row in rows if row.strategy and row.state is not None]
    own = [row.instrument for row in managed if row.strategy == event.strategy]
    if event.instrument in own:
        return ""
    if not own:
        names = dict.fromkeys(row.strategy for row in managed)
        known = ", ".join(names) or "none"
        return f"no strategy {event.strategy or NONE}; strategies: {known}"
    shown = own[:_NAMED]
    if len(own) > _NAMED:
        shown.append(f"{len(own) - _NAMED} more")
    return f"{event.strategy} has no row {event.instrument}; it has {listed(shown)}"


def _order(event: HandOrder, one: Instrument, rows: Sequence[SymbolRow]) -> str:
    wrong = quantity_error(plain(event.quantity), one, event.price)
    if wrong:
        return f"quantity {plain(event.quantity)}: {wrong}"
    if event.price is not None:
        wrong = price_error(plain(event.price), one)
        if wrong:
            return f"price {plain(event.price)}: {wrong}"
        value = event.quantity * event.price
        if value < one.min_notional:
            least = plain(one.min_notional)
            return f"it is worth {plain(value)} {one.quote}: at least {least} here"
    market = [row for row in rows if row.instrument == one.id]
    if market and all(row.last is None and row.mark is None for row in market):
        return f"no market data of {one.id} yet"
    return ""
