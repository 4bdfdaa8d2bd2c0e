"""The cancel dialog: for an order that protects, and for all orders shown.

Protection is kept unless its own button is pressed, which names what stays unprotected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget
from textual.widgets import Static

from workstation.engine.frames import Frame, OrderRow
from workstation.model.commands import CancelOrders
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import (
    cancel_sentence,
    count,
    guard_words,
    order_fields,
    unprotected,
)
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["CancelScreen"]


class CancelScreen(Ritual[Answer]):
    """Cancel these orders (client order ids): one, or all that are shown."""

    DEFAULT_CSS = """
    CancelScreen #guard { height: auto; margin: 0 2; color: $muted; display: none; }
    """
    PANELS: ClassVar[frozenset[str]] = frozenset({"orders", "positions"})

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        order_ids: Sequence[str],
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.order_ids = tuple(order_ids)

    def _rows(self) -> tuple[OrderRow, ...]:
        rows = (self.basis.order(id) for id in self.order_ids)
        return tuple(r for r in rows if r is not None and not r.order.is_terminal)

    def _split(self) -> tuple[list[OrderRow], list[OrderRow]]:
        rows = self._rows()
        return (
            [row for row in rows if not row.order.is_protection],
            [row for row in rows if row.order.is_protection],
        )

    def title_text(self) -> str:
        """Name the order, or say how many."""
        if len(self.order_ids) == 1:
            rows = self._rows()
            what = f"{rows[0].symbol} {rows[0].order.role}" if rows else ""
            return f"Cancel {what or self.order_ids[0]}"
        return "Cancel all orders shown"

    def live_fields(self) -> Sequence[Field]:
        """Show the order, or the counts, as they are now."""
        rows = [self.scene.order(id) for id in self.order_ids]
        left = [row for row in rows if row is not None and not row.order.is_terminal]
        if len(self.order_ids) == 1:
            return order_fields(left[0]) if left else (field("gone", "warn"),)
        guard = sum(1 for row in left if row.order.is_protection)
        return (
            field(count(len(left), "order"), "strong"),
            field(f"{guard} of them protect", "warn" if guard else "dim"),
            field(count(len(self.scene.held()), "position")),
        )

    def compose_body(self) -> Iterable[Widget]:
        """Say what removing the protection would leave."""
        yield Static("", id="guard", markup=False)

    def rewrite(self) -> None:
        """Show the choice about protection apart from the sentence."""
        super().rewrite()
        if not self.shown:
            return
        plain, guard = self._split()
        text = ""
        if plain and guard:
            bare = unprotected(self.basis, guard)
            left = f", which leaves {bare} without a stop" if bare else ""
            text = (
                f"Kept unless you say so: {guard_words(guard)}.\n"
                f"Removing them too is the last button{left}."
            )
        self.put("guard", text)

    def sentence(self) -> str:
        """Say what is canceled by the first verb."""
        plain, _ = self._split()
        return cancel_sentence(self.basis, self._rows(), with_protection=not plain)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the orders, and apart from them the protection."""
        return (
            Verb("Cancel", self._cancel, id="go"),
            Verb("Remove protection too", self._remove, ink="bad", id="remove"),
        )

    def update_verbs(self) -> None:
        """Put the numbers on the buttons."""
        plain, guard = self._split()
        go, remove = self.query_one("#go", Verb), self.query_one("#remove", Verb)
        go.display = bool(plain)
        go.set_label(f"Cancel {count(len(plain), 'order')}")
        remove.display = bool(guard)
        if plain:
            all_ = len(plain) + len(guard)
            remove.set_label(f"Cancel {all_}, remove protection")
        else:
            words = count(len(guard), "stop or target", "stops and targets")
            remove.set_label(f"Remove {words}")
            if len(guard) == 1:
                remove.set_label(f"Remove 1 {guard[0].order.role}")

    @property
    def _strips(self) -> bool:
        """Whether all that could be done is to remove what protects."""
        plain, guard = self._split()
        return bool(guard) and not plain and len(self.order_ids) > 1

    def has_key(self, id: str) -> bool:
        """Tell that ``y`` does nothing where only protection is left."""
        return super().has_key(id) and not (id == "dialog.go" and self._strips)

    def action_go(self) -> None:
        """Press the first verb, but strip no positions by the key that keeps them safe.

        Of all orders shown only protection may be left: the same two keys, pressed once
        more, must not remove it.
        """
        if self._strips:
            self.say("All that is left protects: tab to the button that removes it.")
            return
        super().action_go()

    def _cancel(self) -> None:
        plain, _ = self._split()
        self._send(plain)

    def _remove(self) -> None:
        self._send(self._rows())

    def _send(self, rows: Sequence[OrderRow]) -> None:
        answer = self.run(
            CancelOrders(
                order_ids=tuple(row.order.id for row in rows),
                reason="canceled by the operator",
                seen_seq=self.seen_seq,
            )
        )
        if answer is not None:
            self.dismiss(answer)
