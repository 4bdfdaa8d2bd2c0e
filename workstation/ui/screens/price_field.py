"""A field for a price: up and down are one tick, three letters take a market price.

``b`` is the best bid, ``m`` the middle, ``a`` the best ask. Letters are no part of a
number, so nothing else is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from textual import events

from workstation.engine.order_preview import Touch
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.ui.screens.fields import NumberEntry, NumberField
from workstation.ui.typeset import plain

__all__ = ["PriceField"]

Check = Callable[[str], str]


class _PriceEntry(NumberEntry):
    """The text of a price."""

    instrument: Instrument
    touch: Callable[[], Touch]

    async def _on_key(self, event: events.Key) -> None:
        found = self._market(event.key)
        if event.key in ("b", "m", "a"):
            event.stop()
            event.prevent_default()
            if found is not None:
                self._put(found)
            return
        await super()._on_key(event)

    def _market(self, key: str) -> Decimal | None:
        touch = self.touch()
        if key == "b" and touch.bid is not None:
            return self.instrument.round_price(touch.bid, Side.BUY)
        if key == "a" and touch.ask is not None:
            return self.instrument.round_price(touch.ask, Side.SELL)
        mid = touch.mid
        if key == "m" and mid is not None:
            return self.instrument.nearest_price(to_decimal(mid))
        return None

    def _put(self, value: Decimal) -> None:
        self.value = plain(value)
        self.cursor_position = len(self.value)

    def action_bump(self, steps: int) -> None:
        """Move by ticks; an empty field begins in the middle of the market."""
        mid = self._market("m")
        if not self.value.strip() and mid is not None:
            self._put(mid)
            return
        super().action_bump(steps)


class PriceField(NumberField):
    """A price on the tick of an instrument; ``check`` says what is wrong with one."""

    def __init__(
        self,
        label: str,
        instrument: Instrument,
        touch: Callable[[], Touch],
        *,
        check: Check,
        value: str = "",
        remark: str = "",
        optional: bool = False,
        id: str | None = None,
    ) -> None:
        """Make a field; ``touch`` returns the best prices when they are asked for."""
        self._price_error = check
        super().__init__(
            label,
            step=instrument.tick_size,
            value=value,
            remark=remark,
            least=instrument.tick_size,
            optional=optional,
            id=id,
        )
        entry = self.entry
        assert isinstance(entry, _PriceEntry)
        entry.instrument, entry.touch = instrument, touch

    def set_instrument(self, instrument: Instrument, value: str) -> None:
        """Go on with a price of another instrument."""
        entry = self.entry
        assert isinstance(entry, _PriceEntry)
        entry.instrument, entry.least = instrument, instrument.tick_size
        self.set_step(instrument.tick_size)
        entry.value = value

    def make_entry(self, value: str, placeholder: str, id: str | None) -> _PriceEntry:
        """Return the price's field."""
        return _PriceEntry(value, placeholder, id)

    def _number(self, text: str) -> str:
        if not text and self._optional:
            return ""
        return self._price_error(text)
