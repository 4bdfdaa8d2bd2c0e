"""The equity curve of a run, however long, in a bounded number of points.

The ledger samples it. Points stand for spans of equal length and keep the lowest and
highest equity in them; when there are too many, spans double and neighbours join, so
that no extreme is lost. Drawdowns are measured on every sample, before any joining.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.money import minus, plus
from workstation.model.timeframes import NS_PER_S

__all__ = ["CurvePoint", "Drawdown", "EquityCurve"]

MOST_POINTS = 2_048
"""More than a wide screen has columns, in braille too; joining halves them."""
_FIRST_SPAN_NS = NS_PER_S
_LONGEST_WAIT_NS = 60 * NS_PER_S
"""While anything is held equity is sampled this often, however wide the spans."""


class CurvePoint(Struct, frozen=True):
    """Equity over one span: when and where it last was, its extremes before that."""

    ts: int
    low: Decimal
    high: Decimal
    equity: Decimal


class Drawdown(Struct, frozen=True):
    """A fall of equity from its peak to the lowest since; times in ns."""

    peak: Decimal
    peak_ns: int
    trough: Decimal
    trough_ns: int

    @property
    def depth(self) -> Decimal:
        """Return how much was lost, ≥ 0, in the account's currency."""
        return minus(self.peak, self.trough)

    @property
    def percent(self) -> float | None:
        """Return it in percent of the peak; None where that is not above zero."""
        return float(self.depth / self.peak) * 100 if self.peak > 0 else None


class EquityCurve:
    """Points, the fall since the last peak, and the deepest one.

    The first peak is ``initial``. ``peak`` is the highest equity since drawdowns were
    last begun anew, which is what limits measure them from.
    """

    def __init__(self, initial: Decimal) -> None:
        # Spans that are over; the one that is open stands in the fields below.
        self._over: list[CurvePoint] = []
        self._ts = self._ends_ns = 0
        self._low = self._high = initial
        self.samples = 0
        self.span_ns = _FIRST_SPAN_NS
        self.now = Drawdown(initial, 0, initial, 0)
        self.deepest = self.now
        self.equity = self.peak = initial

    @property
    def wait_ns(self) -> int:
        """Return after which time another sample is due while anything is held."""
        return min(self.span_ns, _LONGEST_WAIT_NS)

    def sample(self, ts: int, equity: Decimal) -> None:
        """Take the equity at ``ts``, which never decreases.

        The same again at the same time is no other sample.
        """
        if ts == self._ts and equity == self.equity and self.samples:
            return
        self.samples += 1
        if ts < self._ends_ns:
            if equity < self._low:
                self._low = equity
            elif equity > self._high:
                self._high = equity
        else:
            if self._ends_ns:
                self._over.append(self._open())
            self._low = self._high = equity
            if len(self._over) >= MOST_POINTS:
                self._widen()
                last = self._over[-1]
                if last.ts // self.span_ns == ts // self.span_ns:
                    # The wider span began before, and is open again.
                    self._over.pop()
                    self._low = min(last.low, equity)
                    self._high = max(last.high, equity)
            self._ends_ns = (ts // self.span_ns + 1) * self.span_ns
        self._ts = ts
        self.equity = equity
        if equity > self.peak:
            self.peak = equity
        now = self.now
        if equity >= now.peak:
            self.now = Drawdown(equity, ts, equity, ts)
        elif equity < now.trough:
            # The money put in is the first peak; its time is that of the first sample.
            peaked = ts if self.samples == 1 else now.peak_ns
            now = self.now = Drawdown(now.peak, peaked, equity, ts)
            if now.depth > self.deepest.depth:
                self.deepest = now

    def put(self, amount: Decimal) -> None:
        """Move the fall since the last peak along with money that came in or went out.

        What has been drawn stays: the points are equity, and that has changed.
        """
        now = self.now
        self.peak = plus(self.peak, amount)
        self.now = Drawdown(
            plus(now.peak, amount), now.peak_ns, plus(now.trough, amount), now.trough_ns
        )
        if not self.samples:
            self.deepest = self.now
            self._low = self._high = plus(self._low, amount)
            self.equity = plus(self.equity, amount)

    def begin_anew(self, peak: Decimal) -> None:
        """Let limits measure drawdowns from this equity on; what was drawn stays."""
        self.peak = peak

    def standing(self, ts: int, equity: Decimal) -> Drawdown:
        """Return how far ``equity`` is below the last peak; ``now`` has the lowest."""
        if equity >= self.now.peak:
            return Drawdown(equity, ts, equity, ts)
        return Drawdown(self.now.peak, self.now.peak_ns, equity, ts)

    @property
    def points(self) -> list[CurvePoint]:
        """Return all spans, the open one last."""
        return [*self._over, self._open()] if self._ends_ns else []

    def _open(self) -> CurvePoint:
        return CurvePoint(self._ts, self._low, self._high, self.equity)

    def _widen(self) -> None:
        while len(self._over) >= MOST_POINTS:
            self.span_ns *= 2
            joined: list[CurvePoint] = []
            for point in self._over:
                if joined and joined[-1].ts // self.span_ns == point.ts // self.span_ns:
                    joined[-1] = _joined(joined[-1], point)
                else:
                    joined.append(point)
            self._over = joined

    def digest(self) -> object:
        """Return the whole state in plain values."""
        falls = (self.now, self.deepest)
        return (
            (self.samples, len(self._over), self.span_ns, str(self.equity)),
            str(self.peak),
            [(str(f.peak), f.peak_ns, str(f.trough), f.trough_ns) for f in falls],
            (self._ts, self._ends_ns, str(self._low), str(self._high)),
        )


def _joined(first: CurvePoint, second: CurvePoint) -> CurvePoint:
    return CurvePoint(
        second.ts,
        min(first.low, second.low),
        max(first.high, second.high),
        second.equity,
    )
