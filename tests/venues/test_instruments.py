from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.instruments import Instrument
from workstation.venues.instruments import (
    default_instrument,
    split_symbol,
    start_price,
)
from workstation.venues.simulated import instruments as simulated

SYMBOLS = st.text("ABCDEFGHUSDTRX", min_size=1, max_size=10)


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [
        ("BTCUSDT", "BTC", "USDT"),
        ("ETHUSDC", "ETH", "USDC"),
        ("ETHBTC", "ETH", "BTC"),
        ("BTCUSD", "BTC", "USD"),
        ("BTC/USD", "BTC", "USD"),
        ("XRPETH", "XRP", "ETH"),
        ("BTCEUR", "BTC", "EUR"),
        ("USDT", "USDT", "USD"),
        ("GOOG", "GOOG", "USD"),
    ],
)
def test_a_symbol_is_split_at_its_quote_currency(
    symbol: str, base: str, quote: str
) -> None:
    assert split_symbol(symbol) == (base, quote)


def test_bitcoin_has_the_grid_of_its_spot_market() -> None:
    assert simulated.default_instrument("BTCUSDT") == Instrument(
        id="BTCUSDT",
        venue="simulated",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_notional=Decimal(5),
    )
    assert start_price("BTCUSDT") == 61_700.0


def test_an_instrument_can_have_an_id_of_its_own() -> None:
    assert default_instrument("BTCUSDT", "file", "BTCUSDT@file").id == "BTCUSDT@file"


@given(SYMBOLS)
def test_an_unknown_symbol_gets_a_sane_and_stable_instrument(symbol: str) -> None:
    instrument = default_instrument(symbol, "simulated")
    price = Decimal(repr(start_price(symbol)))

    assert instrument == default_instrument(symbol, "simulated")
    assert price > 0
    assert instrument.is_on_tick(price)
    assert 1_000 <= price / instrument.tick_size <= 10**11
    assert instrument.lot_size * price <= 10 * instrument.min_notional
