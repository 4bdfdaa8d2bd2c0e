"""What the panels of one (symbol, strategy) share: its name, its choice, no row."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, TextBody
from workstation.ui.widgets.inks import Part

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, MachineFrame

__all__ = ["RowBody"]


class RowBody(TextBody):
    """Lines about the row that has the focus."""

    needs = frozenset({"machine"})
    scope = Scope.ROW
    follows_focus = True
    empty: ClassVar[tuple[str, ...]] = (
        "No strategy has this symbol.",
        "Add it to [[strategies]] symbols.",
    )

    def apply(self, frame: Frame) -> None:
        """Show the row of a frame, or say that there is none."""
        if frame.machine is None:
            self.set_title([*self.pin_parts(), (self.title, "title")], "")
            self.set_lines([])
        else:
            self.apply_row(frame, frame.machine)

    @abstractmethod
    def apply_row(self, frame: Frame, machine: MachineFrame) -> None:
        """Show the machine of the frame's row."""

    def row_title(self, machine: MachineFrame) -> list[Part]:
        """Return the panel's name and whose row it shows."""
        row = machine.row
        return [
            *self.pin_parts(),
            (self.title, "title"),
            (f" {row.symbol} {row.strategy}", "dim"),
        ]

    @property
    def choice(self) -> Choice | None:
        """The row shown."""
        machine = None if self._frame is None else self._frame.machine
        if machine is None:
            return None
        return Choice(machine.row.instrument, machine.row.strategy)
