"""On what occasion a script is asked, by the state of its row."""

from __future__ import annotations

import pytest

from tests.strategy.bench import Bench
from tests.strategy.test_triggers import ENTER, SEEN, fill
from workstation.model.commands import Override
from workstation.model.market import Trade
from workstation.model.ports import InstrumentView
from workstation.model.states import SymbolState
from workstation.strategy.question import Function
from workstation.strategy.settings import AskSettings
from workstation.strategy.tally import Stop

MS = 1_000_000


def ticks(bench: Bench, count: int, every_ms: int = 10) -> int:
    """Move the price that often; return how many calls came of it."""
    calls = len(bench.says.asked)
    for index in range(count):
        bench.wait_until(bench.core.ts + every_ms * MS)
        bench.quote(100.0 + index / 10)
    return len(bench.says.asked) - calls


def watched(bench: Bench) -> tuple[int, int]:
    live = bench.market.instrument("BTC")
    return len(live.top_watchers), len(live.trade_watchers)


def test_by_default_nothing_is_asked_or_followed_between_bars() -> None:
    bench = Bench()
    idle = watched(bench)
    bench.bar(SEEN)
    assert ticks(bench, 5) == 0
    bench.bar(ENTER)
    fill(bench)
    assert ticks(bench, 5) == 0
    # The ledger alone follows the marks of what is held.
    assert watched(bench) == (idle[0] + 1, idle[1] + 1)


def test_in_trade_every_event_is_asked_about_and_only_there() -> None:
    bench = Bench(ask=AskSettings(in_trade="event"))
    idle = watched(bench)
    bench.bar(SEEN)
    assert (ticks(bench, 5), watched(bench)) == (0, idle)
    bench.bar(ENTER)
    fill(bench)
    # The row, and the ledger for what is held.
    assert watched(bench) == (idle[0] + 2, idle[1] + 2)
    assert ticks(bench, 5) == 5
    assert bench.says.asked[-1] is Function.MANAGE
    # In trade it is bars that are counted: ticks would drown every other cause.
    assert Stop.IN_TRADE not in bench.row.tally.counts
    bench.bar({"action": "exit"})
    assert bench.row.tally.counts[Stop.IN_TRADE] == 1
    fill(bench)
    assert (ticks(bench, 5), watched(bench)) == (0, idle)


def test_events_are_asked_about_at_most_so_often() -> None:
    bench = Bench(ask=AskSettings(watch="event", event_ms=100))
    bench.bar()
    assert ticks(bench, 20, every_ms=10) == 2


def test_a_watch_may_be_slower_than_its_bars() -> None:
    bench = Bench(ask=AskSettings(watch_bars=3))
    for _ in range(7):
        bench.bar()
    assert len(bench.says.asked) == 2
    bench.override(SymbolState.CLOSE_WATCH)
    bench.bar()
    bench.bar()
    assert len(bench.says.asked) == 4


def test_bars_of_close_watch_count_also_where_events_are_asked_about() -> None:
    bench = Bench(ask=AskSettings(close_watch="event"), close_watch_bars=2)
    bench.bar(SEEN)
    assert ticks(bench, 5) == 5
    assert bench.row.bars_left == 2
    bench.bar()
    bench.bar()
    assert bench.moves()[-1].trigger == "expire"


def test_between_bars_the_quote_is_live_and_the_bar_is_the_last_one() -> None:
    bench = Bench(ask=AskSettings(watch="event"))
    bench.bar()
    seen: list[tuple[float, float, float]] = []

    def look(market: object) -> None:
        seen.append((market.bid, market.close, market.reference))  # type: ignore[attr-defined]

    bench.says.answer = look
    bench.quote(107.0)
    bench.says.answer = look
    bench.bar_at(107.0)
    assert seen == [(107.0, 100.0, 107.05), (107.0, 107.0, 107.0)]


def test_a_stop_goes_before_the_script_hears_of_the_tick() -> None:
    bench = Bench(ask=AskSettings(in_trade="event"))
    bench.bar(SEEN)
    bench.bar(ENTER)
    fill(bench)
    calls = len(bench.says.asked)
    bench.quote(94.0)
    assert len(bench.says.asked) == calls
    assert bench.moves()[-1].trigger == "stop"


@pytest.mark.parametrize("way", ["lock", "pause", "stop"])
def test_who_may_not_be_asked_is_not_asked_at_events(way: str) -> None:
    bench = Bench(ask=AskSettings(watch="event"))
    bench.bar()
    if way == "lock":
        bench.do(
            Override(
                strategy="s",
                instrument="BTC",
                state=SymbolState.WATCH,
                lock=True,
                reason="mine",
            )
        )
    elif way == "pause":
        bench.strategy.paused = True
    else:
        bench.strategy.stopped = True
    assert ticks(bench, 3) == 0


def test_who_follows_a_symbol_hears_quotes_and_trades_until_it_stops() -> None:
    bench = Bench()
    heard: list[int] = []

    def hear(view: InstrumentView, _: object) -> None:
        heard.append(view.ts_recv)

    stop = bench.market.follow("BTC", hear)
    other = bench.market.follow("BTC", hear)
    other()
    trade = Trade("BTC", bench.core.ts + 7, 100.0, 1.0, 1)
    bench.act(lambda: bench.market.handle_event(trade))
    bench.quote(101.0)
    assert heard == [bench.core.ts + 7, bench.core.ts]
    stop()
    bench.quote(102.0)
    assert len(heard) == 2
