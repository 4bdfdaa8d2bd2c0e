"""The base of all dialogs: opaque, calm, armed only once it has been seen.

Repeats the header and one live line of its object. ``Back`` has the focus; verbs carry
numbers. The app's pump calls ``refresh_from`` while a dialog is open and asks frames
for its ``PANELS``. A refusal stays on the screen and the sentence is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from workstation.engine.frames import Frame
from workstation.ui.actions import Hint, Scope, footer_for
from workstation.ui.glyphs import UNICODE, GlyphSet
from workstation.ui.key_names import key_glyph
from workstation.ui.screens.heading import (
    compact_line,
    kill_words,
    money_line,
    trust_line,
)
from workstation.ui.screens.live_line import LiveLine
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.verb import Verb
from workstation.ui.typeset import clean
from workstation.ui.widgets.kill_banner import KillBanner
from workstation.ui.widgets.panel_frame import PanelRule
from workstation.ui.widgets.status_lines import (
    Field,
    FooterKey,
    FooterKeys,
    HeaderLines,
)

if TYPE_CHECKING:
    from workstation.model.commands import Command

__all__ = ["ARM_DELAY_S", "Answer", "Execute", "Ritual", "Timer", "Verb"]

ARM_DELAY_S = 0.3
"""A key pressed before the dialog could be read must not confirm it."""


class Answer(Protocol):
    """What became of a command (``engine.control.Outcome``)."""

    @property
    def accepted(self) -> bool: ...
    @property
    def detail(self) -> str: ...
    @property
    def seq(self) -> int: ...


Execute = Callable[["Command"], Answer]
Timer = Callable[[float, Callable[[], None]], object]


class Ritual(ModalScreen[ScreenResultType]):
    """A dialog. Subclasses give a title, a live line, a body, a sentence and verbs."""

    ALLOW_SELECT = False
    # The first field would take the focus before ``Back`` does.
    AUTO_FOCUS = ""
    PANELS: ClassVar[frozenset[str]] = frozenset()
    """What it needs of each frame besides the header."""

    BELOW: ClassVar[frozenset[str]] = frozenset()
    """Ids of the verbs that stand in a second line of their own."""

    DEFAULT_CSS = """
    Ritual {
        background: $background;
        align: center top;
        overflow: hidden;
        &:ansi { background: ansi_default; }
    }
    Ritual > HeaderLines { dock: top; }
    Ritual > FooterKeys { dock: bottom; }
    Ritual > #ritual { width: 100%; max-width: 100; height: auto; max-height: 100%; }
    Ritual.-tall > #ritual { margin: 2 0 0 0; }
    Ritual #body { height: auto; }
    Ritual .gap { margin: 1 0 0 0; }
    Ritual #sentence {
        height: auto; min-height: 1; margin: 1 2 0 2; color: $text-strong;
        display: none;
    }
    Ritual #notice {
        height: auto; margin: 1 2 0 2; color: $severity-warn; display: none;
    }
    Ritual .verbs { height: 1; margin: 1 2 0 2; }
    Ritual .verbs.below { margin: 0 2 0 2; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False, id="dialog.back"),
        Binding("y", "go", show=False, id="dialog.go"),
    ]

    def __init__(
        self,
        frame: Frame,
        execute: Execute | None = None,
        *,
        timer: Timer | None = None,
    ) -> None:
        """Open on ``frame``, which should hold the parts named in ``PANELS``.

        ``timer`` calls back after some seconds; tests give their own.
        """
        super().__init__()
        self.scene = Scene.of(frame)
        self.basis = self.scene
        self.armed = False
        self.shown = False
        self.notice = ""
        self._execute = execute
        self._timer = timer
        self._arming = 0
        self._refused_at: int | None = None
        self._verbs: tuple[Verb, ...] = ()
        self._texts: dict[str, str] = {}

    # --- what a dialog is made of -----------------------------------------------------

    def title_text(self) -> str:
        """Return what stands in the rule."""
        return ""

    def live_fields(self) -> Sequence[Field]:
        """Return the live line of the dialog's object, from ``scene``."""
        return ()

    def compose_body(self) -> Iterable[Widget]:
        """Return the fields of the dialog."""
        return ()

    def sentence(self) -> str:
        """Return what will happen, with numbers, from ``basis``."""
        return ""

    def make_verbs(self) -> Sequence[Verb]:
        """Return the buttons behind ``Back``."""
        return ()

    def update_verbs(self) -> None:
        """Change labels and what can be pressed, after anything has changed."""

    def back_label(self) -> str:
        """Return the first button's label."""
        return "Back"

    @property
    def panels(self) -> frozenset[str]:
        """The parts the pump asks frames for while this is open."""
        return self.PANELS

    @property
    def seen_seq(self) -> int:
        """What the sentence was written from; travels with the answer."""
        return self.basis.seq

    # --- composing --------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Stack header, rule, live line, body, sentence, notice, verbs and keys."""
        yield HeaderLines(id="heading")
        with Vertical(id="ritual"):
            yield PanelRule(id="rule")
            yield LiveLine(id="live")
            yield KillBanner(id="killed")
            with Vertical(id="body"):
                yield from self.compose_body()
            yield Static("", id="sentence", markup=False)
            yield Static("", id="notice", markup=False)
            self._verbs = tuple(self.make_verbs())
            with Horizontal(classes="verbs"):
                yield Verb(self.back_label(), self.back, id="back")
                yield from (v for v in self._verbs if v.id not in self.BELOW)
            if self.BELOW:
                with Horizontal(classes="verbs below"):
                    yield from (v for v in self._verbs if v.id in self.BELOW)
        yield FooterKeys(id="keys")

    def on_mount(self) -> None:
        """Show everything and wait to be painted before arming."""
        self.shown = True
        rule = self.query_one("#rule", PanelRule)
        rule.lit = True
        rule.set_title(self.title_text(), "")
        self.show_keys()
        self.first_focus()
        self.rewrite()
        self._show_live()
        self.disarm()
        self.call_after_refresh(self._start_arming)

    def show_keys(self) -> None:
        """Show the keys that do something now."""
        self.query_one("#keys", FooterKeys).set_keys(
            [_footer_key(hint) for hint in self.footer()]
        )

    def footer(self) -> Sequence[Hint]:
        """Return the keys shown at the bottom."""
        return [hint for hint in footer_for(Scope.DIALOG, ()) if self.has_key(hint.id)]

    def has_key(self, id: str) -> bool:
        """Tell whether a key of the dialog scope does something here."""
        if id == "dialog.go":
            return bool(self._verbs)
        return id != "dialog.raw"

    def first_focus(self) -> None:
        """Put the focus on ``Back``."""
        self.query_one("#back", Verb).focus()

    # --- arming -----------------------------------------------------------------------

    def _start_arming(self) -> None:
        self._arming += 1
        wanted = self._arming

        def fire() -> None:
            if wanted == self._arming:
                self.arm()

        start: Timer = self._timer if self._timer is not None else self.set_timer
        start(ARM_DELAY_S, fire)

    def arm(self) -> None:
        """Let the verbs be pressed from now on."""
        self.armed = True
        self._show_verbs()

    def disarm(self) -> None:
        """Take the verbs back until the dialog has been painted anew."""
        self.armed = False
        self._arming += 1
        self._show_verbs()

    def _show_verbs(self) -> None:
        if not self.shown:
            return
        for verb in self._verbs:
            verb.ready = True
        self.update_verbs()
        if not self.armed:
            for verb in self._verbs:
                verb.ready = False

    # --- frames -----------------------------------------------------------------------

    def refresh_from(self, frame: Frame) -> None:
        """Take a new frame: the live line follows, the sentence only when it must."""
        self.scene = self.scene.then(frame)
        refused = self._refused_at
        if refused is not None and frame.seq >= refused:
            self._refused_at = None
            self.rebase()
        elif self.basis.lacks(self.PANELS) and not self.scene.lacks(self.PANELS):
            self.rebase()
        if self.shown:
            self._show_live()

    def rebase(self) -> None:
        """Write the sentence from the latest scene, and arm again once painted."""
        self.basis = self.scene
        if self.shown:
            self.disarm()
            self.rewrite()
            self.call_after_refresh(self._start_arming)

    def _show_live(self) -> None:
        header = self.scene.header
        self.query_one("#heading", HeaderLines).set_lines(
            trust_line(header), money_line(header), compact_line(header)
        )
        keys = getattr(self.app, "keymap", {}).get("app.kill", ("ctrl+k",))
        self.query_one("#killed", KillBanner).set_kill(
            kill_words(
                header,
                key=key_glyph(keys[0]),
                locked=bool(getattr(self.app, "locked", False)),
                read_only=bool(getattr(self.app, "read_only", False)),
            )
        )
        live, fields = self.query_one("#live", LiveLine), self.live_fields()
        live.display = bool(fields)
        live.set_fields(fields)

    def rewrite(self) -> None:
        """Show sentence, notice and verbs as they are now."""
        if not self.shown:
            return
        self.put("sentence", self.sentence())
        self.put("notice", self.notice)
        self._show_verbs()

    def put(self, id: str, text: str) -> None:
        """Show a text in the static of this id, hidden while there is none.

        Lays out only when it has changed, so it may be called with every frame.
        """
        if self._texts.get(id) != text:
            self._texts[id] = text
            static = self.query_one(f"#{id}", Static)
            static.update(self.words(text))
            static.display = bool(text)

    def after_entry(self) -> None:
        """Go on from a text field: what ``enter`` does there."""
        self.focus_next()

    def words(self, text: str) -> str:
        """Return sentences as they can be shown: no control characters, our glyphs."""
        found = getattr(self.app, "glyphs", None)
        glyphs = found if isinstance(found, GlyphSet) else UNICODE
        return "\n".join(glyphs.show(clean(line)) for line in text.split("\n"))

    # --- doing ------------------------------------------------------------------------

    def say(self, notice: str) -> None:
        """Show a sentence below the other one."""
        self.notice = notice
        self.rewrite()

    def run(self, command: Command) -> Answer | None:
        """Execute a command; when it is refused say why, stay, and return None."""
        if self._execute is None:
            return None
        answer = self._execute(command)
        if answer.accepted:
            return answer
        self.notice = f"Refused: {answer.detail}."
        self._refused_at = answer.seq
        self.disarm()
        self.rewrite()
        if self.scene.seq >= answer.seq:
            self._refused_at = None
            self.rebase()
        return None

    def back(self) -> None:
        """Close with nothing done."""
        self.dismiss(None)

    def action_back(self) -> None:
        """Go back: what ``esc`` does."""
        self.back()

    def action_go(self) -> None:
        """Press the first verb: what ``y`` does once armed and outside text."""
        if isinstance(self.focused, Input | TextArea):
            return
        for verb in self._verbs:
            if verb.display:
                verb.action_press()
                return


def _footer_key(hint: Hint) -> FooterKey:
    call = {
        "dialog.back": "screen.back",
        "dialog.next": "app.focus_next",
        "dialog.raw": "screen.raw",
    }.get(hint.id, "")
    return FooterKey(hint.glyph, hint.label, call, hint.rank)
