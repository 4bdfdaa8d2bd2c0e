"""What each key that acts leaves behind in a real engine, beyond its dialog."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.engine.runs import BINANCE, SMALL, settings, with_script
from tests.strategy.fakes import write_script
from tests.ui import fakes
from tests.ui.test_app import footer, layout_of, text_of
from tests.ui.test_app_engine import focus_on
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.session import Session
from workstation.kernel.tasks import TaskState
from workstation.model.commands import (
    Disposition,
    Kill,
    KillLevel,
    Override,
    PlaceOrder,
    Rearm,
)
from workstation.model.instruments import Side
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    order_number,
)
from workstation.model.states import SymbolState
from workstation.paths import shipped_folder
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.book import BookPanel
from workstation.ui.screens.amend import AmendScreen
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.edit_params import EditParamsScreen
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.override_all import OverrideAllScreen
from workstation.ui.screens.ritual import Ritual, Verb
from workstation.ui.screens.roll_back import RollBackScreen
from workstation.ui.screens.stop_task import StopTaskScreen
from workstation.ui.screens.ticket import TicketScreen
from workstation.ui.screens.unlock import UnlockScreen
from workstation.venues.recording.folder import Recording


def in_trade(
    until: Callable[[Session], object] | None = None,
) -> tuple[WorkstationApp, Session]:
    """Return the screen of a paused run at its first protected position, or so."""
    config = fakes.config(*SMALL)
    session = assemble_session(config.run, journal=False, paused=True)
    while not (until or guards)(session):
        assert session.driver.step()
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    return app, session


def guards(session: Session) -> list[Order]:
    return session.executor.held_protection()


def entries(session: Session) -> list[Order]:
    return [
        order
        for order in session.executor.orders()
        if order.role is OrderRole.ENTRY and not order.is_terminal
    ]


async def settle(pilot: Pilot[int]) -> None:
    await pilot.pause()
    await pilot.pause()


async def go(app: WorkstationApp, pilot: Pilot[int]) -> None:
    """Arm the dialog that is open and press its first verb."""
    assert isinstance(app.screen, Ritual)
    app.screen.arm()
    # Outside text: there the key that goes on is a letter.
    app.screen.query_one("#back", Verb).focus()
    await pilot.pause()
    app.screen.action_go()
    await settle(pilot)


async def test_o_takes_a_row_out_of_trade_and_locks_it() -> None:
    app, session = in_trade()
    symbol = guards(session)[0].instrument
    row = session.strategies[0].rows[symbol]
    assert row.state is SymbolState.IN_TRADE
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "symbols", symbol)
        await pilot.press("o")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, OverrideScreen)
        screen.query_one("#state", ChoiceLine).value = SymbolState.WATCH
        screen.query_one("#lock", ChoiceLine).value = "yes"
        screen.query_one("#reason", TextField).entry.value = "by hand"
        await pilot.pause()
        await go(app, pilot)
    assert str(row.state) == "Watch"
    assert row.locked
    assert not session.executor.position("operator", symbol).is_flat


async def test_o_overrides_all_marked_rows_each_by_its_own_plan() -> None:
    app, session = in_trade()
    strategy = session.strategies[0]
    symbol = guards(session)[0].instrument
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "symbols", symbol)
        for name in strategy.rows:
            assert app.panel is not None
            assert app.panel.jump_to(name)
            await pilot.press("v")
        await pilot.press("o")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, OverrideAllScreen)
        assert {instrument for _, instrument in screen.keys} == set(strategy.rows)
        screen.query_one("#state", ChoiceLine).value = SymbolState.WATCH
        screen.query_one("#disposition", ChoiceLine).value = Disposition.HAND_OVER
        screen.query_one("#expiry", ChoiceLine).value = "1h"
        await pilot.pause()
        said = screen.sentence()
        assert "to the operator" in said
        assert "no orders, nothing held, locked in manual" in said
        screen.query_one("#reason", TextField).entry.value = "lunch"
        await pilot.pause()
        await go(app, pilot)
    assert all(row.locked for row in strategy.rows.values())
    ends = {row.lock_until_ns for row in strategy.rows.values()}
    assert ends == {session.engine.core.ts + 3_600 * 1_000_000_000}
    assert {row.state for row in strategy.rows.values()} == {SymbolState.WATCH}
    assert not session.executor.position("operator", symbol).is_flat
    assert strategy.rows[symbol].history[-1].reason.endswith("lunch")


async def test_marked_rows_are_handed_back_together() -> None:
    app, session = in_trade()
    strategy = session.strategies[0]
    for name in strategy.rows:
        outcome = session.execute(
            Override(
                strategy=strategy.name,
                instrument=name,
                state=strategy.rows[name].state,
                lock=True,
                reason="lunch",
            )
        )
        assert outcome.accepted
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "symbols", next(iter(strategy.rows)))
        for name in strategy.rows:
            assert app.panel is not None
            assert app.panel.jump_to(name)
            await pilot.press("v")
        await pilot.press("o")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, OverrideAllScreen)
        screen.arm()
        await pilot.pause()
        screen.query_one("#hand_back", Verb).action_press()
        await settle(pilot)
    assert not any(row.locked for row in strategy.rows.values())


async def test_c_cancels_the_order_below_the_cursor() -> None:
    app, session = in_trade()
    first = guards(session)[0]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "orders", first.id)
        await pilot.press("c")
        await settle(pilot)
        assert isinstance(app.screen, CancelScreen)
        await go(app, pilot)
        orders = {order.id: order for order in session.executor.orders()}
        assert orders[first.id].status is OrderStatus.CANCELED


async def test_large_c_cancels_the_orders_shown() -> None:
    app, session = in_trade(entries)
    entry = entries(session)[0]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "orders", entry.id)
        await pilot.press("C")
        await settle(pilot)
        assert isinstance(app.screen, CancelScreen)
        await go(app, pilot)
        assert entries(session)[0].status is OrderStatus.PENDING_CANCEL
        while entries(session):
            assert session.driver.step()
    orders = {order.id: order for order in session.executor.orders()}
    # A cancel may come after the fill; that it was asked for is what the key does.
    ended = orders[entry.id].status
    assert ended in (OrderStatus.CANCELED, OrderStatus.FILLED)


async def test_s_makes_one_withheld_call_and_x_stops_the_task() -> None:
    app, session = in_trade()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        await focus_on(app, pilot, "tasks", "ema_cross")
        task = session.engine.registry.get("ema_cross")
        await pilot.press("p")
        assert task.state.value == "paused"
        strategy = session.strategies[0]
        while not strategy.withheld:
            assert session.driver.step()
        app.bridge_now()
        calls, waiting = strategy.calls, len(strategy.withheld)
        await pilot.press("s")
        assert strategy.calls == calls + 1
        assert len(strategy.withheld) == waiting - 1
        assert str(task.state) == "paused"
        await pilot.press("x")
        await settle(pilot)
        assert isinstance(app.screen, StopTaskScreen)
        await go(app, pilot)
        assert str(task.state) == "stopped"
        await focus_on(app, pilot, "tasks", "ema_cross")
        await pilot.press("r")
        assert str(task.state) == "running"


async def test_l_takes_the_acting_keys_away_until_the_account_is_typed() -> None:
    app, session = in_trade()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("L", "H")
        assert not session.executor.hold
        await pilot.press("L")
        await settle(pilot)
        assert isinstance(app.screen, UnlockScreen)
        app.screen.arm()
        await pilot.press(*session.run.account.name, "enter", "enter")
        await settle(pilot)
        assert not app.locked
        await pilot.press("H")
        assert session.executor.hold


async def test_ctrl_k_twice_cancels_entries_and_keeps_protection() -> None:
    app, session = in_trade()
    before = guards(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+k")
        assert session.executor.kill_level == "hold"
        await pilot.press("ctrl+k")
    assert session.executor.kill_level == "cancel"
    assert guards(session) == before


@pytest.mark.parametrize("name", ["simulated", "recorded"])
async def test_the_first_200_events_by_keys_are_a_backtest(name: str) -> None:
    path = None if name == "simulated" else BINANCE
    config = load_config(path, ['journal.path=""'])
    session = assemble_session(config.run, journal=False, paused=True)
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for _ in range(200):
            app.simulate_key("full_stop")
        await settle(pilot)
        assert session.engine.delivered == 200
        by_keys = session.engine.state_hash()
    other = assemble_session(settings(config=config.path), journal=False)
    run_backtest(other.engine, Until(events=200))
    assert by_keys == other.engine.state_hash()
    other.close()


def feed_line(app: WorkstationApp) -> str:
    """Return the row of the simulated feed, as it is drawn."""
    lines = text_of(app).splitlines()
    # Its panel stands above the tasks', which names it too.
    return next(line for line in lines if "market" in line and "running" in line)


async def test_large_w_records_the_feed_below_the_cursor_and_ends_it(
    tmp_path: Path,
) -> None:
    path = f"recording.path={json.dumps(str(tmp_path))}"
    config = fakes.config(*SMALL, path)
    session = assemble_session(config.run, journal=False, paused=True)
    run_backtest(session.engine, Until(events=100))
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    feed = session.engine.sources.feeds[0]
    before = session.engine.state_hash()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        await focus_on(app, pilot, "feeds", "market")
        assert "W record" in text_of(app)
        assert "REC" in text_of(app)
        await pilot.press("W")
        await settle(pilot)
        assert feed.tap is not None
        folder = session.recorder.folder
        assert folder is not None
        assert folder.parent == tmp_path
        assert "market is recorded into" in footer(app)
        assert " on " in feed_line(app)
        await pilot.press("enter")
        await settle(pilot)
        assert "recorded      since 2024-08-08 00:00:08 UTC" in text_of(app)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("W")
        await settle(pilot)
        assert feed.tap is None
        assert " on " not in feed_line(app)
        await pilot.press("L", "W")
        await settle(pilot)
        assert feed.tap is None
    # It is a word to the session: no input, and no decision is another.
    assert session.engine.state_hash() == before
    assert session.control.by_hand == 0
    recording = Recording(folder)
    began = recording.began("market")
    assert began is not None
    assert not began.whole


async def test_large_w_on_what_is_no_feed_says_so() -> None:
    app, session = in_trade()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        await focus_on(app, pilot, "tasks", "executor")
        await pilot.press("W")
        await settle(pilot)
        assert "executor is no feed; feeds: market" in footer(app)
    assert session.recorder.folder is None


async def test_enter_on_a_parameter_gives_the_row_another_one() -> None:
    app, session = in_trade()
    strategy = session.strategies[0]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("4")
        await settle(pilot)
        await focus_on(app, pilot, "params", "fast")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, EditParamsScreen)
        app.screen.query_one("#param-0", TextField).entry.value = "7"
        await settle(pilot)
        await go_outside_text(app, pilot)
        assert strategy.rows["BTCUSDT"].market.params["fast"] == 7
        assert strategy.rows["ETHUSDT"].market.params["fast"] == 10
        assert "uses fast 7 in BTCUSDT" in footer(app)
        app.bridge.pump_once()
        await settle(pilot)
        assert "▸ fast         7          10" in text_of(app)


async def go_outside_text(app: WorkstationApp, pilot: Pilot[int]) -> None:
    """Leave the field, arm the dialog, and press its first verb."""
    app.screen.query_one("#back").focus()
    await go(app, pilot)


async def test_p_s_r_act_on_the_strategy_of_layout_4() -> None:
    app, session = in_trade()
    task = session.engine.registry.get("ema_cross")
    strategy = session.strategies[0]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("4")
        await settle(pilot)
        await pilot.press("p")
        assert task.state.value == "paused"
        while not strategy.withheld:
            session.driver.step()
        calls = strategy.calls
        app.bridge.pump_once()
        await pilot.press("s")
        assert strategy.calls <= calls + 1
        assert "was asked once" in footer(app)
        await pilot.press("p")
        assert task.state.value == "running"
        await pilot.press("r")
        assert task.restarts == 1
        await pilot.press("x")
        await settle(pilot)
        assert isinstance(app.screen, StopTaskScreen)
        await go(app, pilot)
        assert task.state is not TaskState.RUNNING


async def test_a_saved_script_takes_over_and_r_and_u_go_there_and_back(
    tmp_path: Path,
) -> None:
    script = tmp_path / "mine.py"
    text = (shipped_folder("strategies") / "ema_cross.py").read_text()
    script.write_text(text)
    config = fakes.config(*SMALL, *with_script(script))
    session = assemble_session(config.run, journal=False, paused=True)
    run_backtest(session.engine, Until(events=1_500))
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    (strategy,) = session.strategies

    async def pumped(pilot: Pilot[int], version: str) -> str:
        """Tick until another version runs, as the timer does ten times a second."""
        for _ in range(1_000):
            app.bridge.tick()
            await pilot.pause()
            if strategy.script.hash != version:
                app.bridge.tick()
                await settle(pilot)
                return strategy.script.hash
        raise AssertionError(f"still {version}")

    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("4")
        await settle(pilot)
        await focus_on(app, pilot, "strategies", "ema_cross")
        first = strategy.script.hash
        await pilot.press("U")
        await settle(pilot)
        assert "U: the script has no version before this one" in footer(app)
        await pilot.press("R")
        await settle(pilot)
        assert "mine.py is the version that runs" in footer(app)
        script.write_text(text.replace("fast < slow", "fast < slow - 1e9"))
        await pilot.press("R")
        second = await pumped(pilot, first)
        assert f"ema_cross runs mine.py {second[:8]} (reloaded by hand)" in footer(app)
        await pilot.press("enter")
        await settle(pilot)
        shown = text_of(app)
        assert "Last reload" in shown
        assert second[:8] in shown
        assert "exit: fast EMA below slow" in shown
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("U")
        await settle(pilot)
        assert isinstance(app.screen, RollBackScreen)
        assert f"from version {second[:8]} to {first[:8]}" in text_of(app)
        app.screen.arm()
        await pilot.press("y")
        assert await pumped(pilot, second) == first
        assert f"ema_cross runs mine.py {first[:8]} (rolled back)" in footer(app)
        script.write_text("def detect_opportunity(")
        await pilot.press("R")
        for _ in range(100):
            app.bridge.tick()
            await pilot.pause()
        await settle(pilot)
        assert strategy.script.hash == first
        assert "mine.py:1: '(' was never closed" in text_of(app)
        await pilot.press("L", "U")
        await settle(pilot)
        assert strategy.script.hash == first


async def test_enter_on_a_failing_strategy_shows_the_line_that_failed(
    tmp_path: Path,
) -> None:
    path = write_script(tmp_path, detect="return 1 / 0")
    config = fakes.config(*SMALL, *with_script(path))
    session = assemble_session(config.run, journal=False, paused=True)
    run_backtest(session.engine, Until(events=600))
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    line = 1 + path.read_text().splitlines().index("    return 1 / 0")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("4")
        await settle(pilot)
        assert session.engine.registry.get("ema_cross").state is TaskState.FAILED
        assert "failed 1" in text_of(app)
        await pilot.press("enter")
        await settle(pilot)
        assert f"▸ {line}      return 1 / 0" in text_of(app)
        await pilot.press("escape")
        path.write_text("# changed\n" + path.read_text())
        await pilot.press("enter")
        await settle(pilot)
        assert "The file has changed since; these are the lines that ran" in text_of(
            app
        )


async def test_a_step_that_a_script_holds_up_says_so_and_goes_on_by_itself() -> None:
    app, session = in_trade()
    driver = session.driver
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(driver), "awaiting", True)
            await pilot.press("full_stop")
            await settle(pilot)
            assert "a script has not answered yet" in footer(app)
        await pilot.press("full_stop")
        await settle(pilot)
        assert "a script has not answered yet" not in footer(app)


def of_the_operator(session: Session) -> list[Order]:
    return [o for o in session.executor.orders() if o.owner == "operator"]


async def test_b_places_an_order_of_the_symbol_below_the_cursor() -> None:
    app, session = in_trade()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "symbols", "ETHUSDT")
        await pilot.press("b")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, TicketScreen)
        assert screen.instrument.id == "ETHUSDT"
        screen.query_one("#size", TextField).entry.focus()
        await pilot.press("0", "full_stop", "5")
        screen.query_one("#only", ChoiceLine).value = "post"
        await pilot.pause()
        price = screen.form.price
        await go(app, pilot)
        assert app.open_ritual() is None
        assert "was sent" in footer(app)
        (order,) = of_the_operator(session)
        assert (order.instrument, str(order.price)) == ("ETHUSDT", price)
        assert (order.quantity, order.post_only) == (Decimal("0.5"), True)
        assert order.role is OrderRole.ENTRY


async def test_b_on_empty_positions_opens_the_ticket_of_the_focused_symbol() -> None:
    # After one step nothing is held yet.
    app, _ = in_trade(lambda session: session.engine.delivered)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        layout_of(app).focus_panel("symbols")
        await pilot.press("down")
        await settle(pilot)
        assert app.focus.row is not None
        assert app.focus.row.instrument == "ETHUSDT"
        layout_of(app).focus_panel("positions")
        await settle(pilot)
        assert app.choice is None
        assert "b order" in text_of(app)
        await pilot.press("o")
        await settle(pilot)
        assert "no symbol is below the cursor" in footer(app)
        await pilot.press("b")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, TicketScreen)
        assert screen.instrument.id == "ETHUSDT"


async def test_enter_in_the_book_puts_the_price_of_the_level_into_the_ticket() -> None:
    app, _ = in_trade()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        layout = app.layout_screen()
        assert layout is not None
        panel = layout.panels["book"]
        assert isinstance(panel, BookPanel)
        layout.focus_panel("book")
        await settle(pilot)
        for key, side in (("down", Side.BUY), ("up", Side.SELL)):
            # The first move is to the best bid; from there up is the best ask.
            await pilot.press(key)
            level = panel.ladder.cursor_row
            assert level is not None
            await pilot.press("enter")
            await settle(pilot)
            screen = app.screen
            assert isinstance(screen, TicketScreen)
            assert float(screen.form.price) == level[1].at
            assert screen.form.side is side
            await pilot.press("escape")
            await settle(pilot)
        await pilot.press("b")
        await settle(pilot)
        assert isinstance(app.screen, TicketScreen)


async def test_b_and_u_are_absent_on_a_locked_screen() -> None:
    app, session = in_trade()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await focus_on(app, pilot, "symbols", "BTCUSDT")
        await pilot.press("b")
        await settle(pilot)
        assert app.open_ritual() is None
        assert "locked" in footer(app)
        layout = app.layout_screen()
        assert layout is not None
        panel = layout.panels["book"]
        assert isinstance(panel, BookPanel)
        layout.focus_panel("book")
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert app.open_ritual() is None
        await focus_on(app, pilot, "orders", guards(session)[0].id)
        await pilot.press("u")
        await settle(pilot)
        assert app.open_ritual() is None


async def test_u_amends_the_order_below_the_cursor_and_the_panel_shows_it() -> None:
    app, session = in_trade()
    instrument = session.instruments["BTCUSDT"]
    bid = session.aggregator.instrument("BTCUSDT").bid
    low, lower = (instrument.nearest_price(bid * part) for part in (0.98, 0.97))
    command = PlaceOrder(
        instrument="BTCUSDT",
        side=Side.BUY,
        quantity=Decimal("0.010"),
        order_type=OrderType.LIMIT,
        price=low,
    )
    assert session.execute(command).accepted
    (order,) = of_the_operator(session)
    while of_the_operator(session)[0].status is not OrderStatus.ACCEPTED:
        assert session.driver.step()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "orders", order.id)
        await pilot.press("u")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, AmendScreen)
        screen.query_one("#price", TextField).entry.value = str(lower)
        screen.query_one("#quantity", TextField).entry.value = "0.020"
        await pilot.pause()
        await go(app, pilot)
        assert "end of the queue" in footer(app)
        assert of_the_operator(session)[0].status is OrderStatus.PENDING_REPLACE
        while of_the_operator(session)[0].status is not OrderStatus.ACCEPTED:
            assert session.driver.step()
        app.bridge_now()
        await settle(pilot)
        rows = text_of(app).splitlines()
        line = next(row for row in rows if "0/0.02000" in row)
        assert line.lstrip("▸ ").startswith(order_number(order.id))
        assert f"{lower:,}" in line
    amended = of_the_operator(session)[0]
    assert (amended.quantity, amended.price) == (Decimal("0.020"), lower)


async def test_u_moves_a_stop_that_is_held_here() -> None:
    app, session = in_trade()
    stop = guards(session)[0]
    assert stop.trigger is not None
    instrument = session.instruments[stop.instrument]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "orders", stop.id)
        await pilot.press("u")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, AmendScreen)
        screen.query_one("#price", TextField).entry.focus()
        await pilot.press("down")
        await pilot.pause()
        await go(app, pilot)
    moved = next(o for o in guards(session) if o.id == stop.id)
    assert moved.trigger == stop.trigger - instrument.tick_size


async def test_large_c_takes_the_operators_orders_and_keeps_protection() -> None:
    app, session = in_trade()
    held = guards(session)
    bid = session.aggregator.instrument("BTCUSDT").bid
    command = PlaceOrder(
        instrument="BTCUSDT",
        side=Side.BUY,
        quantity=Decimal("0.010"),
        order_type=OrderType.LIMIT,
        price=session.instruments["BTCUSDT"].nearest_price(bid * 0.98),
    )
    assert session.execute(command).accepted
    while of_the_operator(session)[0].status is not OrderStatus.ACCEPTED:
        assert session.driver.step()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await focus_on(app, pilot, "orders", of_the_operator(session)[0].id)
        await pilot.press("C")
        await settle(pilot)
        assert isinstance(app.screen, CancelScreen)
        await go(app, pilot)
        assert of_the_operator(session)[0].status is OrderStatus.PENDING_CANCEL
    assert guards(session) == held


async def test_a_kill_stands_in_the_alert_line_of_every_layout_and_moves_nothing() -> (
    None
):
    app, session = in_trade()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        before = text_of(app).splitlines()
        session.execute(Kill(level=KillLevel.CANCEL, reason="too fast"))
        app.bridge_now()
        await settle(pilot)
        after = text_of(app).splitlines()
        assert after[1].startswith(" KILLED (cancel)  since ")
        assert ": too fast" in after[1]
        assert after[1].rstrip().endswith("ctrl+k re-arms")
        assert after[2] == before[2]
        assert [line[:20] for line in after[3:6]] == [line[:20] for line in before[3:6]]
        for digit in ("2", "3", "4", "7"):
            await pilot.press(digit)
            await settle(pilot)
            assert text_of(app).splitlines()[1].startswith(" KILLED (cancel)")
        await pilot.resize_terminal(60, 15)
        await settle(pilot)
        app.bridge_now()
        await settle(pilot)
        assert text_of(app).splitlines()[0].startswith(" SIM KILLED (cancel)")
        await pilot.resize_terminal(39, 9)
        await settle(pilot)
        app.bridge_now()
        await settle(pilot)
        assert " KILLED (cancel)" in text_of(app)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        session.execute(Rearm(reason="calm again"))
        app.bridge_now()
        await settle(pilot)
        assert "KILLED" not in text_of(app)
