"""The dialog for a limit: what it is now, what it is to be, and what that lets pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame
from workstation.model.commands import SetLimit
from workstation.model.limits import Gauge, LimitUnit
from workstation.ui.panels.risk import LIMIT_NAMES, limit_text
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.typed_numbers import amount_of, wrong_amount
from workstation.ui.typeset import number, percent, plain
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["SetLimitScreen", "exact_limit", "limit_sentence", "wrong_limit"]

_NO_LIMIT = "none"
_REMARKS = {
    LimitUnit.MONEY: "in the account's currency",
    LimitUnit.SHARE: "a share, 0.1 is 10%",
    LimitUnit.COUNT: "a whole number",
    LimitUnit.RATIO: "messages for one fill",
    LimitUnit.BPS: "basis points",
}
_BREAKERS = ("max_daily_loss", "max_drawdown")


def wrong_limit(unit: LimitUnit, text: str) -> str:
    """Return what is wrong with a limit as it was typed, or nothing."""
    if text.strip().lower() == _NO_LIMIT:
        return ""
    value = amount_of(text)
    if value is None:
        return wrong_amount(text, wanted=f"a number, or {_NO_LIMIT}")
    if unit is LimitUnit.BPS:
        return "must be 0 or more" if value < 0 else ""
    if value <= 0:
        return "must be more than 0"
    if unit is LimitUnit.COUNT and value != value.to_integral_value():
        return "must be a whole number"
    if unit is LimitUnit.SHARE and value > 1:
        return "must be a share, at most 1"
    return ""


def exact_limit(unit: LimitUnit, value: Decimal | None) -> str:
    """Write a limit as the panel does, with every digit that it has."""
    if value is None:
        return _NO_LIMIT
    share = unit is LimitUnit.SHARE
    shown = (value * 100 if share else value).normalize()
    exponent = shown.as_tuple().exponent
    least = 1 if unit in (LimitUnit.SHARE, LimitUnit.RATIO) else 0
    decimals = max(least, -exponent if isinstance(exponent, int) else 0)
    return f"{number(shown, decimals)}{'%' if share else ''}"


def limit_sentence(gauge: Gauge, after: Decimal | None, on_breach: str) -> str:
    """Say what a limit of ``after`` lets pass that this one does not, or stops."""
    name, unit, before, value = gauge.name, gauge.unit, gauge.limit, gauge.value
    new, old = exact_limit(unit, after), exact_limit(unit, before)
    if after == before:
        return f"{name} stays {old}."
    parts = [f"{name} goes from {old} to {new}."]
    if after is None:
        parts.append("Nothing bounds it any more.")
    elif before is not None and after > before:
        more = exact_limit(unit, after - before)
        parts.append(f"It lets {more} more pass.")
    else:
        parts.append("It lets less pass.")
    if value is None or after is None:
        return " ".join(parts)
    used = percent(float(value / after) * 100, 0, sign=False, unit=True)
    if value <= after:
        parts.append(f"{limit_text(unit, value)} is {used} of it.")
    elif name in _BREAKERS:
        parts.append(
            f"{limit_text(unit, value)} is more: the breaker trips at once and climbs "
            f"to {on_breach}."
        )
    else:
        parts.append(f"{limit_text(unit, value)} is more: entries are denied at once.")
    return " ".join(parts)


class SetLimitScreen(Ritual[Answer]):
    """Set one limit; a looser one is confirmed by its sentence."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"risk"})

    def __init__(
        self, frame: Frame, execute: Execute, name: str, *, timer: Timer | None = None
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.limit = name

    def _gauge(self, *, live: bool = False) -> Gauge:
        table = self.scene.risk if live else self.basis.risk
        if table is None:
            raise LookupError("the frame has no limits")
        return next(each for each in table.gauges if each.name == self.limit)

    def title_text(self) -> str:
        """Name the limit."""
        return f"Limit {LIMIT_NAMES[self.limit]}"

    def live_fields(self) -> Sequence[Field]:
        """Show the figure as it is now."""
        gauge = self._gauge(live=True)
        share = gauge.share
        used = "" if share is None else percent(float(share) * 100, 0, sign=False)
        fields = [
            field(gauge.name, "strong"),
            field(f"now {limit_text(gauge.unit, gauge.value)}"),
            field(f"at most {exact_limit(gauge.unit, gauge.limit)}"),
        ]
        if used:
            fields.append(field(f"{used}% used", "bad" if gauge.is_exceeded else ""))
        if gauge.subject:
            fields.append(field(gauge.subject, "dim", 1))
        return fields

    def compose_body(self) -> Iterable[Widget]:
        """Ask for the limit, and why."""
        gauge = self._gauge()
        limit = _NO_LIMIT if gauge.limit is None else plain(gauge.limit)
        yield TextField(
            "at most",
            value=limit,
            remark=f"{_REMARKS[gauge.unit]}, or {_NO_LIMIT}",
            check=lambda text: wrong_limit(gauge.unit, text),
            short=True,
            id="limit",
        )
        yield TextField("reason", placeholder="if any; it is journalled", id="reason")

    def first_focus(self) -> None:
        """Begin in the number: nothing happens there."""
        self.query_one("#limit", TextField).entry.focus()

    @on(Input.Changed)
    def _edited(self) -> None:
        self.rewrite()

    @property
    def _typed(self) -> str:
        return self.query_one("#limit", TextField).text

    @property
    def _is_wrong(self) -> bool:
        return bool(wrong_limit(self._gauge().unit, self._typed))

    @property
    def _value(self) -> Decimal | None:
        return amount_of(self._typed)

    @property
    def _loosens(self) -> bool:
        before, after = self._gauge().limit, self._value
        return before is not None and (after is None or after > before)

    def sentence(self) -> str:
        """Say what is let pass, with the numbers."""
        if not self.shown or self._is_wrong:
            return "Nothing is changed while the limit cannot be used."
        table = self.basis.risk
        on_breach = "" if table is None else table.on_breach
        return limit_sentence(self._gauge(), self._value, on_breach)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to tighten, or to loosen."""
        return (
            Verb("Tighten", self._set, id="go"),
            Verb("Loosen", self._set, ink="bad", id="loosen"),
        )

    def update_verbs(self) -> None:
        """Show the one of the two that it would be, with its number."""
        wrong, looser = self._is_wrong, not self._is_wrong and self._loosens
        value, gauge = self._value, self._gauge()
        new = "no limit" if value is None else exact_limit(gauge.unit, value)
        same = value == gauge.limit
        for name, word, shown in (
            ("#go", "Tighten", not looser),
            ("#loosen", "Loosen", looser),
        ):
            verb = self.query_one(name, Verb)
            verb.display = shown
            verb.set_label(word if wrong or same else f"{word} to {new}")
            verb.ready = shown and not wrong and not same

    def _set(self) -> None:
        answer = self.run(
            SetLimit(
                name=self.limit,
                value=self._value,
                confirmed=self._loosens,
                reason=self.query_one("#reason", TextField).text,
                seen_seq=self.seen_seq,
            )
        )
        if answer is not None:
            self.dismiss(answer)
