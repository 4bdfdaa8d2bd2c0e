"""The tape of one symbol's public trades and our own fills, as a frame shows it.

Called by ``FrameSource`` between two inputs; it only reads. While nothing trades it
hands out the same frame again, so a standing tape costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workstation.engine.engine import Engine
from workstation.engine.frames import Focus, OwnFill, TapeFrame, TradeRow
from workstation.market.aggregator import Aggregator
from workstation.model.instruments import Instrument

__all__ = ["TradeFrames"]

_SHOWN = 200
"""Trades in a frame: more than any screen shows, and ten frames of a busy symbol."""
_FILLS = 50
_LEAST = 20
"""Trades a mean size is taken from at least: the first ones are all as big as it."""
_KEPT = 8
"""Tapes remembered: the focused one and those of pinned panels."""


class TradeFrames:
    """Tapes of one session."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._instruments = instruments
        self._made: dict[str, tuple[tuple[int, int, bool], TapeFrame]] = {}
        self._filled: tuple[int, dict[str, tuple[OwnFill, ...]]] = (-1, {})

    def tape(self, focus: Focus) -> TapeFrame | None:
        """Return the focused tape, or None where no such instrument is."""
        name = focus.instrument
        instrument = self._instruments.get(name)
        if instrument is None:
            return None
        live = self._aggregator.instrument(name)
        window = self._aggregator.trades(name)
        total = 0 if window is None else window.total
        bars_only = live.bars_only and live.bars_feed > 0
        state = (total, self._engine.store.filled, bars_only)
        made = self._made.get(name)
        if made is not None and made[0] == state:
            return made[1]
        rows = None if window is None or not total else window.tail()
        frame = TapeFrame(
            instrument=name,
            symbol=instrument.id,
            decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            total=total,
            trades=() if rows is None else _last_rows(rows),
            fills=self._fills(name),
            mean_size=_mean_size(rows),
            buy_share=None if rows is None else _buy_share(rows),
            is_kept=window is not None,
            bars_only=bars_only,
        )
        if len(self._made) >= _KEPT:
            self._made.clear()
        self._made[name] = (state, frame)
        return frame

    def _fills(self, instrument: str) -> tuple[OwnFill, ...]:
        store = self._engine.store
        if self._filled[0] != store.filled:
            self._filled = (store.filled, {})
        known = self._filled[1].get(instrument)
        if known is None:
            found = [
                OwnFill(
                    number=number,
                    ts=fill.ts,
                    price=float(fill.price),
                    size=float(fill.quantity),
                    side=fill.side.sign,
                )
                for number, fill in enumerate(
                    store.fills, start=store.filled - len(store.fills) + 1
                )
                if fill.instrument == instrument
            ]
            known = self._filled[1][instrument] = tuple(found[-_FILLS:])
        return known


def _last_rows(columns: Any) -> tuple[TradeRow, ...]:
    last = [column[-_SHOWN:].tolist() for column in columns.values()]
    return tuple(zip(*last, strict=True))


def _mean_size(rows: Any) -> float | None:
    if rows is None or len(rows["size"]) < _LEAST:
        return None
    return float(rows["size"].mean())


def _buy_share(rows: Any) -> float | None:
    # Any: columns of numpy, which is imported late.
    sizes, sides = rows["size"], rows["aggressor"]
    bought, sold = float(sizes[sides > 0].sum()), float(sizes[sides < 0].sum())
    return bought / (bought + sold) if bought + sold > 0 else None
