"""The shadow run gives way often: the loop that pumps it has a screen to draw."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from msgspec import structs

from tests.strategy.bench import BTC, MINUTE, SCRIPT, S
from tests.strategy.fakes import Books
from workstation.engine.shadow import ShadowRun
from workstation.model.market import Bar
from workstation.strategy.host import PENDING, ScriptHost
from workstation.strategy.question import Function
from workstation.strategy.replies import ScriptAnswered, ScriptReply
from workstation.strategy.row import Row
from workstation.strategy.settings import StrategySettings

NAMES = ("A", "B", "C")


class Near:
    """A host that answers at once."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def ask(self, row: Row, function: Function) -> object:
        self.done.append(row.instrument.id)
        return {"signal": "up"} if function is Function.DETECT else None


class Far:
    """A host whose answers come all together."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.batches: list[tuple[str, ...]] = []

    def attach(self, post: Any) -> None:
        self._post = post

    def ask(self, row: Row, function: Function) -> object:
        self._post("s", (row.instrument.id, function))
        return PENDING

    def take(self, row: Row, reply: ScriptReply) -> object:
        self.done.append(row.instrument.id)
        return reply.answer

    def respond(
        self, strategy: str, asked: Sequence[Any]
    ) -> Generator[None, None, ScriptAnswered]:
        self.batches.append(tuple(name for name, _ in asked))
        yield
        replies = tuple(
            ScriptReply(
                strategy=strategy,
                instrument=name,
                function=function,
                answer={"signal": "up"} if function is Function.DETECT else None,
            )
            for name, function in asked
        )
        return ScriptAnswered(strategy=strategy, batch=0, replies=replies)


def run_of(host: ScriptHost, respond: Any = None) -> ShadowRun:
    instruments = [structs.replace(BTC, id=name, symbol=name) for name in NAMES]
    bars = {
        name: [
            Bar(name, n * 60 * S, MINUTE, (n - 1) * 60 * S, 9.0, 9.0, 9.0, 9.0, 1.0)
            for n in range(1, 6)
        ]
        for name in NAMES
    }
    return ShadowRun(
        StrategySettings(name="s", script="says.py"),
        SCRIPT,
        host,
        instruments,
        bars,
        Books().account(),
        lambda name: (),
        respond,
    )


def most_at_once(run: ShadowRun, done: list[str]) -> int:
    """Return the most that was done from one giving way to the next."""
    most = before = 0
    for _ in run.steps():
        most, before = max(most, len(done) - before), len(done)
    return most


def test_it_gives_way_after_each_call_though_all_symbols_close_at_one_time() -> None:
    host = Near()
    run = run_of(host)
    assert most_at_once(run, host.done) == 1
    assert host.done == [*NAMES] * 5
    assert run.bars == 15


def test_answers_that_come_together_are_taken_row_by_row() -> None:
    host, near = Far(), Near()
    run = run_of(host, host.respond)
    assert most_at_once(run, host.done) == 1
    # They were asked together all the same.
    assert host.batches == [NAMES] * 5
    other = run_of(near)
    most_at_once(other, near.done)
    assert run.intents == other.intents
    assert len(run.intents) == 3
