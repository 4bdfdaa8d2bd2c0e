"""The detector: exact edges, ages, trust, cool-down, and the life of each find."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.fakes import FakeCore
from workstation.market.aggregator import Aggregator
from workstation.market.errors import MissingFees
from workstation.market.opportunities import OpportunityDetector
from workstation.market.pairs import common_lot
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.events import OpportunityClosed, OpportunityFound
from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument
from workstation.model.market import BookDelta, BookSnapshot, Quote
from workstation.model.opportunities import Opportunity, OpportunityEnd, OpportunityKind
from workstation.model.records import OpportunityRecord

MS = 1_000_000
S = 1_000 * MS
D = Decimal


def instrument(venue: str, **changes: object) -> Instrument:
    values: dict[str, object] = {
        "id": f"BTCUSDT.{venue}",
        "venue": venue,
        "symbol": "BTCUSDT",
        "base": "BTC",
        "quote": "USDT",
        "tick_size": D("0.01"),
        "lot_size": D("0.001"),
    }
    return Instrument(**{**values, **changes})  # type: ignore[arg-type]


class Bench:
    """An Aggregator with a detector over some venues, and a core that keeps all."""

    def __init__(
        self,
        *instruments: Instrument,
        settings: OpportunitySettings | None = None,
        taker: dict[str, str] | None = None,
        equal: Sequence[str] = (),
        storage: StorageSettings | None = None,
    ) -> None:
        chosen = instruments or (instrument("a"), instrument("b"))
        taker = taker or {}
        fees = {
            each.venue: VenueFees(D(0), D(taker.get(each.venue, "0")))
            for each in chosen
        }
        self.detector = OpportunityDetector(
            settings or OpportunitySettings(min_edge_bps=0, min_notional=D(0)),
            chosen,
            fees,
            equal,
        )
        self.aggregator = Aggregator(
            storage or StorageSettings(), chosen, self.detector
        )
        self.core = FakeCore(S)
        self.aggregator.attach(self.core)

    def quote(
        self, venue: str, bid: float, ask: float, *, ts: int = S, size: float = 1.0
    ) -> None:
        name = venue if "." in venue else f"BTCUSDT.{venue}"
        quote = Quote(name, ts, bid, size, ask, size)
        self.core.feed(self.aggregator, [quote])

    @property
    def found(self) -> list[Opportunity]:
        return [
            event.opportunity
            for event in self.core.emitted
            if isinstance(event, OpportunityFound)
        ]

    @property
    def closed(self) -> list[OpportunityClosed]:
        return [e for e in self.core.emitted if isinstance(e, OpportunityClosed)]


def watchers(aggregator: Aggregator, name: str) -> int:
    """Return how many watchers of best prices are the detector's."""
    bare = Aggregator(StorageSettings(), [instrument("a")])
    others = len(bare.instrument("BTCUSDT.a").top_watchers)
    return len(aggregator.instrument(name).top_watchers) - others


def test_two_venues_of_a_market_are_watched() -> None:
    bench = Bench(settings=OpportunitySettings(wide_spread_bps=0))
    assert watchers(bench.aggregator, "BTCUSDT.a") == 2
    assert watchers(Bench().aggregator, "BTCUSDT.b") == 1


def test_a_bid_above_another_venues_ask_is_found_net_of_both_fees() -> None:
    bench = Bench(taker={"a": "10", "b": "20"})
    bench.quote("a", 99.98, 100.0, size=2.0)
    bench.quote("b", 100.5, 100.52, size=0.7)

    (found,) = bench.found
    assert found == Opportunity(
        number=1,
        kind=OpportunityKind.ARBITRAGE,
        market="BTCUSDT",
        buy="BTCUSDT.a",
        sell="BTCUSDT.b",
        buy_price=D("100.00"),
        sell_price=D("100.50"),
        size=D("0.700"),
        gross_bps=50.0,
        fees_bps=30.1,
        net_bps=19.9,
        opened_ns=S,
    )
    assert bench.core.emitted[0] in bench.core.published
    (record,) = [r for r in bench.core.records if isinstance(r, OpportunityRecord)]
    assert (record.opportunity, record.end, record.ts) == (found, None, S)


