"""The dialog of an order whose fate is unknown: cancel it again, or end it by word.

Only the venue's answer settles such an order, or the operator, who must say why. What
is ended by word and turns out to live is Unknown again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame, OrderRow
from workstation.model.commands import CancelOrders, CloseUnknown
from workstation.model.orders import OrderStatus
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import order_fields
from workstation.ui.typeset import quantity
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["UnknownScreen"]


class UnknownScreen(Ritual[Answer]):
    """Decide about one Unknown order."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"orders", "positions"})

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        order_id: str,
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.order_id = order_id

    def _row(self) -> OrderRow | None:
        row = self.basis.order(self.order_id)
        unknown = row is not None and row.order.status is OrderStatus.UNKNOWN
        return row if unknown else None

    def title_text(self) -> str:
        """Name the order."""
        return f"Order {self.order_id} is unknown"

    def live_fields(self) -> Sequence[Field]:
        """Show the order as it is now."""
        row = self.scene.order(self.order_id)
        return (field("gone", "warn"),) if row is None else order_fields(row)

    def compose_body(self) -> Iterable[Widget]:
        """Ask how the operator knows."""
        yield TextField(
            "reason",
            placeholder="how you know that it is over: needed to close it",
            id="reason",
        )

    @property
    def reason(self) -> str:
        """The reason typed."""
        return self.query_one("#reason", TextField).text.strip()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Let it be closed once there is a reason."""
        event.stop()
        self.rewrite()

    def sentence(self) -> str:
        """Say what is not known, and what each verb does."""
        row = self._row()
        if row is None:
            return "The venue has answered: its fate is known."
        order = row.order
        left = quantity(order.remaining, row.quantity_decimals)
        held = ""
        if order.is_protection:
            held = f" The {order.role} is held here again then."
        return (
            f"Nobody knows whether {left} {row.symbol} are still at work: "
            f"{order.reason}. The venue is asked again and again.\n"
            "Closing it takes your word that it is over; a late fill is still booked."
            f"{held}"
        )

    def make_verbs(self) -> Sequence[Verb]:
        """Offer a cancel, and closing."""
        return (
            Verb("Cancel 1 order", self._cancel, id="go"),
            Verb("Close it on my word", self._close, ink="bad", id="close"),
        )

    def update_verbs(self) -> None:
        """Close only with a reason, and only while it is unknown."""
        known = self._row() is None
        self.query_one("#go", Verb).ready = not known
        self.query_one("#close", Verb).ready = not known and bool(self.reason)

    def _cancel(self) -> None:
        reason = self.reason or "canceled by the operator"
        self._done(
            self.run(
                CancelOrders(
                    order_ids=(self.order_id,), reason=reason, seen_seq=self.seen_seq
                )
            )
        )

    def _close(self) -> None:
        self._done(
            self.run(
                CloseUnknown(
                    order_id=self.order_id, reason=self.reason, seen_seq=self.seen_seq
                )
            )
        )

    def _done(self, answer: Answer | None) -> None:
        if answer is not None:
            self.dismiss(answer)
