"""Who holds what: positions by owner and instrument, what is open, dust, and the net.

The ledger books fills into it; whoever asks for a position is answered here. It knows
no money.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from workstation.model.instruments import Instrument
from workstation.model.money import beyond, minus, plus
from workstation.model.owners import DUST
from workstation.model.positions import Position

__all__ = ["Holdings"]

ZERO = Decimal(0)


class Holdings:
    """The positions of all owners of one account, and dust."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self.by_key: dict[tuple[str, str], Position] = {}
        """All that ever were, by owner and instrument, in order of first trade."""
        self.open: dict[tuple[str, str], Position] = {}
        """Those that are not flat, without dust."""
        self._dust: dict[str, Position] = {}
        self.nets: dict[str, Decimal] = {}
        """The account's signed position by instrument, dust included."""

    def position(self, owner: str, instrument: str) -> Position:
        """Return an owner's position, flat if it never traded."""
        found = self.by_key.get((owner, instrument))
        if found is None:
            return Position(owner=owner, instrument=instrument)
        return found

    def positions(self) -> list[Position]:
        """Return every position that ever was, dust too, in order of first trade."""
        return list(self.by_key.values())

    def open_positions(self, instrument: str | None = None) -> list[Position]:
        """Return the positions that are not flat, without dust."""
        return [
            p
            for p in self.open.values()
            if instrument is None or p.instrument == instrument
        ]

    def held(self) -> Collection[Position]:
        """Return all that is held, dust included."""
        if self._dust:
            return [*self.open.values(), *self._dust.values()]
        return self.open.values()

    def dust(self) -> list[Position]:
        """Return what there is of dust, by instrument."""
        return list(self._dust.values())

    def held_instruments(self) -> Iterator[str]:
        """Yield the instruments of what can be closed; some repeatedly."""
        for _, instrument in self.open:
            yield instrument
        for instrument in self._dust:
            if self.closable(DUST, instrument):
                yield instrument

    @property
    def is_holding(self) -> bool:
        """Tell whether any position is not flat; dust is none."""
        return bool(self.open)

    def net(self, instrument: str) -> Decimal:
        """Return the account's signed position: the sum of its owners', with dust."""
        return self.nets.get(instrument, ZERO)

    def exposed(self, instrument: str) -> Decimal:
        """Return the account's signed position that limits count.

        Of dust only whole lots are in it: the rest must stand in nobody's way.
        """
        net = self.nets.get(instrument, ZERO)
        dust = self._dust.get(instrument)
        if dust is None:
            return net
        lot = self._instruments[instrument].lot_size
        return minus(net, beyond(dust.quantity, lot))

    def closable(self, owner: str, instrument: str) -> Decimal:
        """Return how much of an owner's position orders can close: whole lots of it."""
        held = self.position(owner, instrument).quantity.copy_abs()
        one = self._instruments[instrument]
        rest = beyond(held, one.lot_size)
        return one.round_quantity(minus(held, rest)) if rest else held

    def hold(self, key: tuple[str, str], after: Position, change: Decimal) -> None:
        """Put a position in its place; ``change`` is what the account holds more."""
        self.by_key[key] = after
        owner, instrument = key
        if owner == DUST:
            if after.quantity:
                self._dust[instrument] = after
            else:
                self._dust.pop(instrument, None)
        elif after.quantity:
            self.open[key] = after
        else:
            self.open.pop(key, None)
        self.nets[key[1]] = plus(self.nets.get(key[1], ZERO), change)