def test_a_life_is_opened_updated_and_closed_with_its_best_edge() -> None:
    bench = Bench()
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    bench.quote("b", 103.0, 104.0, ts=S + MS)
    bench.quote("b", 102.0, 104.0, ts=S + 2 * MS)
    (pair,) = [p for p in bench.detector.pairs if p.opportunity is not None]
    assert pair.opportunity is not None
    assert pair.opportunity.sell_price == D(102)
    assert pair.opportunity.opened_ns == S
    bench.quote("b", 100.0, 104.0, ts=S + 3 * MS)

    assert len(bench.found) == 1
    (over,) = bench.closed
    assert over.end is OpportunityEnd.EDGE_GONE
    assert over.best_bps == pytest.approx(300.0)
    assert over.opportunity.sell_price == D(102)
    assert over.ts == S + 3 * MS
    assert pair.opportunity is None
    assert (pair.seen, pair.closed) == (1, over)


def test_nothing_is_compared_where_one_side_is_not_known() -> None:
    bench = Bench()
    bench.quote("b", 101.0, 102.0)
    bench.quote("a", 0.0, 0.0)
    bench.quote("a", 99.0, 0.0)
    assert not bench.found


def test_an_old_quote_opens_nothing() -> None:
    settings = OpportunitySettings(min_edge_bps=0, min_notional=D(0), max_age_ms=500)
    bench = Bench(settings=settings)
    bench.quote("a", 99.0, 100.0, ts=S)
    bench.quote("b", 101.0, 102.0, ts=S + 500 * MS + 1)
    assert not bench.found
    bench.quote("a", 99.0, 100.0, ts=S + 501 * MS)
    assert len(bench.found) == 1


def test_the_stale_limit_of_the_market_holds_for_the_detector_too() -> None:
    settings = OpportunitySettings(min_edge_bps=0, min_notional=D(0), max_age_ms=9_000)
    bench = Bench(settings=settings, storage=StorageSettings(stale_ms=100))
    bench.quote("a", 99.0, 100.0, ts=S)
    bench.quote("b", 101.0, 102.0, ts=S + 101 * MS)
    assert not bench.found


def test_what_nobody_confirms_is_closed_as_stale_at_the_nanosecond() -> None:
    settings = OpportunitySettings(min_edge_bps=0, min_notional=D(0), max_age_ms=500)
    bench = Bench(settings=settings)
    bench.quote("a", 99.0, 100.0, ts=S)
    bench.quote("b", 101.0, 102.0, ts=S + 200 * MS)
    bench.quote("a", 99.0, 100.0, ts=S + 400 * MS)
    bench.core.advance(S + 700 * MS)
    assert not bench.closed
    bench.core.advance(S + 5 * S)
    (over,) = bench.closed
    assert over.end is OpportunityEnd.STALE
    assert over.ts == S + 700 * MS + 1
    assert over.reason == "BTCUSDT.b: quote 0.5 s old"
    assert len(bench.core.fired) == 2


def test_an_opportunity_that_is_over_leaves_no_timer() -> None:
    bench = Bench()
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    bench.quote("b", 99.0, 102.0)
    bench.core.advance(100 * S)
    assert bench.core.fired == []


def test_lost_trust_closes_at_once_and_nothing_opens_until_it_is_back() -> None:
    bench = Bench()
    levels = ((100.9, 1.0),), ((102.0, 1.0),)
    book = BookSnapshot("BTCUSDT.b", S, 10, *levels)
    bench.core.feed(bench.aggregator, [book])
    bench.quote("a", 99.0, 100.0)
    assert len(bench.found) == 1
    gap = BookDelta("BTCUSDT.b", S + MS, 15, 16, (), ())
    bench.core.feed(bench.aggregator, [gap])
    (over,) = bench.closed
    assert over.end is OpportunityEnd.DISTRUSTED
    assert over.reason.startswith("BTCUSDT.b: book untrusted")
    bench.quote("a", 98.0, 99.0, ts=S + 4 * S)
    mended = BookSnapshot("BTCUSDT.b", S + 4 * S, 20, *levels)
    assert len(bench.found) == 1
    bench.core.feed(bench.aggregator, [mended])
    assert len(bench.found) == 2


def test_a_feed_that_is_stopped_closes_what_rests_on_it() -> None:
    bench = Bench()
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    bench.aggregator.mark_untrusted("BTCUSDT.a", "feed a is paused")
    (over,) = bench.closed
    assert over.end is OpportunityEnd.DISTRUSTED
    assert over.reason == "BTCUSDT.a: feed a is paused"


