"""The balances of an account: the books' beside the venue's, currency by currency.

Each answer of the venue is judged here: what differs once is a doubt, what goes on to
differ the operator's to settle, and until then nothing is entered in its currency. What
came or went by no fill is booked here. It asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from workstation.execution.controls import Controls
from workstation.execution.ledger import Ledger
from workstation.model.instruments import Instrument
from workstation.model.money import minus, plain
from workstation.model.ports import Core
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import BalanceRecord, DifferenceRecord
from workstation.model.reports import AccountReport

__all__ = ["BalanceState", "Balances"]

ZERO = Decimal(0)
_SETTLED = (Verdict.AGREES, Verdict.IGNORED)
# A doubt that goes away by itself leaves no record.
_LASTING = (Verdict.DIFFERS, Verdict.IGNORED)
# How many times the wait a figure has to stand where fills come all the while: with
# orders of one size the next fill may be on its way at each of a few looks.
_STANDS = 15
# So many answers, each with another difference though nothing was booked since the one
# before, say as much as one figure twice: interest, or another program, may move a
# balance at every look. A fill on its way would have come by the second.
_MOVES = 3


class BalanceState(Struct):
    """What is made of one currency; ``difference`` is venue less here.

    ``seen_ns`` is when the venue first named this figure, after so many ``fills`` (-1:
    this run has not compared it yet); ``once`` says that it has not confirmed it,
    ``moved`` how often it has named another one since, with no fill in between.
    """

    verdict: Verdict = Verdict.AGREES
    difference: Decimal = ZERO
    once: bool = False
    moved: int = 0
    fills: int = -1
    seen_ns: int = 0
    since_ns: int | None = None
    ignored: Decimal | None = None
    reason: str = ""


class Balances:
    """What is made of each currency; ``confirm_ns`` is the time a fill may need."""

    def __init__(
        self,
        ledger: Ledger,
        controls: Controls,
        instruments: Mapping[str, Instrument],
        confirm_ns: int,
    ) -> None:
        self.states: dict[str, BalanceState] = {}
        self._ledger = ledger
        self._controls = controls
        self._confirm_ns = confirm_ns
        # What the run trades, in order: its own currency first.
        self._traded = dict.fromkeys([ledger.currency])
        for each in instruments.values():
            self._traded.update(dict.fromkeys((each.base, each.quote)))
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    @property
    def in_doubt(self) -> bool:
        """Tell whether the venue is to be asked once more about a figure."""
        return any(state.once for state in self.states.values())

    @property
    def asking(self) -> bool:
        """Tell whether it is open of a figure if it differs at all."""
        return any(s.verdict is Verdict.ASKING for s in self.states.values())

    @property
    def settled(self) -> bool:
        """Tell whether nothing differs but what the operator lets be."""
        return all(state.verdict in _SETTLED for state in self.states.values())

    def currencies(self) -> list[str]:
        """Return those that the books have, or that the run's instruments trade."""
        return list(dict.fromkeys((*self._traded, *self._ledger.balances())))

    def open(self, report: AccountReport) -> None:
        """Take what the venue has at first for what the account began with."""
        totals = _totals(report)
        here = self._ledger.balances()
        own = self._ledger.currency
        # Last its own: on record, that says that the others are, too.
        for name in sorted(self.currencies(), key=own.__eq__):
            difference = minus(totals.get(name, ZERO), here.get(name, ZERO))
            if difference or name == own:
                self.put(name, difference, "engine", "what the venue had at first")

    def put(self, currency: str, amount: Decimal, who: str, reason: str) -> None:
        """Book money that came or went by no fill."""
        before, after = self._ledger.put(currency, amount)
        core = self._core
        core.record(
            BalanceRecord(
                seq=core.seq,
                ts=core.ts,
                currency=currency,
                before=before,
                after=after,
                who=who,
                reason=reason,
            )
        )

    def agree(self, report: AccountReport) -> bool:
        """Tell whether an answer has just what the books have by now.

        Fills that came between question and answer are in both then.
        """
        totals = _totals(report)
        here = self._ledger.balances()
        return all(
            totals.get(name, ZERO) == here.get(name, ZERO) for name in self.currencies()
        )

    def compare(self, report: AccountReport, asked_ns: int) -> None:
        """Judge every currency by an answer to a question of ``asked_ns``."""
        totals = _totals(report)
        here = self._ledger.balances()
        for name in self.currencies():
            has, should = totals.get(name, ZERO), here.get(name, ZERO)
            self._judge(name, should, has, asked_ns)

    def _judge(self, name: str, here: Decimal, venue: Decimal, asked_ns: int) -> None:
        state = self.states.get(name)
        difference, fills = minus(venue, here), self._ledger.fills
        if state is None:
            if not difference:
                ts = self._core.ts
                self.states[name] = BalanceState(fills=fills, since_ns=ts)
                return
            state = self.states[name] = BalanceState()
        quiet = fills == state.fills
        same = quiet and difference == state.difference
        late = asked_ns >= state.seen_ns + self._confirm_ns
        again = same and late
        if quiet and late and not same and state.once:
            state.moved += 1
            again = state.moved >= _MOVES
        if difference == state.difference and state.since_ns is not None:
            # Fills that never pause confirm nothing, and explain nothing for so long.
            again |= asked_ns >= state.since_ns + _STANDS * self._confirm_ns
        if not difference:
            after = Verdict.AGREES
        elif difference == state.ignored:
            after = Verdict.IGNORED
        elif state.verdict is Verdict.DIFFERS or (
            state.verdict is Verdict.ASKING and again
        ):
            after = Verdict.DIFFERS
        else:
            after = Verdict.ASKING
        if not same:
            state.fills, state.seen_ns = fills, self._core.ts
        # A figure that has changed may be a fill on its way, or an order by hand.
        state.once = after not in _SETTLED and not again
        if not state.once:
            state.moved = 0
        if after is Verdict.DIFFERS and self._is_new(name):
            # Nobody asked for it at first: it is no instrument's, but a fee was paid.
            self.put(name, difference, "engine", "what the venue had at first")
            after, here, difference = Verdict.AGREES, venue, ZERO
        self.turn(name, state, after, difference, here, venue)

    def _is_new(self, currency: str) -> bool:
        return currency not in self._traded and currency not in self._ledger.put_in

    def turn(
        self,
        name: str,
        state: BalanceState,
        after: Verdict,
        difference: Decimal,
        here: Decimal,
        venue: Decimal,
        who: str = "engine",
        reason: str = "",
    ) -> None:
        """Give a currency another verdict; those that are more than a doubt are kept.

        ``reason`` is the operator's, where it was theirs.
        """
        core, before = self._core, state.verdict
        if after is before and difference == state.difference:
            return
        state.verdict, state.difference, state.since_ns = after, difference, core.ts
        # What was ignored goes with its record, a doubt in between or not: the next run
        # would else ignore another difference of that size.
        ends = after is Verdict.AGREES and state.ignored is not None
        if after is Verdict.AGREES:
            state.ignored, state.reason = None, ""
        elif reason:
            state.reason = reason
        if after is Verdict.DIFFERS:
            self._controls.unreconciled[name] = (
                f"{plain(here)} {name} here, {plain(venue)} at the venue"
            )
        else:
            self._controls.unreconciled.pop(name, None)
        if not ends and before not in _LASTING and after not in _LASTING:
            return
        core.record(
            DifferenceRecord(
                seq=core.seq,
                ts=core.ts,
                kind=Subject.BALANCE,
                subject=name,
                before=before,
                after=after,
                here=plain(here),
                venue=plain(venue),
                who=who,
                reason=state.reason if after is Verdict.IGNORED else reason,
            )
        )

    def digest(self) -> object:
        """Return in plain values what is made of each currency."""
        return [
            (
                *(name, state.verdict.value, str(state.difference), state.once),
                *(state.moved, state.fills, state.seen_ns),
                *(state.since_ns, str(state.ignored), state.reason),
            )
            for name, state in self.states.items()
        ]


def _totals(report: AccountReport) -> dict[str, Decimal]:
    return {each.currency: each.total for each in report.balances}
