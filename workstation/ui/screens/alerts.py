"""The list of alerts with their age: ``enter`` jumps to the cause, ``A`` acknowledges.

Acknowledging is the screen's own business: the app keeps which alerts were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from workstation.engine.frames import Alert, Frame
from workstation.ui.actions import Hint
from workstation.ui.screens.ritual import Ritual, Timer
from workstation.ui.screens.sentences import count
from workstation.ui.typeset import duration, utc_time
from workstation.ui.widgets.line_table import Column, LineTable, Row
from workstation.ui.widgets.rows import Cell
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["AlertsScreen"]

_INKS = {"bad": "bad", "warn": "warn", "info": "info"}


class AlertsScreen(Ritual[Alert]):
    """Dismisses with the alert to jump to.

    ``acknowledge`` is called with the ids of all alerts shown; ``is_seen`` tells which
    were acknowledged before. ``locked`` is said beside a remedy that is a re-arm.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "acknowledge", show=False, id="alerts.acknowledge"),
    ]
    DEFAULT_CSS = """
    AlertsScreen.-tall #alerts { height: 20; }
    AlertsScreen #sentence { min-height: 3; }
    """

    def __init__(
        self,
        frame: Frame,
        acknowledge: Callable[[frozenset[int]], None],
        *,
        is_seen: Callable[[Alert], bool] = lambda alert: False,
        locked: str = "",
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, timer=timer)
        self._acknowledge = acknowledge
        self._is_seen = is_seen
        self._locked = locked

    def title_text(self) -> str:
        """Name the dialog."""
        return "Alerts"

    def live_fields(self) -> Sequence[Field]:
        """Count them."""
        alerts = self.scene.alerts
        active = [alert for alert in alerts if alert.active]
        new = [alert for alert in active if not self._is_seen(alert)]
        return (
            field(count(len(active), "active alert"), "strong"),
            field(f"{len(new)} not acknowledged", "warn" if new else "dim"),
            field(f"{len(alerts) - len(active)} mended", "dim"),
        )

    def compose_body(self) -> Iterable[Widget]:
        """Show the list."""
        yield _AlertTable()

    def first_focus(self) -> None:
        """Start in the list."""
        table = self.query_one(_AlertTable)
        table.focus()
        self._fill()

    def has_key(self, id: str) -> bool:
        """Tell which keys of dialogs do something here."""
        return id == "dialog.back"

    def footer(self) -> Sequence[Hint]:
        """Return the keys shown at the bottom."""
        return (
            *super().footer(),
            Hint(glyph="enter", label="to the cause", id="table.select", rank=1),
            Hint(glyph="A", label="acknowledge", id="alerts.acknowledge", rank=1),
        )

    def refresh_from(self, frame: Frame) -> None:
        """Take the alerts of a new frame."""
        super().refresh_from(frame)
        if self.shown:
            self._fill()

    def _fill(self) -> None:
        now = self.scene.ts
        rows = []
        for alert in self.scene.alerts:
            seen = not alert.active or self._is_seen(alert)
            ink = "dim" if seen else _INKS.get(alert.severity, "info")
            cells: tuple[Cell, ...] = (
                ("mended" if not alert.active else "seen" if seen else "new", ink),
                (_age(alert, now), "dim"),
                (f"×{alert.count}" if alert.count > 1 else "", "dim"),
                (alert.subject, ink),
                (alert.text, "dim" if seen else ""),
            )
            rows.append(Row(str(alert.id), hash(cells), cells))
        self.query_one(_AlertTable).set_rows(rows)
        self.rewrite()

    def _chosen(self) -> Alert | None:
        row = self.query_one(_AlertTable).cursor_row
        for alert in self.scene.alerts:
            if row is not None and str(alert.id) == row.key:
                return alert
        return None

    def sentence(self) -> str:
        """Show the whole text of the alert under the cursor, and its remedy."""
        alert = self._chosen()
        if alert is None:
            return ""
        again = f" {alert.count} times" if alert.count > 1 else ""
        moment = utc_time(alert.last_ts) if alert.last_ts else "at the start"
        when = f"{moment}{again}  {alert.text}"
        if not alert.active:
            return f"{when}\nMended."
        return f"{when}\n{alert.remedy} {self._hindered(alert)}".rstrip()

    def _hindered(self, alert: Alert) -> str:
        """Say why it cannot be re-armed here, of the alert of a kill or a breaker."""
        killed = alert.severity == "bad" and alert.kind in ("control", "breaker")
        return self._locked if killed else ""

    @on(LineTable.RowHighlighted)
    def _moved(self, event: LineTable.RowHighlighted) -> None:
        event.stop()
        self.rewrite()

    @on(LineTable.RowSelected)
    def _selected(self, event: LineTable.RowSelected) -> None:
        event.stop()
        for alert in self.scene.alerts:
            if str(alert.id) == event.key:
                self.dismiss(alert)
                return

    def action_acknowledge(self) -> None:
        """Mark all shown as seen."""
        self._acknowledge(frozenset(alert.id for alert in self.scene.alerts))
        self._fill()
        self._show_live()


def _age(alert: Alert, now: int) -> str:
    # Before its first event the run has no time that an age could count from.
    return duration(max(0, now - alert.last_ts)) if alert.last_ts else "start"


class _AlertTable(LineTable):
    """State, age, count, subject and text."""

    DEFAULT_CSS = """
    _AlertTable { height: 9; }
    """

    def __init__(self) -> None:
        super().__init__(
            (
                Column("state", "", 6),
                Column("age", "AGE", 5, align="right"),
                Column("times", "", 4),
                Column("subject", "WHO", 10, priority=1),
                Column("text", "WHAT", 20, flex=True),
            ),
            empty=("No alerts.", "What goes wrong is listed here with its remedy."),
            id="alerts",
        )
