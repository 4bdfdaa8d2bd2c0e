"""The bench command's groups about strategies: machine, scripts, workers, attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.benchmarks import (
    screen,
    test_attack_lag,
    test_crowd,
    test_lua_calls,
    test_machine,
    test_python_calls,
    test_reloads,
)
from tests.benchmarks.budget import Line

__all__ = ["GROUPS"]

Lines = Iterator[Line]


def transitions() -> Lines:
    """Measure a transition of the symbol machine."""
    found = test_machine.timings()
    call = f"empty call {found.pop('call'):.0f} ns"
    names = {
        "step": ("transition, the table's step alone", None),
        "move, record dropped": ("transition, the row's move, record dropped", None),
        "move": ("transition, the row's move, record hashed and stored", 5),
    }
    for name, (what, budget) in names.items():
        note = f"{1e9 / found[name]:,.0f}/s; {call}"
        yield Line(what, found[name] / 1e3, "µs", budget, note=note)


def calls() -> Lines:
    """Measure a Python strategy's call beyond its own function."""
    found = test_python_calls.timings()
    bare = found.pop("bare")
    whole = found.pop("bar closed") - bare
    yield Line(
        "Python strategy, a closed bar beyond the function itself",
        whole / 1e3,
        "µs",
        note=f"bare call {bare:.0f} ns",
    )
    guard = found.pop("guarded") - bare
    yield Line("of it: the guard around the call", guard, "ns")
    for name in ("what is due", "the market shown", "the answer applied"):
        yield Line(f"of it: {name}", found[name], "ns")


def lua() -> Lines:
    """Measure the way to a Lua worker and back, alone and in whole runs."""
    bare50, bare99 = test_lua_calls.echo_us()
    note = f"bytes echoed by a process {bare50:.0f} and {bare99:.0f} µs, wall time"
    for name, (p50, p99) in (
        ("blocking", test_lua_calls.blocking_us()),
        ("in an event loop", test_lua_calls.loop_us()),
    ):
        yield Line(f"Lua round trip, {name}, p50", p50, "µs", note=note)
        yield Line(f"Lua round trip, {name}, p99", p99, "µs")
    each = test_lua_calls.batched_us()
    yield Line("Lua, per event in batches of 100", each, "µs", note="wall time")
    for symbols, seconds in (
        (1, 1_000),
        (test_lua_calls.SYMBOLS, test_lua_calls.RUN_S),
    ):
        found = test_lua_calls.run_us(symbols, seconds)
        yield Line(
            f"bar close and row in a run of {symbols}, Lua against Python",
            found["lua"] / found["py"],
            "×",
            note=f"{found['lua']:.1f} and {found['py']:.1f} µs with a quote and a "
            f"trade; its worker {found['worker']:.1f} µs",
        )


def reloads() -> Lines:
    """Measure from a saved script to the swap, and the loop's longest hold."""
    bare = test_reloads.bare_ms()
    for language, name in (("py", "Python"), ("lua", "Lua")):
        for symbols in (1, test_reloads.SYMBOLS):
            found = test_reloads.reloads(language, symbols)
            what = f"{name} reload at {symbols} symbol{'s' * (symbols > 1)}"
            yield Line(
                f"{what}, saved to swapped",
                found.whole / 1e3,
                "s",
                note=f"{found.held:.0f} ms of work; a bare load {bare:.1f} ms; "
                "wall time",
            )
            yield Line(f"{what}, the loop's longest hold", found.longest, "ms", 20)


def crowd() -> Lines:
    """Measure how many strategies on a thousand symbols fit into half a core."""
    for language, name in (("py", "Python"), ("lua", "Lua")):
        found = test_crowd.loads(language)
        fitting = test_crowd.fitting(found)
        shares = ", ".join(f"{each.strategies}: {each.whole:.1%}" for each in found)
        yield Line(
            f"{name} strategies × symbols at 10 quotes/s in half a core",
            None if fitting is None else fitting * test_crowd.SYMBOLS,
            "rows",
            note=f"1,000 symbols, bars of 1 s; strategies: share of a core, workers "
            f"included {shares}",
        )


def scripted() -> Lines:
    """Measure how late the loop of the app is beside a Lua strategy on 100 symbols."""
    for which, name in (("twin", "Python"), ("lua", "Lua")):
        found = screen.lag_ms(which)
        p99, worst, rate = (None, None, 0.0) if found is None else found
        note = f"120×40, 100 symbols, bars of 1 s, {rate:,.0f} events/s, wall time"
        yield Line(f"event-loop lag with {name}, p99", p99, "ms", 12, 5, note)
        yield Line(f"event-loop lag with {name}, worst", worst, "ms", 40, 25)


def attacks() -> Lines:
    """Measure how late the loop is while a script attacks."""
    for name in test_attack_lag.ATTACKS:
        found = test_attack_lag.attack(name)
        told = f"{found.faults} faults of {', '.join(found.tasks)}: {found.said}"
        yield Line(
            f"loop lag, {name}, p99",
            found.p99,
            "ms",
            20,
            note=f"worst {found.worst:.1f} ms{f'; {told}' * (found.faults > 0)}",
        )


GROUPS: tuple[Callable[[], Lines], ...] = (
    transitions,
    calls,
    lua,
    reloads,
    crowd,
    scripted,
    attacks,
)
