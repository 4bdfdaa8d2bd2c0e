"""The worked example and the TOML of docs/venues.md are true."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from tests.market.fakes import FakeCore
from workstation.market.aggregator import Aggregator
from workstation.market.opportunities import OpportunityDetector
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.events import OpportunityFound
from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument
from workstation.model.market import Quote

TEXT = (Path(__file__).parents[1] / "docs" / "venues.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells[1:]
    for cells in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in TEXT.splitlines()
        if line.startswith("|")
    )
}


def figure(text: str) -> Decimal:
    return Decimal(text.replace(",", "").removesuffix(" bp"))


def side(which: int) -> tuple[Instrument, VenueFees, Decimal, Decimal]:
    price = ROWS["price"][which].replace(",", "")
    instrument = Instrument(
        id=ROWS["venue"][which],
        venue=ROWS["venue"][which],
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=Decimal(1).scaleb(-len(price.partition(".")[2])),
        lot_size=figure(ROWS["lot"][which]),
    )
    fees = VenueFees(Decimal(0), figure(ROWS["taker fee"][which]))
    return instrument, fees, Decimal(price), figure(ROWS["size on offer"][which])


def test_the_worked_example_is_what_the_detector_finds() -> None:
    buy, buy_fees, ask, ask_size = side(0)
    sell, sell_fees, bid, bid_size = side(1)
    detector = OpportunityDetector(
        OpportunitySettings(min_notional=Decimal(0)),
        (buy, sell),
        {buy.venue: buy_fees, sell.venue: sell_fees},
    )
    market = Aggregator(StorageSettings(), (buy, sell), detector)
    core = FakeCore(1)
    market.attach(core)
    quotes = [
        Quote(buy.id, 1, float(ask) - 10, 1.0, float(ask), float(ask_size)),
        Quote(sell.id, 1, float(bid), float(bid_size), float(bid) + 10, 1.0),
    ]
    core.feed(market, quotes)
    (event,) = [each for each in core.emitted if isinstance(each, OpportunityFound)]
    found = event.opportunity

    assert (found.buy, found.sell) == (buy.id, sell.id)
    assert found.size == figure(ROWS["size"][0])
    for name, value in (
        ("gross", found.gross_bps),
        ("fees", found.fees_bps),
        ("net edge", found.net_bps),
    ):
        assert value == pytest.approx(float(figure(ROWS[name][0])), abs=5.1e-5), name
    money = re.search(r"which is ([\d.]+) USDT", TEXT)
    assert money is not None
    worth = float(found.size * found.buy_price) * found.net_bps / 10_000
    assert worth == pytest.approx(float(money[1]), abs=0.005)


def test_the_tomls_of_the_page_are_toml() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        assert tomllib.loads(block)