def test_a_quote_crossed_in_itself_is_not_trusted() -> None:
    bench = Bench()
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 105.0, 102.0)
    assert not bench.found


def test_a_pair_cools_down_in_its_own_direction_only() -> None:
    settings = OpportunitySettings(min_edge_bps=0, min_notional=D(0), cooldown_ms=300)
    bench = Bench(settings=settings)
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    bench.quote("b", 99.0, 102.0, ts=S + MS)
    bench.quote("b", 101.0, 102.0, ts=S + 300 * MS)
    assert len(bench.found) == 1
    bench.quote("b", 97.0, 98.0, ts=S + 300 * MS)
    assert [found.buy for found in bench.found] == ["BTCUSDT.a", "BTCUSDT.b"]
    bench.quote("b", 101.0, 102.0, ts=S + 301 * MS)
    assert [found.buy for found in bench.found] == [
        "BTCUSDT.a",
        "BTCUSDT.b",
        "BTCUSDT.a",
    ]


@pytest.mark.parametrize(
    ("edge", "count"), [(99.0, 1), (100.0, 1), (100.000001, 0), (101.0, 0)]
)
def test_the_least_edge_is_the_least(edge: float, count: int) -> None:
    settings = OpportunitySettings(min_edge_bps=edge, min_notional=D(0))
    bench = Bench(settings=settings)
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    assert len(bench.found) == count


def test_nothing_is_found_where_it_is_switched_off() -> None:
    bench = Bench(settings=OpportunitySettings(enabled=False, wide_spread_bps=0))
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    assert not bench.found
    assert watchers(bench.aggregator, "BTCUSDT.a") == 0


def test_one_venue_alone_costs_nothing_and_finds_nothing() -> None:
    bench = Bench(instrument("a"), instrument("b", symbol="ETHUSDT"))
    assert bench.detector.pairs == ()
    for name in ("BTCUSDT.a", "BTCUSDT.b"):
        assert watchers(bench.aggregator, name) == 0


def test_the_smaller_size_is_rounded_down_to_the_coarser_lot() -> None:
    bench = Bench(
        instrument("a", lot_size=D("0.001")), instrument("b", lot_size=D("0.05"))
    )
    bench.quote("a", 99.0, 100.0, size=0.779)
    bench.quote("b", 101.0, 102.0, size=3.0)
    assert [found.size for found in bench.found] == [D("0.75")]


@pytest.mark.parametrize(
    ("size", "least", "of_a", "count"),
    [
        (1.0, "100", "0", 1),
        (1.0, "100.01", "0", 0),
        (1.0, "0", "101", 0),
        (0.0009, "0", "0", 0),
        (0.0, "0", "0", 0),
    ],
)
def test_a_size_that_is_worth_too_little_is_none(
    size: float, least: str, of_a: str, count: int
) -> None:
    bench = Bench(
        instrument("a", min_notional=D(of_a)),
        instrument("b"),
        settings=OpportunitySettings(min_edge_bps=0, min_notional=D(least)),
    )
    bench.quote("a", 99.0, 100.0, size=size)
    bench.quote("b", 101.0, 102.0)
    assert len(bench.found) == count


def test_an_opportunity_whose_size_shrinks_away_is_closed_as_too_small() -> None:
    bench = Bench(settings=OpportunitySettings(min_edge_bps=0, min_notional=D(50)))
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    bench.quote("b", 101.0, 102.0, size=0.1)
    assert [over.end for over in bench.closed] == [OpportunityEnd.TOO_SMALL]


def test_prices_are_on_each_venues_own_tick_and_against_us() -> None:
    bench = Bench(
        instrument("a", tick_size=D("0.00000001"), lot_size=D(1)),
        instrument("b", tick_size=D("0.0000005"), lot_size=D(1)),
    )
    bench.quote("a", 0.00000811, 0.00000812, size=5e6)
    bench.quote("b", 0.00000909, 0.0000095, size=5e6)
    (found,) = bench.found
    assert found.buy_price == D("0.00000812")
    assert found.sell_price == D("0.0000090")


