"""The layouts: which panels stand where, at every size of terminal.

One screen for each digit, kept while another is shown.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from workstation.ui.panels.book import BookPanel
from workstation.ui.panels.channels import ChannelsPanel
from workstation.ui.panels.chart import ChartPanel, SecondChartPanel
from workstation.ui.panels.denials import DenialsPanel
from workstation.ui.panels.diagram import DiagramPanel
from workstation.ui.panels.equity import EquityPanel
from workstation.ui.panels.feeds import FeedsPanel
from workstation.ui.panels.figures import FiguresPanel
from workstation.ui.panels.fills import FillsPanel
from workstation.ui.panels.gaps import GapsPanel
from workstation.ui.panels.indicators import IndicatorsPanel
from workstation.ui.panels.log import LogPanel, WideLogPanel
from workstation.ui.panels.machine import MachinePanel
from workstation.ui.panels.opportunities import OpportunitiesPanel
from workstation.ui.panels.orders import OrdersPanel
from workstation.ui.panels.params import ParamsPanel
from workstation.ui.panels.positions import PositionsPanel
from workstation.ui.panels.risk import RiskPanel
from workstation.ui.panels.script_log import ScriptLogPanel
from workstation.ui.panels.split import Split
from workstation.ui.panels.strategies import StrategiesPanel
from workstation.ui.panels.sums import SumsPanel
from workstation.ui.panels.symbols import SymbolsPanel
from workstation.ui.panels.tape import TapePanel
from workstation.ui.panels.tasks import TasksPanel
from workstation.ui.panels.trades import TradesPanel
from workstation.ui.panels.why_not import WhyNotPanel
from workstation.ui.screens.layout import LayoutScreen, SizeClass

__all__ = [
    "LAYOUTS",
    "FeedsLayout",
    "LogLayout",
    "MonitorLayout",
    "StrategiesLayout",
    "TradeLayout",
]


class MonitorLayout(LayoutScreen):
    """Layout 1: symbols, chart, book, machine, orders, positions, log, tape."""

    layout_title = "Monitor"
    shown_at = {
        SizeClass.COMPACT: ("symbols", "machine", "orders", "log"),
        SizeClass.LARGE: (
            *("symbols", "chart", "book", "machine", "orders", "positions", "log"),
        ),
        SizeClass.HUGE: (
            *("symbols", "feeds", "chart", "chart2", "book", "machine"),
            *("orders", "positions", "log", "tape"),
        ),
    }
    DEFAULT_CSS = """
    MonitorLayout #top { height: 10; }
    MonitorLayout #middle { height: 14fr; }
    MonitorLayout #bottom { height: 11fr; }
    MonitorLayout #feeds { width: 80; }
    MonitorLayout #book { width: 21; }
    MonitorLayout #machine { width: 36; }
    MonitorLayout #left { width: 71; }
    MonitorLayout #orders { height: 5fr; }
    MonitorLayout #positions { height: 6fr; }
    MonitorLayout.-huge #book { width: 26; }
    MonitorLayout.-huge #machine { width: 42; }
    MonitorLayout #tape { width: 42; }
    MonitorLayout.-compact #middle { height: 3; }
    MonitorLayout.-compact #machine { width: 1fr; }
    MonitorLayout.-compact #bottom { layout: vertical; height: 1fr; }
    MonitorLayout.-compact #left { width: 1fr; height: 4; }
    MonitorLayout.-compact #log TailLog { margin: 0 0 0 1; }
    """

    _top_rows = 0

    def panels_area(self) -> Iterable[Widget]:
        """Symbols; chart, book, machine; orders over positions, log, tape."""
        yield Horizontal(
            self.make(SymbolsPanel), Split(), self.make(FeedsPanel), id="top"
        )
        yield Horizontal(
            self.make(ChartPanel),
            Split(),
            self.make(SecondChartPanel),
            Split(),
            self.make(BookPanel),
            Split(),
            self.make(MachinePanel),
            id="middle",
        )
        yield Horizontal(
            Vertical(self.make(OrdersPanel), self.make(PositionsPanel), id="left"),
            Split(),
            self.make(LogPanel),
            Split(),
            self.make(TapePanel),
            id="bottom",
        )

    def is_stacked(self, box: Widget) -> bool:
        """Orders stand over the log at 80 columns."""
        return box.id == "bottom" and self.size_class is SizeClass.COMPACT

    def size_rows(self) -> None:
        """Give the symbols a line each, as long as half the screen is left."""
        if self.alone:
            return
        height = self.app.size.height
        # Three lines at least: an empty table says in two what would fill it.
        rows = max(3, self.workstation.symbol_rows)
        most = 8 if height < 48 else (height - 24) // 2
        if self.size_class is SizeClass.COMPACT:
            most = height - 16
        wanted = 2 + min(rows, max(4, most))
        if wanted != self._top_rows:
            self._top_rows = wanted
            self.query_one("#top").styles.height = wanted


class FeedsLayout(LayoutScreen):
    """Layout 2: feeds, tasks, opportunities, channels, gaps, indicators, figures."""

    layout_title = "Feeds and tasks"
    shown_at = {
        SizeClass.COMPACT: ("feeds", "tasks", "gaps"),
        SizeClass.LARGE: (
            *("feeds", "tasks", "opportunities", "channels", "gaps", "indicators"),
        ),
        SizeClass.HUGE: (
            *("feeds", "tasks", "opportunities", "channels", "gaps", "indicators"),
            "figures",
        ),
    }
    DEFAULT_CSS = """
    FeedsLayout #feeds { height: 5; }
    FeedsLayout #tasks { height: 1fr; }
    FeedsLayout #opportunities { height: 6; }
    FeedsLayout.-huge #opportunities { height: 10; }
    FeedsLayout #lower { height: 2fr; }
    FeedsLayout #figures { width: 66; }
    FeedsLayout.-compact #tasks { height: 2fr; }
    FeedsLayout.-compact #right { height: 1fr; }
    """

    def panels_area(self) -> Iterable[Widget]:
        """Feeds, tasks, opportunities; channels, gaps over indicators, figures."""
        yield self.make(FeedsPanel)
        yield self.make(TasksPanel)
        yield self.make(OpportunitiesPanel)
        yield Horizontal(
            self.make(ChannelsPanel),
            Split(),
            Vertical(self.make(GapsPanel), self.make(IndicatorsPanel), id="right"),
            Split(),
            self.make(FiguresPanel),
            id="lower",
        )


class TradeLayout(LayoutScreen):
    """Layout 3: ladder, positions, orders, equity, sums; limits, fills, trades."""

    layout_title = "Trade"
    shown_at = {
        SizeClass.COMPACT: ("positions", "orders"),
        SizeClass.LARGE: ("book", "positions", "orders", "risk", "fills"),
        SizeClass.HUGE: (
            *("book", "positions", "orders", "equity", "sums"),
            *("risk", "denials", "fills", "trades"),
        ),
    }
    DEFAULT_CSS = """
    TradeLayout #book { width: 30; }
    TradeLayout #positions { height: 9; }
    TradeLayout.-huge #positions { height: 12; }
    TradeLayout.-compact #positions { height: 7; }
    TradeLayout #earned { width: 70; }
    TradeLayout #sums { height: 8; }
    TradeLayout #booked { height: 13; }
    TradeLayout.-huge #booked { height: 22; }
    TradeLayout #limits { width: 42; }
    TradeLayout.-huge #limits { width: 56; }
    TradeLayout.-huge #risk { height: 13; }
    TradeLayout.-huge #fills { width: 50; }
    """

    def panels_area(self) -> Iterable[Widget]:
        """Positions have the keys first, though the ladder stands before them."""
        held = Vertical(self.make(PositionsPanel), self.make(OrdersPanel), id="held")
        earned = Vertical(self.make(EquityPanel), self.make(SumsPanel), id="earned")
        yield Horizontal(
            self.make(BookPanel), Split(), held, Split(), earned, id="trade"
        )
        limits = Vertical(self.make(RiskPanel), self.make(DenialsPanel), id="limits")
        yield Horizontal(
            limits,
            Split(),
            self.make(FillsPanel),
            Split(),
            self.make(TradesPanel),
            id="booked",
        )


class StrategiesLayout(LayoutScreen):
    """Layout 4: strategies, machine, why not, parameters, script log."""

    layout_title = "Strategies"
    shown_at = {
        SizeClass.COMPACT: ("strategies", "diagram", "why_not", "script_log"),
        SizeClass.LARGE: (
            *("strategies", "diagram", "why_not", "params", "script_log"),
        ),
    }
    DEFAULT_CSS = """
    StrategiesLayout #row { height: 20fr; }
    StrategiesLayout #diagram { width: 67; }
    StrategiesLayout #params { width: 67; }
    StrategiesLayout #script { height: 10fr; }
    StrategiesLayout.-huge #diagram { width: 100; }
    StrategiesLayout.-huge #params { width: 100; }
    StrategiesLayout.-compact #row { height: 1fr; }
    StrategiesLayout.-compact #diagram { width: 41; }
    StrategiesLayout.-compact #script { height: 4; }
    """

    def panels_area(self) -> Iterable[Widget]:
        """Strategies; machine beside why not; parameters beside the script's log."""
        yield self.make(StrategiesPanel)
        yield Horizontal(
            self.make(DiagramPanel), Split(), self.make(WhyNotPanel), id="row"
        )
        yield Horizontal(
            self.make(ParamsPanel), Split(), self.make(ScriptLogPanel), id="script"
        )

    def size_rows(self) -> None:
        """Give the strategies a line each, up to a few."""
        if self.alone:
            return
        most = {SizeClass.COMPACT: 2, SizeClass.LARGE: 6}.get(self.size_class, 10)
        rows = max(1, len(self.workstation.config.run.strategies))
        if self.size_class is not SizeClass.COMPACT:
            # An empty table says in two lines what would fill it.
            rows = max(2, rows)
        self.panels["strategies"].styles.height = 2 + min(rows, most)


class LogLayout(LayoutScreen):
    """Layout 7: the whole log with its kinds."""

    layout_title = "Log"
    shown_at = {SizeClass.LARGE: ("log_all",)}

    def panels_area(self) -> Iterable[Widget]:
        """The log."""
        yield self.make(WideLogPanel)


LAYOUTS: dict[str, type[LayoutScreen]] = {
    "1": MonitorLayout,
    "2": FeedsLayout,
    "3": TradeLayout,
    "4": StrategiesLayout,
    "7": LogLayout,
}
"""The layout of each digit."""
