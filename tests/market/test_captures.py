"""The recorded streams, end to end: figures measured independently beforehand."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.market.captures import cryptofeed, read
from tests.market.fakes import FakeCore, market
from tests.reference import reference
from workstation.market.aggregator import Aggregator
from workstation.model.events import MarketDataUpdated
from workstation.model.market import BookSnapshot, Trade
from workstation.model.states import BookTrust
from workstation.model.timeframes import Timeframe
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings

pytestmark = pytest.mark.reference

SPOT_BTC = ("data", "binance", "spot-ws", "btcusdt_20240808.gz")
SPOT_ETH = ("data", "binance", "spot-ws", "ethusdt_20240808.gz")
USDM_BTC = ("data", "binance", "usdm-ws", "btcusdt_20240808.gz")


def run(parts: tuple[str, ...], *watch: str) -> tuple[Aggregator, FakeCore]:
    path = reference(*parts)
    name = path.name.partition("_")[0].upper()
    aggregator, core = market(name, watch=watch, start_ns=1_723_161_253_000_000_000)
    core.feed(aggregator, read(path))
    return aggregator, core


@pytest.mark.parametrize(
    ("parts", "dropped", "applied", "agreed", "last_id", "bid", "ask", "depth"),
    [
        (
            SPOT_BTC,
            2,
            3_449,
            564,
            50_093_421_584,
            (61_685.99, 1.00870),
            (61_686.00, 2.29327),
            (1_209, 2_196),
        ),
        (
            SPOT_ETH,
            2,
            3_432,
            577,
            35_346_671_849,
            (2_682.50, 3.3168),
            (2_682.51, 48.9739),
            (1_195, 1_158),
        ),
        (
            USDM_BTC,
            4,
            6_547,
            503,
            5_123_135_475_514,
            (61_659.70, 1.486),
            (61_659.80, 0.981),
            (5_018, 4_578),
        ),
    ],
    ids=["spot-btc", "spot-eth", "usdm-btc"],
)
def test_a_recorded_book_ends_where_the_venue_ended(
    parts: tuple[str, ...],
    dropped: int,
    applied: int,
    agreed: int,
    last_id: int,
    bid: tuple[float, float],
    ask: tuple[float, float],
    depth: tuple[int, int],
) -> None:
    aggregator, core = run(parts)
    (name,) = aggregator.instruments
    book = aggregator.book(name)
    assert book is not None
    assert book.trust is BookTrust.TRUSTED
    assert (book.dropped, book.applied, book.gaps, book.crossed) == (
        dropped,
        applied,
        0,
        0,
    )
    assert (book.ticker_agreed, book.ticker_compared) == (agreed, agreed)
    assert book.update_id == last_id
    assert (book.best_bid(), book.best_ask(), book.depth()) == (bid, ask, depth)
    assert aggregator.gap_ledger() == ()
    assert aggregator.distrust(name, core.ts) is None


@pytest.mark.parametrize(
    ("symbol", "dropped", "applied", "snapshot_id"),
    [
        ("NKNUSDT", 1, 149, 499_869_752),
        ("BLZETH", 1, 9, 281_916_627),
        ("LRCBTC", 2, 13, 259_345_543),
        ("RUNEEUR", 1, 1, 15_602_511),
    ],
)
def test_a_book_of_the_cryptofeed_capture_is_built_without_a_gap(
    symbol: str, dropped: int, applied: int, snapshot_id: int, tmp_path: Path
) -> None:
    captured = cryptofeed(reference("data", "binance", "cryptofeed-spot"))
    assert set(captured) == {"NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"}
    path = tmp_path / f"{symbol}.txt"
    path.write_text("\n".join(captured[symbol]))
    feed = FileFeed(
        FileFeedSettings(
            name="file", format="binance-raw", files=(path.name,), symbols=(symbol,)
        ),
        [path],
        {symbol: symbol},
    )
    aggregator, core = market(symbol, start_ns=1_633_998_511_000_000_000)
    seen = []
    while (item := feed.next()) is not None:
        core.feed(aggregator, [item[1]])
        if isinstance(item[1], BookSnapshot):
            seen.append(item[1].last_id)
    assert seen == [snapshot_id]
    book = aggregator.book(symbol)
    assert book is not None
    assert book.trust is BookTrust.TRUSTED
    assert (book.dropped, book.applied) == (dropped, applied)
    assert (book.gaps, book.crossed, book.refused) == (0, 0, 0)
    assert book.ticker_agreed == book.ticker_compared


def test_recorded_bars_are_an_exact_group_by_of_the_trades() -> None:
    trades = [e for e in read(reference(*SPOT_BTC)) if isinstance(e, Trade)]
    _, core = run(SPOT_BTC, "1s", "1m")
    for word in ("1s", "1m"):
        timeframe = Timeframe.parse(word)
        length = timeframe.length_ns
        groups: dict[int, list[Trade]] = defaultdict(list)
        for trade in trades:
            groups[trade.ts_recv // length].append(trade)
        built = {bar.ts_open // length: bar for bar in core.bars(timeframe)}
        last = core.ts // length
        assert list(built) == list(range(min(groups), last))
        for start, bar in built.items():
            group = groups.get(start)
            if group is None:
                before = built[start - 1].close
                assert (bar.open, bar.high, bar.low, bar.close) == (before,) * 4
                assert (bar.volume, bar.turnover, bar.trades) == (0.0, 0.0, 0)
                continue
            prices = [trade.price for trade in group]
            assert bar.open == prices[0]
            assert bar.high == max(prices)
            assert bar.low == min(prices)
            assert bar.close == prices[-1]
            assert bar.trades == len(group)
            volume = sum(Decimal(repr(trade.size)) for trade in group)
            turnover = sum(
                Decimal(repr(trade.size)) * Decimal(repr(trade.price))
                for trade in group
            )
            assert bar.volume == pytest.approx(float(volume), rel=1e-12)
            assert bar.turnover == pytest.approx(float(turnover), rel=1e-12)
    assert sum(bar.trades for bar in core.bars(Timeframe.parse("1s"))) <= len(trades)


def test_market_figures_of_a_recording_keep_their_cadence_and_are_plausible() -> None:
    _, core = run(SPOT_BTC)
    told = [e for e in core.published if isinstance(e, MarketDataUpdated)]
    assert 200 < len(told) < 1_400
    for before, after in pairwise(told):
        assert after.ts - before.ts >= 250_000_000
        assert after.mid != before.mid
    assert told[0].volatility_bps is None
    assert all(e.spread_bps > 0.0 for e in told)
    # About 40 % to 200 % a year.
    assert told[-1].volatility_bps is not None
    assert 0.7 < told[-1].volatility_bps < 3.6


def test_a_recording_gives_the_same_digest_twice_and_another_when_a_price_differs() -> (
    None
):
    events = list(read(reference(*SPOT_ETH)))[:6_000]
    digests = []
    for change in (False, False, True):
        aggregator, core = market("ETHUSDT", watch=("1s",))
        aggregator.indicator("ETHUSDT", Timeframe.parse("1s"), "ema", period=5)
        altered = list(events)
        if change:
            index = next(i for i, e in enumerate(altered) if isinstance(e, Trade))
            trade = altered[index]
            assert isinstance(trade, Trade)
            altered[index] = Trade(
                trade.instrument, trade.ts_recv, trade.price + 0.01, trade.size
            )
        core.feed(aggregator, altered)
        digests.append(aggregator.digest())
    assert digests[0] == digests[1] != digests[2]
