"""Configs of several venues: whose instruments, which market, what fees, which grid."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.test_config_errors import GOOD, RECORDING
from workstation.config import load_config
from workstation.model.instruments import Instrument

PEPE = """
mode = "recording"
[[feeds]]
name = "tape"
type = "file"
format = "trades"
files = ["pepe.csv"]
symbols = ["PEPEUSDT"]
[[strategies]]
name = "ema_cross"
script = "ema_cross.py"
"""
TRADES = """ts,price,size
1723075200000,0.00000812,1000
1723075201000,0.0000081,25.5
1723075202000,0.00000809,1000
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def simulated(name: str, *symbols: str, more: str = "") -> str:
    listed = ", ".join(f'"{symbol}"' for symbol in symbols)
    return (
        f'[[feeds]]\nname = "{name}"\ntype = "simulated"\nvenue = "{name}"\n'
        f"symbols = [{listed}]\n{more}"
    )


def instruments(path: Path, *overrides: str) -> tuple[Instrument, ...]:
    return load_config(path, overrides).run.instruments


def test_two_simulated_feeds_bring_one_symbol_of_two_venues(tmp_path: Path) -> None:
    head, tail = GOOD.split("[[feeds]]")[0], GOOD[GOOD.index("[[strategies]]") :]
    feeds = simulated("north", "BTCUSDT", "LTCUSDT") + simulated("south", "BTCUSDT")
    path = write(tmp_path / "two.toml", head + feeds + tail)

    found = instruments(path)

    assert [(item.id, item.venue, item.symbol) for item in found] == [
        ("BTCUSDT.north", "north", "BTCUSDT"),
        ("LTCUSDT", "north", "LTCUSDT"),
        ("BTCUSDT.south", "south", "BTCUSDT"),
    ]
    assert {item.common_symbol for item in found} == {"BTCUSDT", "LTCUSDT"}


def test_two_file_feeds_bring_one_symbol_of_two_venues(tmp_path: Path) -> None:
    second = (
        '[[feeds]]\nname = "kraken"\ntype = "file"\nvenue = "kraken"\n'
        'format = "quotes"\nfiles = ["q.csv"]\nsymbols = ["BTC/USDT"]\n'
    )
    for name in ("a.gz", "b.gz", "q.csv"):
        write(tmp_path / name, "")
    one, _, other = instruments(write(tmp_path / "r.toml", RECORDING + second))
    assert (one.venue, other.venue) == ("binance", "kraken")
    assert (one.id, other.id) == ("BTCUSDT", "BTC/USDT")
    assert one.common_symbol == other.common_symbol == "BTCUSDT"


@pytest.mark.parametrize("name", ["BTC-USD", "BTC/USD", "btc_usd", "BTCUSD"])
def test_separators_and_case_make_no_other_market(name: str) -> None:
    instrument = Instrument(
        id=name,
        venue="x",
        symbol=name,
        base="BTC",
        quote="USD",
        tick_size=Decimal(1),
        lot_size=Decimal(1),
    )
    assert instrument.common_symbol == "BTCUSD"


def test_a_market_joins_names_that_differ(tmp_path: Path) -> None:
    entry = (
        '[[instruments]]\nsymbol = "XBTUSDT"\nvenue = "south"\nmarket = "BTC/USDT"\n'
        'tick_size = "0.1"\nlot_size = "0.001"\n'
    )
    head, tail = GOOD.split("[[feeds]]")[0], GOOD[GOOD.index("[[strategies]]") :]
    feeds = simulated("north", "BTCUSDT") + simulated("south", "XBTUSDT")
    path = write(tmp_path / "two.toml", head + entry + feeds + tail)

    north, south = instruments(path)

    assert (north.id, south.id) == ("BTCUSDT", "XBTUSDT")
    assert north.common_symbol == south.common_symbol == "BTCUSDT"
    chosen = load_config(path, ['strategies.0.symbols=["BTC/USDT"]']).run.strategies[0]
    assert chosen.symbols == ("XBTUSDT",)


def test_an_entry_of_the_venue_itself_goes_before_one_of_any(tmp_path: Path) -> None:
    entries = (
        '[[instruments]]\nsymbol = "BTCUSDT"\ntick_size = 1\nlot_size = 1\n'
        '[[instruments]]\nsymbol = "BTCUSDT"\nvenue = "south"\ntick_size = 2\n'
        "lot_size = 1\n"
    )
    head, tail = GOOD.split("[[feeds]]")[0], GOOD[GOOD.index("[[strategies]]") :]
    feeds = simulated("north", "BTCUSDT") + simulated("south", "BTCUSDT")
    path = write(tmp_path / "two.toml", head + entries + feeds + tail)
    assert [item.tick_size for item in instruments(path)] == [1, 2]


def test_an_equal_currency_may_be_quoted_in(tmp_path: Path) -> None:
    path = write(tmp_path / "x.toml", GOOD)
    found = instruments(
        path, 'feeds.0.symbols=["BTCUSD"]', 'account.equal_currencies=["USD"]'
    )
    assert [item.quote for item in found] == ["USD"]


def test_an_unknown_symbol_of_a_file_gets_the_grid_of_its_prices(
    tmp_path: Path,
) -> None:
    write(tmp_path / "pepe.csv", TRADES)
    (pepe,) = instruments(write(tmp_path / "p.toml", PEPE))
    assert pepe.tick_size == Decimal("0.00000001")
    assert pepe.lot_size == Decimal("0.1")
    price = pepe.nearest_price(0.00000812)
    assert price == Decimal("0.00000812")


def test_an_unknown_symbol_that_is_described_keeps_its_description(
    tmp_path: Path,
) -> None:
    write(tmp_path / "pepe.csv", TRADES)
    entry = (
        '[[instruments]]\nsymbol = "PEPEUSDT"\ntick_size = "0.0000000001"\n'
        "lot_size = 1\n"
    )
    text = PEPE.replace("[[feeds]]", entry + "[[feeds]]")
    (pepe,) = instruments(write(tmp_path / "p.toml", text))
    assert pepe.tick_size == Decimal("0.0000000001")


@pytest.mark.parametrize(
    "text", ["", "ts,price,size\nnonsense\n", "ts,price,size\n1,1e999,2\n"]
)
def test_a_file_without_a_sound_head_is_the_runs_to_complain_of(
    text: str, tmp_path: Path
) -> None:
    write(tmp_path / "pepe.csv", text)
    (pepe,) = instruments(write(tmp_path / "p.toml", PEPE))
    assert pepe.symbol == "PEPEUSDT"
