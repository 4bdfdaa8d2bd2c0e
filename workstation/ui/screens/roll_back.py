"""The dialog before a script's version before comes back: from what to what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from workstation.engine.frames import Frame
from workstation.ui.screens.ritual import Ritual, Timer, Verb
from workstation.ui.screens.sentences import count, listed, position_text

if TYPE_CHECKING:
    from workstation.engine.reloading import ReloadAnswer

__all__ = ["RollBackScreen"]

_VERSION = 8
# Enough of a hash to tell two versions apart; the panel shows as much.
_NAMED = 3
# Positions that are named; of more only the number is said.


class RollBackScreen(Ritual["ReloadAnswer"]):
    """Roll one strategy's script back; dismisses with the answer.

    ``versions`` returns those there are, newest last. What was shown must still be so
    when it is confirmed: a version that came meanwhile writes the sentence anew.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset({"positions"})

    def __init__(
        self,
        frame: Frame,
        strategy: str,
        versions: Callable[[], Sequence[str]],
        roll_back: Callable[[], ReloadAnswer],
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, timer=timer)
        self.strategy = strategy
        self._versions = versions
        self._roll_back = roll_back
        self._seen = tuple(versions())

    def title_text(self) -> str:
        """Name the strategy."""
        return f"Roll back {self.strategy}"

    def sentence(self) -> str:
        """Say which version goes, which one comes, and what stays."""
        if len(self._seen) < 2:
            return f"{self.strategy} has no version before this one."
        before, now = (each[:_VERSION] for each in self._seen[-2:])
        text = (
            f"{self.strategy} goes back from version {now} to {before}, without a run "
            "in the shadow. States, orders and the parameters that were set stay."
        )
        held = self.basis.held(self.strategy)
        if held:
            names = [position_text(row) for row in held[:_NAMED]]
            if len(held) > _NAMED:
                names.append(count(len(held) - _NAMED, "other"))
            text += f" In trade: {listed(names)}; {before} manages it."
        return text

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to go back."""
        return (Verb("Roll back 1 script", self._go, id="go"),)

    def update_verbs(self) -> None:
        """Wait for a version before."""
        self.query_one("#go", Verb).ready = len(self._seen) > 1

    def refresh_from(self, frame: Frame) -> None:
        """Write the sentence anew when another version has come meanwhile."""
        super().refresh_from(frame)
        if self.shown:
            self._is_as_shown()

    def _is_as_shown(self) -> bool:
        now = tuple(self._versions())
        if now == self._seen:
            return True
        self._seen = now
        self.rebase()
        return False

    def _go(self) -> None:
        if not self._is_as_shown():
            return
        answer = self._roll_back()
        if answer.accepted:
            self.dismiss(answer)
        else:
            self.say(f"Refused: {answer.detail}.")
