"""The flatten dialog: close a position at market, one owner's or everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.widget import Widget

from workstation.engine.frames import Frame
from workstation.model.commands import Flatten
from workstation.ui.screens.fields import ChoiceLine
from workstation.ui.screens.flatten_plan import (
    flatten_parts,
    flattened_entries,
    given_up,
    may_flatten,
)
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import count, flatten_sentence, row_fields
from workstation.ui.typeset import quantity
from workstation.ui.widgets.status_lines import Field

__all__ = ["FlattenScreen"]

_ALL = "*"


class FlattenScreen(Ritual[Answer]):
    """Flatten one instrument; ``owner`` is who is offered first, None = everybody.

    A part that is being closed already is named and not sold again.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset({"symbols", "orders", "positions"})

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        instrument: str,
        owner: str | None = None,
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.instrument = instrument
        self._first = owner

    def title_text(self) -> str:
        """Name the instrument."""
        row = self.basis.market(self.instrument)
        return f"Flatten {row.symbol if row else self.instrument}"

    def live_fields(self) -> Sequence[Field]:
        """Show the row as it is now."""
        return row_fields(self.scene, self._first or "", self.instrument)

    def compose_body(self) -> Iterable[Widget]:
        """Ask whose position, when there are several."""
        yield ChoiceLine("whose", self._owners(), chosen=self._first, id="owner")

    def _owners(self) -> list[tuple[str, str]]:
        scene = self.basis
        names = dict.fromkeys(
            [
                *(row.position.owner for row in scene.closable(None, self.instrument)),
                *(row.order.owner for row in scene.entries(None, self.instrument)),
            ]
        )
        options = [(name, name) for name in names]
        if len(options) != 1:
            options.append((_ALL, "everybody's"))
        return options

    @property
    def owner(self) -> str | None:
        """Whose position; None = everybody's."""
        value = self.query_one("#owner", ChoiceLine).value
        return None if value == _ALL else value

    @on(ChoiceLine.Changed)
    def _chosen(self) -> None:
        self.rewrite()

    def rebase(self) -> None:
        """Offer the owners there are now."""
        self.basis = self.scene
        self.query_one("#owner", ChoiceLine).set_options(self._owners())
        super().rebase()

    def sentence(self) -> str:
        """Say what is sold or bought, and what ends with it."""
        return flatten_sentence(self.basis, self.instrument, self.owner)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to flatten."""
        return (Verb("Flatten", self._flatten, ink="bad", id="go"),)

    def update_verbs(self) -> None:
        """Put the quantity on the button."""
        what = self.basis, self.instrument, self.owner
        parts, entries = flatten_parts(*what), flattened_entries(*what)
        total = sum((part.left for part in parts), Decimal(0))
        exits = sum(len(part.exits) for part in parts)
        go = self.query_one("#go", Verb)
        if total:
            row = next(part.row for part in parts if part.left)
            text = quantity(total, row.quantity_decimals)
            go.set_label(f"Flatten {text} {row.symbol}")
        elif entries.cancels:
            go.set_label(f"Cancel {count(len(entries.cancels), 'entry', 'entries')}")
        elif entries.ending:
            go.set_label("Close what still fills")
        elif waiting := len(given_up(*what)):
            go.set_label(f"Give up {count(waiting, 'entry', 'entries')}")
        else:
            go.set_label(f"Cancel {count(exits, 'exit')}" if exits else "Flatten")
        go.ready = may_flatten(*what)

    def _flatten(self) -> None:
        answer = self.run(
            Flatten(
                instrument=self.instrument,
                owner=self.owner,
                reason="flattened by the operator",
                seen_seq=self.seen_seq,
            )
        )
        if answer is not None:
            self.dismiss(answer)
