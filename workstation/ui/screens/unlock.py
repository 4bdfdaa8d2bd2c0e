"""The unlock dialog: the account's name, typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.ritual import Ritual, Timer, Verb
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["UnlockScreen"]


class UnlockScreen(Ritual[bool]):
    """Ask for the account's name; dismisses with True when it was right."""

    def __init__(
        self, frame: Frame, account: str | None = None, *, timer: Timer | None = None
    ) -> None:
        super().__init__(frame, timer=timer)
        self.account = account if account is not None else frame.header.account

    def title_text(self) -> str:
        """Name the dialog."""
        return "Unlock the screen"

    def live_fields(self) -> Sequence[Field]:
        """Show whose screen it is."""
        return (
            field("locked: keys that act are absent, ctrl+k is not", "state-manual"),
            Field((("account ", "dim"), (self.account, "strong"))),
        )

    def compose_body(self) -> Iterable[Widget]:
        """Ask for the name."""
        yield TextField("account", placeholder="type its name", short=True, id="name")

    def first_focus(self) -> None:
        """Put the focus where one types."""
        self.query_one("#name", TextField).entry.focus()

    def after_entry(self) -> None:
        """Go to the button once the name is right."""
        go = self.query_one("#go", Verb)
        if go.ready:
            go.focus()

    def sentence(self) -> str:
        """Say what unlocking allows."""
        return f"Unlocking allows every key to act on account {self.account} again."

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to unlock."""
        return (Verb("Unlock", self._unlock, id="go"),)

    def update_verbs(self) -> None:
        """Wait for the name."""
        right = self.query_one("#name", TextField).text == self.account
        self.query_one("#go", Verb).ready = right

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show_verbs()

    def _unlock(self) -> None:
        self.dismiss(True)
