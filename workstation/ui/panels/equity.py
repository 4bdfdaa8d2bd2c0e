"""The equity curve of the run, and how far it fell from its peaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from workstation.ui.panels.base import Panel
from workstation.ui.panels.cells import signed
from workstation.ui.typeset import MINUS, money, percent, utc_time
from workstation.ui.widgets.equity_curve import EquityCurveChart
from workstation.ui.widgets.inks import Part

if TYPE_CHECKING:
    from workstation.engine.frames import EquityFrame, Frame
    from workstation.execution.curve import Drawdown
    from workstation.ui.log_parts import Scales

__all__ = ["EquityPanel"]


class EquityPanel(Panel):
    """Equity above, drawdown below, on one axis of time."""

    panel_id = "equity"
    title = "Equity"
    needs = frozenset({"equity"})
    empty = ("No equity yet.", "The first market event values the account.")

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self.chart = EquityCurveChart(empty=self.empty)
        self._shown: EquityFrame | None = None

    def bodies(self) -> Iterable[Widget]:
        """Make the chart."""
        yield self.chart

    @property
    def body(self) -> Widget:
        """The chart."""
        return self.chart

    def apply(self, frame: Frame) -> None:
        """Show the curve of a frame, if it has changed."""
        shown = frame.equity
        if shown is None or shown is self._shown:
            return
        self._shown = shown
        points = [
            (p.ts, float(p.low), float(p.high), float(p.equity)) for p in shown.points
        ]
        if points:
            now = float(shown.equity)
            points.append((shown.ts, now, now, now))
        change = shown.equity - shown.initial
        self.chart.set_curve(
            points,
            shown.ts,
            float(shown.initial),
            _fall("max", shown.deepest),
            [(ts, float(amount)) for ts, amount in shown.moves],
        )
        title: list[Part] = [
            (self.title, "title"),
            (f" {money(shown.equity)} {shown.currency} ", ""),
            (money(change, sign=True), signed(change)),
        ]
        self.set_title(title, _fall("now", shown.now, short=True) if points else "")

    def copy_text(self) -> str:
        """Return the last point."""
        rows = self.export_rows()
        return "\t".join(rows[-1]) if len(rows) > 1 else ""

    def export_rows(self) -> list[list[str]]:
        """Return all points, exact."""
        from workstation.engine.ledger_tables import EQUITY, equity_rows

        points = () if self._shown is None else self._shown.points
        rows = [["" if c is None else str(c) for c in r] for r in equity_rows(points)]
        return [list(EQUITY), *rows]


def _fall(word: str, fall: Drawdown, *, short: bool = False) -> list[Part]:
    """Say a drawdown: how deep, in percent of its peak, from when to when."""
    if not fall.depth:
        return [(f"drawdown {word} none", "dim")]
    parts: list[Part] = [
        (f"drawdown {word} ", "dim"),
        (f"{MINUS}{money(fall.depth)}", "down"),
    ]
    if fall.percent is not None:
        parts.append((f" {percent(-fall.percent, unit=True)}", "down"))
    if not short:
        span = f"  {utc_time(fall.peak_ns)} to {utc_time(fall.trough_ns)}"
        parts.append((span, "dim"))
    return parts