def test_a_tick_too_coarse_for_the_price_finds_nothing_false() -> None:
    coarse = D("0.01")
    bench = Bench(instrument("a", tick_size=coarse), instrument("b", tick_size=coarse))
    bench.quote("a", 0.00000811, 0.00000812, size=5e6)
    bench.quote("b", 0.00000909, 0.0000095, size=5e6)
    assert not bench.found


def test_other_money_is_not_compared_and_it_is_said_why() -> None:
    pair = instrument("a"), instrument("b", quote="USD")
    bench = Bench(*pair)
    bench.quote("a", 99.0, 100.0)
    bench.quote("b", 101.0, 102.0)
    assert not bench.found
    assert bench.detector.apart == (
        "BTCUSDT: a quotes USDT, b USD; not compared unless [account] "
        "equal_currencies says they are worth the same",
    )
    same = Bench(*pair, equal=("USDT", "USD"))
    same.quote("a", 99.0, 100.0)
    same.quote("b", 101.0, 102.0)
    assert len(same.found) == 1
    assert same.detector.apart == ()


def test_a_venue_without_fees_is_refused_by_name() -> None:
    fees = {"a": VenueFees(D(0), D(0))}
    detector = OpportunityDetector(
        OpportunitySettings(), (instrument("a"), instrument("b")), fees
    )
    with pytest.raises(MissingFees, match="no fees of venue 'b'"):
        Aggregator(StorageSettings(), (instrument("a"), instrument("b")), detector)


def test_two_instruments_of_one_venue_are_not_compared() -> None:
    bench = Bench(instrument("a"), instrument("a", id="BTCUSDT.p", symbol="BTC-USDT"))
    assert bench.detector.pairs == ()


def test_every_two_venues_of_a_market_are_compared_both_ways() -> None:
    bench = Bench(*[instrument(venue) for venue in "abcde"])
    assert len(bench.detector.pairs) == 20
    assert bench.detector.markets == 1
    assert (
        len({(p.buy.instrument.id, p.sell.instrument.id) for p in bench.detector.pairs})
        == 20
    )


def test_a_wide_spread_is_found_net_of_two_taker_fees() -> None:
    settings = OpportunitySettings(wide_spread_bps=30, min_notional=D(0))
    bench = Bench(instrument("a"), settings=settings, taker={"a": "10"})
    bench.quote("a", 100.0, 100.4, size=0.5)
    assert not bench.found
    bench.quote("a", 100.0, 100.51, size=0.5)
    (found,) = bench.found
    assert found.kind is OpportunityKind.WIDE_SPREAD
    assert (found.buy, found.sell) == ("BTCUSDT.a", "BTCUSDT.a")
    assert (found.buy_price, found.sell_price) == (D("100.00"), D("100.51"))
    assert found.size == D("0.500")
    assert found.gross_bps == pytest.approx(51.0)
    assert found.fees_bps == pytest.approx(20.051)
    assert found.net_bps == pytest.approx(30.949)
    bench.quote("a", 100.0, 100.4, size=0.5)
    assert [over.end for over in bench.closed] == [OpportunityEnd.EDGE_GONE]


def test_equal_histories_have_equal_digests_and_others_do_not() -> None:
    def after(*bids: float) -> object:
        bench = Bench()
        bench.quote("a", 99.0, 100.0)
        for bid in bids:
            bench.quote("b", bid, 110.0)
        return bench.detector.digest()

    assert after(99.0, 101.0) == after(98.0, 101.0)
    assert after(99.0, 101.0) != after(99.0, 102.0)
    assert after(99.0, 101.0, 99.0) != after(99.0, 99.0, 99.0)


@given(
    st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 6), st.integers(0, 6)
)
def test_a_common_lot_is_the_least_on_both(
    one: int, other: int, fine: int, finer: int
) -> None:
    lots = D(one).scaleb(-fine), D(other).scaleb(-finer)
    common = common_lot(*lots)
    assert common > 0
    assert all(common % lot == 0 for lot in lots)
    assert common <= lots[0] * other * 10 ** max(fine, finer)
    if lots[0] % lots[1] == 0:
        assert common == lots[0]


# Prices in ticks, fees in hundredths of a bp: figures that exact arithmetic can repeat.
PRICES = st.integers(1, 2_000_000)
NEAR = st.integers(-3_000, 3_000)
FEES = st.integers(-2_000, 2_000_00)
EDGES = st.integers(0, 5_000)
SIZES = st.integers(0, 10**6)


