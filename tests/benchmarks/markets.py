"""A made market of many symbols, and a run whose strategies see bars of a second.

Each symbol has so many quotes a second and one trade, without which there is no bar.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.test_core import CONFIG, START_NS, Ticks
from tests.benchmarks.test_symbols import names
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.lua_edge import LuaEdge
from workstation.engine.session import Session
from workstation.engine.sources import Sources
from workstation.model.market import Quote, Trade
from workstation.model.timeframes import NS_PER_S

__all__ = ["begun", "events", "worker_ns"]

_STRATEGY = """
[[strategies]]
name = "{name}"
script = "{file}"
timeframe = "1s"
"""


def events(
    symbols: Sequence[str], seconds: int, quotes_per_s: int = 10
) -> list[Quote | Trade]:
    """Return the events in order of time."""
    rng = random.Random(7)
    mids = dict.fromkeys(symbols, 100.0)
    slots = quotes_per_s + 1
    spacing = NS_PER_S // (slots * len(symbols))
    made: list[Quote | Trade] = []
    ts = START_NS
    for second in range(seconds):
        for slot in range(slots):
            for name in symbols:
                ts += spacing
                mids[name] = mid = mids[name] + rng.choice((-0.01, 0.01))
                if slot:
                    size = rng.random()
                    made.append(Quote(name, ts, mid - 0.01, size, mid + 0.01, size))
                else:
                    made.append(Trade(name, ts, mid, 0.5, 1, second))
    return made


def begun(
    scripts: Sequence[tuple[str, str]], symbols: int, seconds: int, quotes_per_s: int
) -> Session:
    """Return a run that is begun: a strategy on all symbols for each script.

    A script is its suffix and its text.
    """
    listed = names(symbols)
    text = CONFIG.replace('"BTCUSDT"', ", ".join(f'"{name}"' for name in listed))
    head, _, tail = text.partition("[[strategies]]")
    with TemporaryDirectory() as folder:
        tables = ""
        for number, (suffix, source) in enumerate(scripts):
            file = f"bench{number}.{suffix}"
            Path(folder, file).write_text(source)
            tables += _STRATEGY.format(name=f"bench{number}", file=file)
        path = Path(folder, "bench.toml")
        path.write_text(f"{head}{tables}[risk]{tail.partition('[risk]')[2]}")
        built = assemble_session(load_config(path).run)
    engine = built.engine
    end = engine.sources.on_end
    # As thin as a list: what makes a market up is no cost of the core.
    engine.sources = Sources([Ticks(events(listed, seconds, quotes_per_s))])  # type: ignore[arg-type]
    engine.sources.on_end = end
    engine.start()
    return built


def worker_ns(session: Session, strategy: str) -> int:
    """Return the CPU time of a strategy's worker so far, finer than its own figure."""
    edge = session.engine.core.scripts.edge
    assert isinstance(edge, LuaEdge)
    worker = edge._stations[strategy].worker
    assert worker is not None
    return int(Path(f"/proc/{worker.pid}/schedstat").read_text().split()[0])
