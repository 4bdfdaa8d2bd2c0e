"""Executor and paper broker together: from signal to money, on quotes and on bars."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import BTC, NS, FakeEdge, Run, bar, quote, signal, ticket
from workstation.model.commands import AmendOrder, Flatten, Kill, KillLevel
from workstation.model.orders import OrderStatus, OrderType
from workstation.model.records import FaultRecord, FillRecord
from workstation.model.reports import OrderReplaced
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
NO_SPREAD = PaperBrokerSettings(spread_bps=0.0, taker_fee_bps=0.0, maker_fee_bps=0.0)


def held(run: Run, owner: str = "s") -> Decimal:
    return run.executor.position(owner, "BTC").quantity


def prices(run: Run) -> list[tuple[str, Decimal]]:
    return [(r.fill.role.value, r.fill.price) for r in run.core.kept(FillRecord)]


def test_an_entry_its_stop_and_the_money_agree_with_the_broker() -> None:
    run = Run()
    run.feed(quote(1, 100.0, 100.2), signal("enter_long", "1", stop="95"))
    run.wait(1)
    assert held(run) == 1
    run.feed(quote(3, 94.9, 95.1))
    run.wait(1)
    assert held(run) == 0
    assert prices(run) == [("entry", D("100.2")), ("stop", D("94.9"))]
    account = run.executor.account()
    assert account.equity == run.broker.balances["USDT"]
    assert account.realized == D("-5.3")
    assert not run.core.kept(FaultRecord)


def test_the_stop_fills_at_the_quote_of_its_arrival_not_of_its_trigger() -> None:
    run = Run()
    run.feed(quote(1, 100.0, 100.2), signal("enter_long", "1", stop="95"))
    run.feed(quote(2, 95.0, 95.2))
    run.feed(quote(2.02, 93.0, 93.2))
    run.wait(1)
    assert prices(run)[-1] == ("stop", D("93.0"))


def test_a_change_that_was_not_heard_of_is_learned_by_asking() -> None:
    run = Run()

    def lose(report: object) -> None:
        if not isinstance(report, OrderReplaced):
            run.tell(report)

    run.broker.attach(FakeEdge(run.core, lose))
    run.feed(quote(1, 100.0, 100.2))
    run.tell(ticket("1", "99.0"))
    run.wait(1)
    run.tell(AmendOrder(order_id="o-1", quantity=D(2), price=D("98.9")))
    run.wait(60)
    (order,) = run.executor.orders()
    assert order.status is OrderStatus.ACCEPTED
    assert (order.quantity, order.price) == (D(2), D("98.9"))


def test_on_bars_the_entry_fills_at_the_next_open_and_its_stop_in_that_bar() -> None:
    run = Run(NO_SPREAD)
    entry = signal("enter_long", "1", stop="95", target="120")
    run.feed(bar(60, 100, 101, 99, 100), entry)
    assert held(run) == 0
    run.feed(bar(120, 102, 125, 94, 110))
    assert held(run) == 0
    assert prices(run) == [("entry", D("102")), ("stop", D("95"))]


def test_on_bars_a_gap_below_the_stop_fills_at_the_open() -> None:
    run = Run(NO_SPREAD)
    entry = signal("enter_long", "1", stop="95")
    run.feed(bar(60, 100, 101, 99, 100), entry)
    run.feed(bar(120, 100, 101, 99, 100))
    run.feed(bar(180, 90, 99, 89, 98))
    assert prices(run)[-1] == ("stop", D("90"))


def test_on_bars_a_target_fills_at_its_price_or_a_better_open() -> None:
    run = Run(NO_SPREAD)
    entry = signal("enter_short", "1", target="95")
    run.feed(bar(60, 100, 101, 99, 100), entry)
    run.feed(bar(120, 100, 101, 99, 100))
    run.feed(bar(180, 94, 96, 93, 95))
    assert prices(run)[-1] == ("target", D("94"))


def test_on_bars_an_exit_fills_at_the_next_open_too() -> None:
    run = Run(NO_SPREAD)
    run.feed(bar(60, 100, 101, 99, 100), signal("enter_long", "1"))
    run.feed(bar(120, 101, 102, 99, 100), signal("exit"))
    run.feed(bar(180, 103, 104, 99, 100))
    assert prices(run) == [("entry", D("101")), ("exit", D("103"))]
    assert run.executor.account().realized == 2


def test_on_bars_a_limit_entry_waits_for_its_price() -> None:
    run = Run(NO_SPREAD)
    entry = signal(
        "enter_long", "1", order_type=OrderType.LIMIT, limit_price="97", stop="90"
    )
    run.feed(bar(60, 100, 101, 99, 100), entry)
    run.feed(bar(120, 100, 101, 98, 100))
    assert held(run) == 0
    run.feed(bar(180, 100, 101, 96, 100))
    assert prices(run) == [("entry", D("97"))]


def test_on_bars_the_loop_equals_twenty_lines_of_arithmetic() -> None:
    opens = [100, 103, 98, 105, 110, 95, 99, 104, 101, 97]
    run = Run(PaperBrokerSettings(spread_bps=0.0, taker_fee_bps=10.0))
    cash, coins = D(100_000), D(0)
    wanted: str | None = None
    for number, price in enumerate(opens):
        if wanted == "enter_long":
            cash -= price * D("1.001")
            coins += 1
        elif wanted == "exit":
            cash += price * D("0.999")
            coins -= 1
        wanted = "exit" if coins else "enter_long"
        said = signal(wanted, "1" if wanted == "enter_long" else None)
        run.feed(bar(60 * (number + 1), price, price + 1, price - 1, price), said)
    account = run.executor.account()
    assert held(run) == coins
    assert account.equity == cash + coins * opens[-1]


def test_a_flattening_kill_closes_at_market() -> None:
    run = Run()
    run.feed(quote(1, 100.0, 100.2), signal("enter_long", "1", stop="95"))
    run.wait(1)
    run.tell(Kill(level=KillLevel.FLATTEN, reason="enough"))
    run.wait(1)
    assert held(run) == 0
    assert prices(run)[-1] == ("flatten", D("100.0"))
    assert run.executor.held_protection() == []


def test_a_kill_while_the_entry_is_on_its_way_still_ends_flat() -> None:
    run = Run()
    run.feed(quote(1, 100.0, 100.2), signal("enter_long", "1"))
    run.tell(Kill(level=KillLevel.FLATTEN))
    run.wait(1)
    assert held(run) == 0
    assert [role for role, _ in prices(run)] == ["entry", "flatten"]


def test_a_flatten_while_the_entry_is_on_its_way_still_ends_flat() -> None:
    run = Run()
    run.feed(quote(1, 100.0, 100.2), signal("enter_long", "1"))
    run.tell(Flatten(instrument="BTC"))
    run.wait(1)
    assert held(run) == 0
    assert [role for role, _ in prices(run)] == ["entry", "flatten"]


ACTIONS = st.sampled_from(
    ["enter_long", "enter_short", "exit", "exit at", "protect", "quiet"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(ACTIONS, st.integers(900, 1100), st.integers(1, 30)),
        min_size=5,
        max_size=60,
    ),
    st.booleans(),
)
def test_ledger_and_venue_never_disagree(
    steps: list[tuple[str, int, int]], bars: bool
) -> None:
    run = Run(PaperBrokerSettings(latency_ms=700))
    for number, (action, ticks, size) in enumerate(steps, 1):
        price = ticks / 10
        said = []
        if action == "exit at":
            away = D(size) / 10 if held(run) > 0 else -D(size) / 10
            at = D(ticks) / 10 + away
            said = [signal("exit", order_type="limit", limit_price=str(at))]
        elif action != "quiet":
            enters = action.startswith("enter")
            down = D(ticks) / 10 - 3 if action != "enter_short" else D(ticks) / 10 + 3
            said = [
                signal(
                    action,
                    "1.5" if enters else None,
                    stop=down if action != "exit" else None,
                    trailing_bps=150.0 if enters and size % 2 else None,
                )
            ]
        if bars:
            high, low = price + size / 10, price - size / 10
            run.feed(bar(60 * number, price, high, low, price), *said)
        else:
            run.feed(quote(number, price, price + 0.1, size / 10), *said)
    run.wait(5)
    executor, broker = run.executor, run.broker
    assert executor.net("BTC") == broker.balances.get("BTC", D(0))
    account = executor.account()
    mark = executor.ledger.mark("BTC")
    assert mark is not None
    worth = broker.balances["USDT"] + executor.net("BTC") * mark
    assert abs(account.equity - worth) < D("1e-15")
    for order in executor.orders():
        assert order.filled <= order.quantity
        assert order.status is not OrderStatus.UNKNOWN
    position = held(run)
    plan = executor.protection.plan("s", "BTC")
    if position and plan is not None and plan.stop is not None:
        covered = executor.desk.orders.closing("s", "BTC", plan.side)
        stops = [o.quantity for o in executor.held_protection() if o.price is None]
        assert covered >= abs(position) or abs(position) in stops
    assert not [f for f in run.core.kept(FaultRecord) if "too much" in f.error]
    assert run.core.ts >= NS
    assert all(BTC.is_on_tick(r.fill.price) for r in run.core.kept(FillRecord))
