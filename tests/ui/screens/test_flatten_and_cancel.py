"""Flatten and cancel: numbers on the buttons, protection kept unless it is named."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.ui.screens.dialogs import BUSY
from tests.ui.screens.scenes import (
    STOP,
    TARGET,
    FakeEngine,
    Fuse,
    Host,
    frame,
    in_trade,
    order,
    position,
    text_of,
)
from workstation.engine.frames import OrderRow
from workstation.model.commands import CancelOrders, Flatten
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.owners import DUST
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.flatten_plan import may_flatten
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import (
    cancel_sentence,
    flatten_sentence,
    guard_words,
    unprotected,
)

ALL = ["o-13", "o-14", "o-15", "o-16"]


def test_flattening_says_what_is_sold_and_what_ends() -> None:
    assert flatten_sentence(Scene.of(BUSY), "BTCUSDT", "ema_cross") == (
        "Cancels 1 entry. Sells 1.000 BTCUSDT at market, mark 61,685.99, open +12.30. "
        "Stop 60,452.00 and target 64,770.00 end with the fill."
    )


def closing(
    id: str = "o-20",
    role: OrderRole = OrderRole.EXIT,
    price: str | None = "64000.00",
    quantity: str = "1",
    **changes: object,
) -> OrderRow:
    """Return an order at the venue that reduces: a limit, without a price a market."""
    row = order(id, OrderRole.ENTRY, quantity=quantity, price=price or "0")
    order_type = OrderType.LIMIT if price else OrderType.MARKET
    values: dict[str, object] = {
        "role": role,
        "side": Side.SELL,
        "type": order_type,
        "price": None if price is None else Decimal(price),
        "reduce_only": True,
        **changes,
    }
    return msgspec.structs.replace(
        row,
        order=msgspec.structs.replace(row.order, **values),
        price=row.price if price else None,
    )


def ending(*, flattened: bool) -> OrderRow:
    """Return an entry whose cancel is under way."""
    row = order()
    going = msgspec.structs.replace(row.order, status=OrderStatus.PENDING_CANCEL)
    return msgspec.structs.replace(row, order=going, flattened=flattened)


AT_MARKET = "BTCUSDT at market, mark 61,685.99, open +12.30"


@pytest.mark.parametrize(
    ("orders", "said", "label", "ready"),
    [
        (
            (STOP, closing()),
            "Cancels the exit at 64,000.00. "
            f"Sells 1.000 {AT_MARKET}, once it is canceled. "
            "Stop 60,452.00 ends with the fill.",
            "Flatten 1.000 BTCUSDT",
            True,
        ),
        (
            (closing(), closing("o-21", price="65000.00", quantity="0.2")),
            "Cancels the exits at 64,000.00 and 65,000.00. "
            f"Sells 1.000 {AT_MARKET}, once they are canceled.",
            "Flatten 1.000 BTCUSDT",
            True,
        ),
        (
            (closing(status=OrderStatus.PENDING_CANCEL),),
            f"Sells 1.000 {AT_MARKET}, once the exit at 64,000.00 is canceled.",
            "Flatten 1.000 BTCUSDT",
            True,
        ),
        (
            (STOP, closing(role=OrderRole.FLATTEN)),
            "1.000 BTCUSDT is being sold already. Stop 60,452.00 ends with the fill.",
            "Flatten",
            False,
        ),
        (
            (
                closing(
                    role=OrderRole.FLATTEN,
                    price=None,
                    status=OrderStatus.PENDING_CANCEL,
                ),
            ),
            f"Sells 1.000 {AT_MARKET}, once the flatten is canceled.",
            "Flatten 1.000 BTCUSDT",
            True,
        ),
        (
            (ending(flattened=False), closing(role=OrderRole.FLATTEN, price=None)),
            "Closes what 1 entry still fills while being canceled. "
            "1.000 BTCUSDT is being sold already.",
            "Close what still fills",
            True,
        ),
        (
            (ending(flattened=True), closing(role=OrderRole.FLATTEN, price=None)),
            "What 1 entry still fills is closed as it comes already. "
            "1.000 BTCUSDT is being sold already.",
            "Flatten",
            False,
        ),
        (
            (closing(price=None, quantity="0.4"),),
            f"0.400 BTCUSDT is being sold already. Sells 0.600 {AT_MARKET}.",
            "Flatten 0.600 BTCUSDT",
            True,
        ),
        (
            (closing(price=None), closing("o-21")),
            "Cancels the exit at 64,000.00. 1.000 BTCUSDT is being sold already.",
            "Cancel 1 exit",
            True,
        ),
        (
            (
                closing(
                    price="60000.00",
                    type=OrderType.STOP_LIMIT,
                    trigger=Decimal(60_000),
                ),
            ),
            "Cancels the exit at 60,000.00. "
            f"Sells 1.000 {AT_MARKET}, once it is canceled.",
            "Flatten 1.000 BTCUSDT",
            True,
        ),
    ],
)
async def test_flattening_says_what_becomes_of_exits_and_of_a_close_under_way(
    orders: tuple[OrderRow, ...], said: str, label: str, ready: bool
) -> None:
    held = msgspec.structs.replace(in_trade(), orders=orders)
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(held, engine.execute, "BTCUSDT", "ema_cross", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert dialog.sentence() == said
        assert f"[ {label} ]" in text_of(dialog)
        await pilot.press("y")
    assert bool(engine.commands) is ready


def test_flattening_names_the_entry_that_was_to_follow_the_close() -> None:
    held = in_trade()
    rows = held.symbols or ()
    waits = msgspec.structs.replace(rows[0], waiting=Decimal("-1"))
    held = msgspec.structs.replace(held, symbols=(waits, *rows[1:]))
    said = flatten_sentence(Scene.of(held), "BTCUSDT", "ema_cross")
    assert said.startswith("Gives up the entry of −1.000 that was to follow the close.")


async def test_the_entry_that_was_to_follow_can_be_given_up_alone() -> None:
    held = msgspec.structs.replace(in_trade(), orders=(closing(price=None),))
    rows = held.symbols or ()
    waits = msgspec.structs.replace(rows[0], waiting=Decimal("-1"))
    held = msgspec.structs.replace(held, symbols=(waits, *rows[1:]))
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(held, engine.execute, "BTCUSDT", "ema_cross", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Give up 1 entry ]" in text_of(dialog)
        await pilot.press("y")
    assert engine.commands


async def test_dust_is_flattened_once_a_venue_takes_an_order_for_it() -> None:
    tiny = position("0.5", owner=DUST)
    kept = msgspec.structs.replace(tiny, closable=Decimal(0))
    for row, said in ((kept, "Nothing is held"), (tiny, "Sells 0.500 BTCUSDT")):
        held = msgspec.structs.replace(in_trade(), orders=(), positions=(row,))
        assert said in flatten_sentence(Scene.of(held), "BTCUSDT", DUST)
        assert may_flatten(Scene.of(held), "BTCUSDT", DUST) is bool(row.closable)


def test_a_short_is_bought_back() -> None:
    short = in_trade(seq=1)
    short = msgspec.structs.replace(short, positions=(position("-2"),))
    assert "Buys 2.000 BTCUSDT" in flatten_sentence(Scene.of(short), "BTCUSDT", None)


async def test_whose_position_can_be_chosen() -> None:
    both = msgspec.structs.replace(
        in_trade(), positions=(position(), position("0.5", owner="operator"))
    )
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(both, engine.execute, "BTCUSDT", "operator", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Flatten 0.500 BTCUSDT ]" in text_of(dialog)
        dialog.query_one("#owner").focus()
        await pilot.press("right")
        await pilot.pause()
        text = text_of(dialog)
        assert "[ Flatten 1.500 BTCUSDT ]" in text
        assert "for ema_cross" in text
        assert "for operator" in text
        await pilot.press("y")
    assert engine.last == Flatten(
        instrument="BTCUSDT",
        owner=None,
        reason="flattened by the operator",
        seen_seq=100,
    )


async def test_nothing_to_flatten_cannot_be_pressed() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(frame(), engine.execute, "BTCUSDT", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        assert "Nothing is held" in text_of(dialog)
        assert engine.commands == []


async def test_cancel_all_keeps_stops_and_targets() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ALL, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert (
            "Cancels 2 orders: buy 1.000 BTCUSDT at 61,600.00 and buy 1.000 ETHUSDT at "
            "61,600.00. BTCUSDT stop 60,452.00 and target 64,770.00 stay."
        ) in text
        assert "leaves 1.000 BTCUSDT of ema_cross without a stop" in text
        await pilot.press("y")
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == ("o-15", "o-16")


async def test_removing_protection_is_a_separate_button() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ALL, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        remove = dialog.query_one("#remove", Verb)
        assert remove.label == "Cancel 4, remove protection"
        remove.focus()
        await pilot.press("enter")
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == tuple(ALL)


async def test_one_protecting_order_names_what_stays_without_it() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ["o-13"], timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "Removes BTCUSDT stop 60,452.00. Leaves 1.000 BTCUSDT of ema_cross " in (
            text
        )
        assert "[ Remove 1 stop ]" in text
        assert not dialog.query_one("#go").display
        await pilot.press("y")
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == ("o-13",)


async def test_an_order_that_is_gone_can_not_be_canceled_twice() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ["o-15"], timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.refresh_from(in_trade())
        await pilot.pause()
        assert "gone" in text_of(dialog)


@pytest.mark.parametrize(
    ("orders", "removed", "text"),
    [
        ((STOP, TARGET), (STOP,), "1.000 BTCUSDT of ema_cross"),
        ((STOP, TARGET), (TARGET,), ""),
        ((STOP, order("o-20", OrderRole.STOP)), (STOP,), ""),
        ((STOP,), (), ""),
    ],
)
def test_unprotected_is_what_loses_its_last_stop(
    orders: tuple[object, ...], removed: tuple[object, ...], text: str
) -> None:
    scene = Scene.of(frame(orders=orders, positions=(position(),)))
    assert unprotected(scene, removed) == text  # type: ignore[arg-type]


async def test_y_removes_no_protection_when_nothing_else_is_left() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ["o-13", "o-14"], timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Remove 2 stops and targets ]" in text_of(dialog)
        await pilot.press("y")
        await pilot.pause()
        assert engine.commands == []
        assert "All that is left protects" in text_of(dialog)
        dialog.query_one("#remove", Verb).action_press()
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == ("o-13", "o-14")


def test_a_stop_of_one_s_own_leaves_its_position_bare_too() -> None:
    own = order("o-20", OrderRole.EXIT, owner="operator", price="61000.00")
    own = msgspec.structs.replace(
        own,
        order=msgspec.structs.replace(
            own.order, type=OrderType.STOP, reduce_only=True, trigger=own.price
        ),
    )
    scene = Scene.of(frame(orders=(own,), positions=(position(owner="operator"),)))
    assert unprotected(scene, [own]) == "1.000 BTCUSDT of operator"


def test_stops_are_named_by_symbol_and_by_owner_where_there_are_several() -> None:
    other = order("o-30", OrderRole.STOP, instrument="BNBUSDT", price="490.00")
    own = order("o-31", OrderRole.STOP, owner="operator", price="60311.17")
    assert guard_words([STOP, TARGET, other]) == (
        "BTCUSDT stop 60,452.00 and target 64,770.00; BNBUSDT stop 490.00"
    )
    assert guard_words([STOP, other, own]) == (
        "BTCUSDT of ema_cross stop 60,452.00; BNBUSDT stop 490.00; "
        "BTCUSDT of operator stop 60,311.17"
    )
    assert guard_words([TARGET, other, own], 1) == (
        "BTCUSDT of ema_cross target 64,770.00 and 2 more"
    )


def test_canceling_says_which_orders() -> None:
    rows = [order(f"o-{number}", price=f"{number}.00") for number in range(40, 45)]
    assert cancel_sentence(Scene.of(BUSY), rows, with_protection=False) == (
        "Cancels 5 orders: buy 1.000 BTCUSDT at 40.00, buy 1.000 BTCUSDT at 41.00, "
        "buy 1.000 BTCUSDT at 42.00 and 2 more."
    )
