"""The tape of the focused symbol: public trades, the newest on top, and own fills.

Frames bring the last trades; the panel takes those it has not seen. Own fills stand
among them with ``◆``: a simulated broker's are no public trades, a venue's are both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.typeset import number, plain_text, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.tail_log import TailLog
from workstation.ui.widgets.trade_tape import (
    TapeLine,
    TradeTape,
    lost_line,
    trade_line,
)

if TYPE_CHECKING:
    from workstation.engine.frames import Focus, Frame, TapeFrame

__all__ = ["TapePanel"]

_SIZE_DECIMALS = 5
# Venues' lots go to eight decimals; nobody reads the last three of a public trade.


class TapePanel(Panel):
    """Time and sales of one symbol."""

    panel_id = "tape"
    title = "Tape"
    needs = frozenset({"tape"})
    scope = Scope.LOG
    follows_focus = True
    empty = ("No trade yet.", "A feed brings them; space lets the clock run.")

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self.tape = TradeTape(empty=self.empty)
        self._shown: TapeFrame | None = None
        self._pinned_to: Focus | None = None
        self._seen = 0
        self._seen_fill = 0

    def bodies(self) -> Iterable[Widget]:
        """Make the tape."""
        yield self.tape

    @property
    def body(self) -> Widget:
        """The tape."""
        return self.tape

    opens = True

    def apply(self, frame: Frame) -> None:
        """Take the trades that came since the last frame."""
        shown = frame.tape
        if shown is None or (shown is self._shown and self.pinned == self._pinned_to):
            self.titles()
            return
        known, self._shown, self._pinned_to = self._shown, shown, self.pinned
        restarted = shown.total < self._seen
        if known is None or known.instrument != shown.instrument or restarted:
            self._begin(shown)
        self.tape.set_empty(self._empty(shown))
        fresh = self._fresh(shown)
        if fresh:
            self.tape.extend(fresh)
        self.titles()

    def _begin(self, shown: TapeFrame) -> None:
        """Show another symbol, from what a frame has of its past."""
        self.tape.clear()
        self._seen = shown.total - len(shown.trades)
        first = shown.trades[0][0] if shown.trades else 0
        self._seen_fill = max(
            (f.number for f in shown.fills if f.ts < first), default=0
        )

    def _fresh(self, shown: TapeFrame) -> list[TapeLine]:
        came = shown.total - self._seen
        trades = shown.trades[-came:] if came else ()
        fills = [fill for fill in shown.fills if fill.number > self._seen_fill]
        self._seen = shown.total
        self._seen_fill = max((f.number for f in fills), default=self._seen_fill)
        digits = min(_SIZE_DECIMALS, shown.quantity_decimals)
        lines = [
            trade_line(
                *trade,
                decimals=shown.decimals,
                size_decimals=digits,
                mean=shown.mean_size,
                key=shown.instrument,
            )
            for trade in trades
        ]
        lines += [
            trade_line(
                *(fill.ts, fill.price, fill.size, fill.side),
                decimals=shown.decimals,
                size_decimals=digits,
                mean=shown.mean_size,
                own=True,
                key=shown.instrument,
            )
            for fill in fills
        ]
        if fills:
            # A stable sort: at the same moment the public trade stands first.
            lines.sort(key=lambda line: line.ts)
        lost = came - len(trades)
        return [lost_line(lost), *lines] if lost > 0 else lines

    def _empty(self, shown: TapeFrame) -> tuple[str, ...]:
        if not shown.is_kept:
            return (
                "No trades are kept.",
                "[storage] trades = 0 in the config says so.",
            )
        if shown.bars_only:
            return ("This feed brings no trades.", "Bars come instead: see the chart.")
        return self.empty

    def titles(self) -> None:
        """Say whose trades, how many pass the filter, and whether it follows."""
        shown = self._shown
        parts: list[Part] = [*self.pin_parts(), (self.title, "title")]
        if shown is not None:
            parts.append((f" {shown.symbol}", "strong"))
        passed, held = self.tape.line_count
        text = self.tape.filter_text.strip()
        if text:
            parts.append((f" {number(passed, 0)} of {number(held, 0)}", "dim"))
            parts.append((f"  /{text}", "key"))
        info: list[Part] = []
        follows = self.tape.following
        roomy = follows and not text and self.pinned is None
        if roomy and shown is not None and shown.buy_share is not None:
            # A share of the whole window in whole percent: it does not twitch.
            info.append((f"bought {number(100 * shown.buy_share, 0)}%  ", "dim"))
        info.append(("following", "dim") if follows else ("held  f follows", "warn"))
        self.set_title(parts, info)

    # -- keys ---------------------------------------------------------------------

    @property
    def choice(self) -> Choice | None:
        """The symbol shown."""
        return None if self._shown is None else Choice(self._shown.instrument)

    @property
    def filter_text(self) -> str:
        """The filter."""
        return self.tape.filter_text

    def set_filter(self, text: str) -> None:
        """Show only trades with all these words: buy, sell, big, mine, a price."""
        self.tape.filter_text = text
        self.titles()

    def find(self, text: str, step: int) -> int:
        """Go to the next match, older or newer."""
        self.tape.find_text = text
        return self.tape.find_next() if step > 0 else self.tape.find_previous()

    def follow(self) -> bool:
        """Follow the newest trade, or stop."""
        self.tape.following = not self.tape.following
        self.titles()
        return self.tape.following

    def copy_text(self) -> str:
        """Return the trade below the cursor, else the newest."""
        line = self.tape.cursor_line
        rows = self.export_rows()
        if isinstance(line, TapeLine):
            return "\t".join(_plain(line))
        return "\t".join(rows[-1]) if len(rows) > 1 else ""

    def export_rows(self) -> list[list[str]]:
        """Return the trades that pass the filter, oldest first."""
        lines = [line for line in self.tape.lines if isinstance(line, TapeLine)]
        head = ["TIME", "PRICE", "SIZE", "SIDE", "OWN"]
        return [head, *[_plain(line) for line in lines if line.kind != "lost"]]

    def capture(self) -> PanelState:
        """Keep filter and pin; the place is kept by the tape itself."""
        return PanelState(
            filter_text=self.tape.filter_text,
            find_text=self.tape.find_text,
            pinned=self.pinned,
        )

    def restore(self, state: PanelState) -> None:
        """Take up filter and pin."""
        super().restore(state)
        self.tape.filter_text = state.filter_text
        self.tape.find_text = state.find_text

    def on_tail_log_follow_changed(self, event: TailLog.FollowChanged) -> None:
        """Say in the title whether it follows."""
        event.stop()
        self.titles()

    def on_tail_log_line_highlighted(self, event: TailLog.LineHighlighted) -> None:
        """Keep the move to itself: the tape shows one symbol."""
        event.stop()

    def on_tail_log_line_selected(self, event: TailLog.LineSelected) -> None:
        """Open the symbol."""
        event.stop()
        if event.line.key:
            self.post_message(self.Opened(self, Choice(event.line.key)))


def _plain(line: TapeLine) -> list[str]:
    side = {1: "buy", -1: "sell"}.get(line.side, "")
    figures = [plain_text(line.price), plain_text(line.size), side]
    return [utc_time(line.ts, 3), *figures, "own" if line.own else ""]
