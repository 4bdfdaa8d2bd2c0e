"""The bench command: measure every budget in one process and print the table.

``python -m tests.benchmarks [WORD …]`` measures all groups, or those named. CPU time,
median of five rounds; wall time where the line says so. Exit code 0 also where a
budget does not hold: this measures, it does not judge.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.benchmarks import (
    idle,
    matching,
    pipeline,
    screen,
    strategies,
    test_core,
    test_depth,
    test_execution,
    test_indicators,
    test_journal,
    test_kernel,
    test_latency,
    test_opportunities,
    test_recorder,
    test_recovery,
    test_request,
    test_requoting,
    test_sources,
    test_symbols,
)
from tests.benchmarks.budget import Line, table

Lines = Iterator[Line]


def kernel() -> Lines:
    """Measure bus and dispatcher against a bare dict → tuple call."""
    found = test_kernel.ratios()
    bare = f"bare call {found['bare_ns']:.0f} ns"
    yield Line(
        "publish on the bus to 1 subscriber", found["publish_ratio"], "×", 5, 3, bare
    )
    yield Line(
        "dispatch in the core to 1 handler", found["dispatch_ratio"], "×", 5, 3, bare
    )
    yield Line(
        "per delivery at 16, bus",
        found["publish_delivery_of_16_ratio"],
        "×",
        1.5,
        1.1,
        bare,
    )
    yield Line(
        "per delivery at 16, dispatcher", found["delivery_of_16_ratio"], "×", 1.5, 1.1
    )
    yield Line(
        "crossing to an observer, per item", found["crossing_ns"], "ns", 300, 220
    )


def core() -> Lines:
    """Measure a tick through the whole core against one inlined loop."""
    found = test_core.ratios()
    for name, budget, stretch in (("signals only", 20, 12), ("with orders", 35, 20)):
        yield Line(
            f"tick through the core, {name}",
            found[f"{name}, ratio to the loop"],
            "×",
            budget,
            stretch,
            f"{found[f'{name}, us per tick']:.2f} µs; a bar every 20 ticks",
        )


def journal() -> Lines:
    """Measure what a journalled row adds."""
    yield Line("journal on, per row", test_journal.us_per_row(), "µs", 4, 2.5)


def recording() -> Lines:
    """Measure what recording an event adds."""
    own, whole = test_recorder.ns_per_event()
    note = f"{whole / 1e3:.1f} µs CPU in all, packed and written by its thread"
    yield Line("recording on, per event on the core's side", own, "ns", 300, 150, note)


def orders() -> Lines:
    """Measure an order from its signal to its position."""
    found = test_execution.timings()
    for count in (test_execution.SMALL, test_execution.LARGE):
        yield Line(
            f"one order end to end after {count:,} orders",
            found[f"after {count}"] / 1e3,
            "µs",
            25,
            12,
            "Executor alone, records not encoded",
        )
    for count in (test_execution.SMALL, test_execution.LARGE):
        yield Line(
            f"one order end to end beside {count:,} open ones",
            found[f"beside {count} open"] / 1e3,
            "µs",
            25,
            12,
        )


def quotes() -> Lines:
    """Measure the comparison of a thousand working orders with a thousand desired."""
    found = test_requoting.timings()
    note = f"sorting their prices {found.pop('sorting'):.2f} ms"
    for name, cost in found.items():
        yield Line(
            f"1,000 working against 1,000 desired, {name}", cost, "ms", note=note
        )


def streams() -> Lines:
    """Measure one step of each streaming indicator."""
    budgets = {
        "sma": (150, 120),
        "ema": (100, 85),
        "rsi": (300, 240),
        "macd": (220, 180),
        "bollinger": (400, 320),
    }
    found = test_indicators.timings()
    call = f"empty call {found.pop('floor'):.0f} ns"
    for name, cost in found.items():
        budget, stretch = budgets.get(name, (None, None))
        yield Line(f"step of {name}", cost, "ns", budget, stretch, call)


def updates() -> Lines:
    """Measure one closed bar in each streaming indicator against an empty call."""
    found = test_indicators.update_timings()
    floor = found.pop("floor")
    for name, cost in found.items():
        note = f"{cost / floor:.1f} × an empty call of {floor:.0f} ns"
        yield Line(f"bar in {name}", cost, "ns", note=note)


def batches() -> Lines:
    """Measure batch indicators over a million rows against TA-Lib."""
    for name, (ours, theirs) in test_indicators.batch_timings().items():
        yield Line(
            f"batch of {name} on 10⁶ values",
            ours,
            "ms",
            note=f"{ours / theirs:.1f} × TA-Lib ({theirs:.1f} ms)",
        )


def depth() -> Lines:
    """Measure a depth message of 40 levels."""
    found = test_depth.timings()
    yield Line(
        "depth message of 40 levels, decode + book",
        found["decode and book"],
        "µs",
        16,
        10,
        f"decoding alone {found['decode']:.1f} µs",
    )
    for folder, name in (("spot-ws", "spot"), ("usdm-ws", "USD-M")):
        recorded = test_depth.recorded_timings(folder)
        yield Line(
            f"recorded {name} difference into its book, against its JSON alone",
            recorded["book"] / recorded["json"] if recorded else None,
            "×",
            note=f"{1e9 / recorded['book']:,.0f} differences/s, "
            f"JSON alone {1e9 / recorded['json']:,.0f}/s"
            if recorded
            else "needs the reference material",
        )


def processors() -> Lines:
    """Measure a quote with each processor of the chain, beside the bare Aggregator."""
    found = pipeline.costs()
    bare = found["bare"]
    note = f"bare {bare:.0f} ns; bars of a second"
    for name in pipeline.CHAINS:
        if name != "bare":
            what = f"quote with the processors: {name}"
            yield Line(what, found[name], "ns", note=note)
    whole = found["with_indicators"]
    yield Line(
        "quote with ten indicators and all processors",
        whole / bare,
        "× bare",
        note=f"{whole:.0f} ns; bars of a second",
    )
    yield Line(
        "trade with the default processors",
        found["trade_default"],
        "ns",
        note=f"bare {found['trade_bare']:.0f} ns",
    )


def latency() -> Lines:
    """Measure the way of a tick to its request."""
    p50, p99 = test_latency.percentiles_us()
    note = "one engine step, bar close and script included"
    yield Line("tick in → request at the edge, p50", p50, "µs", 15, 8, note)
    yield Line("tick in → request at the edge, p99", p99, "µs", 60, 30)
    p50, p99 = test_latency.percentiles_us(roles=test_latency.STOPPED)
    note = "the tick meets a stop that is held here"
    yield Line("tick in → a held stop's request, p50", p50, "µs", 15, 8, note)
    yield Line("tick in → a held stop's request, p99", p99, "µs", 60, 30)


def requests() -> Lines:
    """Measure the way of a tick to the bytes of a request to a distant venue."""
    for durable in (False, True):
        found = test_request.percentiles_us(durable=durable)
        what = "journal on disk first" if durable else "no journal"
        for name, us in zip(("p50", "p99", "p99.9"), found, strict=True):
            yield Line(f"tick in → request bytes, {what}, {name}", us, "µs, wall time")


def symbols() -> Lines:
    """Measure memory of a symbol and a quote beside many."""
    symbol, window = test_symbols.kib_per_symbol()
    book = test_symbols.kib_per_book()
    yield Line(
        "memory per symbol, windows apart",
        symbol,
        "KiB",
        4,
        2,
        f"empty windows {window:.1f} KiB",
    )
    yield Line(
        "memory per symbol with a book of 1,000 levels a side",
        symbol + window + book,
        "KiB",
        230,
        140,
    )
    one = test_symbols.ns_per_quote(1)
    many = test_symbols.ns_per_quote(test_symbols.MANY)
    yield Line(
        "quote at 1,000 symbols against 1",
        many / one,
        "×",
        1.15,
        1.05,
        f"{one:.0f} and {many:.0f} ns, whole core",
    )


def venues() -> Lines:
    """Measure what the opportunity detector adds to a quote."""
    for count in (1, 2, 5):
        added, bare = test_opportunities.added_ns(count)
        yield Line(
            f"opportunity detector, per quote at {count} venue{'s' * (count > 1)}",
            added,
            "ns",
            note=f"a quote without it {bare:.0f} ns",
        )
    added, _ = test_opportunities.added_ns(2, apart=1.0)
    yield Line("the same with one open at 2 venues", added, "ns", note="exact edge")


def fills() -> Lines:
    """Measure the paper broker beside orders that rest, and its engine alone."""
    for resting in (0, 1, 10):
        yield Line(
            f"paper broker, per event beside {resting} orders a side",
            matching.added_ns(resting),
            "ns",
            note="quotes and trades at the best price" if resting else "",
        )
    optimist = matching.added_ns(1, "optimistic")
    yield Line("the same beside 1, optimistic", optimist, "ns")
    cost = matching.us_per_order()
    yield Line("order through the matching engine, alone", cost, "µs")


def sources() -> Lines:
    """Measure a big CSV: first pass, second pass from the cache, and csv.reader."""
    found = test_sources.passes()
    first, cached = found["first"], found["cached"]
    for kind, one in found.items():
        yield Line(
            f"trade dump of 10⁶ rows, {kind}",
            one.ns_per_row / 1e3,
            "µs a row",
            note=f"{one.rows_per_s:,.0f} rows/s; peak {one.peak_mib:.0f} MiB, "
            f"the pass alone {one.own_mib:.0f}",
        )
    for kind in ("first", "uncached"):
        yield Line(
            f"cached pass against the {kind} one",
            cached.ns_per_row / found[kind].ns_per_row,
            "×",
            1 / 3,
            1 / 5,
            f"{first.ns_per_row / cached.ns_per_row:.1f} times as fast"
            if kind == "first"
            else "",
        )


def resting() -> Lines:
    """Measure a paused run without and with a screen."""
    yield Line("idle, headless", idle.headless_percent(), "% of a core", 1, 0.3)
    yield Line("idle, with screen", screen.idle_percent(), "% of a core", 5, 3)


def seen() -> Lines:
    """Measure first paint and first price against a bare Textual app."""
    found = screen.first_ms()
    bare = found.get("bare")
    for name, what, budget in (("names", "paint", 1.5), ("price", "live price", 3.0)):
        ours = found.get(name)
        known = bare is not None and ours is not None
        yield Line(
            f"first {what} against a bare app",
            ours / bare if known else None,  # type: ignore[operator]
            "×",
            budget,
            note=f"{ours:.0f} ms, bare {bare:.0f} ms, wall time" if known else "",
        )


def lag() -> Lines:
    """Measure how late the loop of the app is under load."""
    found = screen.lag_ms()
    p99, worst, rate = (None, None, 0.0) if found is None else found
    note = f"120×40, 100 symbols, {rate:,.0f} events/s, 10 s, wall time"
    yield Line("event-loop lag, p99", p99, "ms", 12, 5, note)
    yield Line("event-loop lag, worst", worst, "ms", 40, 25)


def recovery() -> Lines:
    """Measure the wait for a durable row, and taking an account up."""
    ours, bare = test_recovery.waits_ms()
    yield Line(
        "waiting for the journal before an order leaves",
        ours / bare,
        "× a bare fdatasync",
        1.3,
        note=f"{ours:.2f} ms, wall time; only orders to a distant venue wait",
    )
    for rows in test_recovery.SIZES:
        taken = test_recovery.recovery_ms(rows)
        yield Line(f"taking up an account, {rows:,} rows", taken, "ms")


GROUPS: Mapping[str, Callable[[], Lines]] = {
    group.__name__: group
    for group in (
        kernel,
        core,
        journal,
        recording,
        orders,
        quotes,
        streams,
        updates,
        batches,
        depth,
        processors,
        latency,
        requests,
        symbols,
        venues,
        fills,
        sources,
        resting,
        seen,
        lag,
        *strategies.GROUPS,
        recovery,
    )
}


def main(words: Sequence[str]) -> int:
    """Measure the named groups, or all."""
    unknown = [word for word in words if word not in GROUPS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; groups: {', '.join(GROUPS)}")
        return 2
    lines: list[Line] = []
    for name in words or GROUPS:
        print(f"measuring {name} …", file=sys.stderr)
        lines += GROUPS[name]()
    print(table(lines))
    held = [line.holds for line in lines]
    print(f"\n{held.count(True)} hold, {held.count(False)} do not")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