def exact_edge(ask: D, bid: D, fee_buy: D, fee_sell: D) -> D:
    """Return the net edge as a share of the ask, without any of the code above."""
    return bid * (1 - fee_sell) - ask * (1 + fee_buy)


@given(PRICES, NEAR, FEES, FEES, EDGES)
def test_an_edge_is_found_exactly_where_decimals_find_one(
    ask_ticks: int, ticks_above: int, fee_a: int, fee_b: int, edge: int
) -> None:
    bid_ticks = max(1, ask_ticks + ticks_above)
    settings = OpportunitySettings(min_edge_bps=edge / 100, min_notional=D(0))
    taker = {"a": str(D(fee_a) / 100), "b": str(D(fee_b) / 100)}
    bench = Bench(settings=settings, taker=taker)
    bench.quote("a", 0.01, ask_ticks / 100, size=1.0)
    bench.quote("b", bid_ticks / 100, 10**6, size=1.0)

    ask, bid = D(ask_ticks) / 100, D(bid_ticks) / 100
    left = exact_edge(ask, bid, D(fee_a) / 10**6, D(fee_b) / 10**6)
    wanted = left > 0 and left / ask * 10_000 >= D(edge) / 100
    found = [each for each in bench.found if each.buy == "BTCUSDT.a"]
    assert bool(found) == wanted
    for each in found:
        assert each.buy_price == ask
        assert each.sell_price == bid
        assert each.net_bps == pytest.approx(float(left / ask * 10_000), rel=1e-12)
        assert each.net_bps == pytest.approx(each.gross_bps - each.fees_bps, abs=1e-6)


@given(PRICES, NEAR, SIZES, SIZES, FEES, FEES)
def test_other_names_of_venues_change_nothing_but_the_names(
    ask_ticks: int, above: int, size_a: int, size_b: int, fee_a: int, fee_b: int
) -> None:
    def run(first: str, second: str) -> list[tuple[object, ...]]:
        taker = {first: str(D(fee_a) / 100), second: str(D(fee_b) / 100)}
        bench = Bench(instrument(first), instrument(second), taker=taker)
        bench.quote(first, 0.01, ask_ticks / 100, size=size_a / 1000)
        bid = max(1, ask_ticks + above) / 100
        bench.quote(second, bid, 10**6, size=size_b / 1000)
        return [
            (f.number, f.buy == f"BTCUSDT.{first}", f.size, f.gross_bps, f.net_bps)
            for f in bench.found
        ]

    assert run("a", "b") == run("zebra", "ant")


@given(PRICES, NEAR, FEES, FEES, st.integers(-6, 6))
def test_an_edge_in_bps_does_not_know_the_size_of_the_price(
    ask_ticks: int, above: int, fee_a: int, fee_b: int, power: int
) -> None:
    def run(shift: int) -> list[tuple[float, float]]:
        tick = D("0.01").scaleb(shift)
        pair = instrument("a", tick_size=tick), instrument("b", tick_size=tick)
        taker = {"a": str(D(fee_a) / 100), "b": str(D(fee_b) / 100)}
        bench = Bench(*pair, taker=taker)
        bench.quote("a", float(tick), float(ask_ticks * tick))
        bid = max(1, ask_ticks + above) * tick
        bench.quote("b", float(bid), float(10**8 * tick))
        return [(found.gross_bps, found.net_bps) for found in bench.found]

    assert run(power) == run(0)


@given(
    st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 1_500), st.booleans()
)
def test_nothing_is_ever_open_on_a_stale_quote(
    first_ms: int, second_ms: int, limit_ms: int, turned: bool
) -> None:
    settings = OpportunitySettings(
        min_edge_bps=0, min_notional=D(0), max_age_ms=limit_ms
    )
    bench = Bench(settings=settings)
    quotes = [("a", 99.0, 100.0), ("b", 101.0, 102.0)]
    if turned:
        quotes.reverse()
    bench.quote(*quotes[0], ts=S)
    bench.quote(*quotes[1], ts=S + first_ms * MS)
    assert bool(bench.found) == (first_ms <= limit_ms)
    bench.core.advance(S + (first_ms + second_ms) * MS)
    opened = [pair for pair in bench.detector.pairs if pair.opportunity is not None]
    assert bool(opened) == (first_ms + second_ms <= limit_ms)
