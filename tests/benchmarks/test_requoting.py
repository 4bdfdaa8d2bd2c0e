"""What it costs to compare a thousand working orders with a thousand desired ones.

``timings`` is a plain function: CPU time, median of five rounds, of the pure function
alone, beside sorting the same prices once.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import pytest

from tests.benchmarks.budget import median_cpu_ns
from tests.benchmarks.effort import effort
from tests.execution.fakes import BTC
from workstation.execution.levels import Touch
from workstation.execution.requoting import requote
from workstation.execution.settings import QuotingSettings
from workstation.execution.steps import StepKind
from workstation.execution.working import Working
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.instruments import Side

COUNT = 1_000
RULES = QuotingSettings(min_lifetime_ms=0)
TOUCH = Touch(Decimal("9999.9"), Decimal("10000.1"))


class Case(NamedTuple):
    """Levels ``spacing`` ticks apart; each second order is ``moved`` from its own.

    With ``crossed`` sizes each order fits the level beside its own.
    """

    spacing: int
    moved: tuple[int, int] = (0, 0)
    crossed: bool = False


# A tick is 0.1 bps at 10,000; two bps are kept.
CASES = {
    "all kept": Case(60),
    "half changed": Case(60, (0, 30)),
    "all changed": Case(60, (30, 30)),
    "a crowd, all kept crosswise": Case(1, crossed=True),
}
KEPT = {"all kept": COUNT, "half changed": COUNT // 2, "all changed": 0}


def scene(count: int, case: Case) -> tuple[DesiredOrders, list[Working]]:
    """Return a wish and working orders, half of ``count`` on each side."""
    levels: dict[Side, list[DesiredLevel]] = {Side.BUY: [], Side.SELL: []}
    working = []
    for side, own in levels.items():
        for number in range(count // 2):
            odd = number % 2
            away = (10 + case.spacing * number) * side.sign
            price = Decimal(100_000 - away) / 10
            own.append(DesiredLevel(price, Decimal(1 + odd)))
            working.append(
                Working(
                    order_id=f"{side}-{number}",
                    side=side,
                    price=price - Decimal(case.moved[odd]) / 10 * side.sign,
                    quantity=Decimal(2 - odd if case.crossed else 1 + odd),
                )
            )
    wish = DesiredOrders(
        strategy="s",
        instrument="BTC",
        bids=tuple(levels[Side.BUY]),
        asks=tuple(levels[Side.SELL]),
    )
    return wish, working


def _compare(wish: DesiredOrders, working: list[Working]) -> int:
    steps = requote(wish, working, RULES, BTC, TOUCH, can_modify=True, now_ns=0)
    return sum(step.kind is StepKind.KEEP for step in steps)


def timings(count: int = COUNT) -> dict[str, float]:
    """Return ms of CPU per comparison for each case, and of sorting the prices."""
    found = {}
    for name, case in CASES.items():
        wish, working = scene(count, case)
        found[name] = median_cpu_ns(partial(_compare, wish, working)) / 1e6
    prices = [level.price for level in (*wish.bids, *wish.asks)]
    prices += [order.price for order in working]
    found["sorting"] = median_cpu_ns(partial(sorted, prices)) / 1e6
    return found


@pytest.mark.parametrize("case", CASES)
def test_comparing_a_thousand_with_a_thousand(
    benchmark: Callable[..., int], case: str
) -> None:
    wish, working = scene(COUNT, CASES[case])
    kept = benchmark(_compare, wish, working)
    assert kept == KEPT.get(case, COUNT)


@pytest.mark.parametrize("case", CASES)
def test_four_times_as_many_take_not_much_more_than_four_times_the_effort(
    case: str,
) -> None:
    few, many = scene(250, CASES[case]), scene(1_000, CASES[case])
    assert effort(lambda: _compare(*many)) <= 5 * effort(lambda: _compare(*few))


if __name__ == "__main__":
    for name, cost in timings().items():
        print(f"{name:>24}: {cost:8.2f} ms")
