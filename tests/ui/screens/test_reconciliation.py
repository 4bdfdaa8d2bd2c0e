"""The screen of both sides and the dialog of one line: each key, and what is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.screens.scenes import (
    D,
    FakeEngine,
    Fuse,
    Host,
    lines_of,
    text_of,
)
from tests.ui.screens.sides import (
    DIFFERING,
    INSTRUMENTS,
    agreeing,
    balance_line,
    flat_frame,
    order_line,
    scene_frame,
    touch,
    view,
)
from workstation.engine.frames import Frame
from workstation.model.commands import Reconcile, Resolve
from workstation.model.instruments import Side
from workstation.model.reconciliation import Resolution, Subject
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.reconciliation import ReconciliationScreen
from workstation.ui.screens.resolve import ResolveScreen
from workstation.ui.screens.ritual import Verb
from workstation.ui.widgets.section_table import SectionTable

R = Resolution
Hand = Pilot[None]


class Sides:
    """The screen, with what it asked for."""

    def __init__(
        self, frame: Frame | None = None, *, locked: bool = False, at: str = ""
    ) -> None:
        self.engine, self.fuse = FakeEngine(), Fuse()
        self.settled: list[tuple[str, Resolution | None]] = []
        self.exported: list[Any] = []
        # Any: rows of texts, as the screen makes them.
        self.screen = ReconciliationScreen(
            frame or flat_frame(),
            None if locked else self.engine.execute,
            INSTRUMENTS,
            lambda key, way: self.settled.append((key, way)),
            self._export,
            at=at,
            timer=self.fuse,
        )

    def _export(self, rows: object) -> str:
        self.exported.append(rows)
        return "8 rows of the reconciliation in a file."

    @asynccontextmanager
    async def open(self, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Hand]:
        async with Host(self.screen).run_test(size=size) as pilot:
            await pilot.pause()
            self.fuse.fire()
            await pilot.pause()
            yield pilot

    @property
    def text(self) -> str:
        return text_of(self.screen)

    @property
    def cursor(self) -> str | None:
        return self.screen.query_one(SectionTable).cursor_key


async def test_it_shows_both_sides_with_what_differs_on_top() -> None:
    sides = Sides()
    async with sides.open():
        assert "4 to settle" in sides.text
        assert "asked 3 s ago answered agreed 33 s ago" in sides.text
        assert sides.cursor == "order/web-7"
        lines = lines_of(sides.screen)
        at = {name: n for n, line in enumerate(lines) for name in [line[2:9].strip()]}
        assert at["ORDER"] < at["web-7"] < at["o-13"] < at["POSITIO"] < at["ETHUSDT"]
        assert at["BALANCE"] < at["BTC"] < at["USDT"] < at["ETH"]


async def test_the_cursor_goes_through_all_rows_and_says_each_whole() -> None:
    sides = Sides()
    async with sides.open() as pilot:
        seen = []
        for _ in range(8):
            seen.append(sides.cursor)
            await pilot.press("down")
        assert len(dict.fromkeys(seen)) == 8
        assert sides.cursor == "balance/ETH"
        assert "1.020 ETH on both" in sides.text
        await pilot.press("home")
        assert "made at the venue. enter settles it." in sides.text


async def test_enter_settles_what_can_be_settled_and_says_why_not_else() -> None:
    sides = Sides(at="balance/USDT")
    async with sides.open() as pilot:
        assert sides.cursor == "balance/USDT"
        await pilot.press("enter", "down", "enter")
        await pilot.pause()
        await pilot.pause()
        assert sides.settled == [("balance/USDT", None)]
        assert "nothing to settle about this row" in sides.text


async def test_the_footer_has_the_keys_that_do_something_about_the_row() -> None:
    sides = Sides()
    async with sides.open() as pilot:
        assert "enter settle c cancel e export" in sides.text
        await pilot.press("end", "up")
        assert "enter settle e export" in sides.text
        await pilot.press("end")
        assert "ask again e export" in sides.text


async def test_y_asks_the_venue_again() -> None:
    sides = Sides()
    async with sides.open() as pilot:
        await pilot.press("y")
        assert sides.engine.commands == [Reconcile()]


async def test_c_cancels_an_order_made_by_hand_at_once() -> None:
    sides = Sides()
    async with sides.open() as pilot:
        await pilot.press("c")
        assert sides.engine.commands == [
            Resolve(
                kind=Subject.ORDER, subject="web-7", resolution=R.CANCEL, seen_seq=100
            )
        ]


async def test_c_does_nothing_before_the_screen_could_be_read() -> None:
    sides = Sides()
    async with Host(sides.screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("c")
        assert sides.engine.commands == []


async def test_c_asks_where_the_order_may_protect_what_is_held() -> None:
    held = view(
        orders=(order_line(side=Side.SELL),),
        positions=(DIFFERING.positions[0],),
    )
    other = Sides(flat_frame(held))
    async with other.open() as pilot:
        await pilot.press("c")
        assert other.settled == [], "another symbol is held"
    mine = view(
        orders=(order_line(side=Side.SELL, instrument="ETHUSDT"),),
        positions=(DIFFERING.positions[0],),
    )
    sides = Sides(flat_frame(mine))
    async with sides.open() as pilot:
        await pilot.press("c")
        assert sides.settled == [("order/web-7", R.CANCEL)]
        assert sides.engine.commands == []


async def test_c_leaves_the_orders_of_others_to_their_panel() -> None:
    sides = Sides(at="order/o-12")
    async with sides.open() as pilot:
        await pilot.press("c")
        assert "It is ema_cross's: c in the orders" in sides.text
        await pilot.press("end", "c")
        assert "No order is below the cursor." in sides.text
    assert sides.engine.commands == []


async def test_e_exports_both_sides() -> None:
    sides = Sides()
    async with sides.open() as pilot:
        await pilot.press("e")
        assert len(sides.exported[0]) == 9
        assert "8 rows of the reconciliation in a file." in sides.text


async def test_a_locked_screen_only_looks() -> None:
    sides = Sides(locked=True)
    async with sides.open() as pilot:
        assert "Ask the venue again" not in sides.text
        await pilot.press("y", "enter")
        await pilot.pause()
        await pilot.pause()
        assert "locked: nothing is settled" in sides.text
        await pilot.press("c")
        assert sides.settled == []


async def test_a_new_frame_moves_no_cursor_and_settled_rows_sink() -> None:
    sides = Sides(at="balance/USDT")
    async with sides.open() as pilot:
        sides.screen.refresh_from(
            flat_frame(view(balances=(agreeing(), balance_line("BTC", "0", "0.01"))))
        )
        await pilot.pause()
        assert sides.cursor == "balance/USDT"
        assert "100,000.00 USDT on both sides" in sides.text
        assert "1 to settle" in sides.text


async def test_an_account_with_nothing_says_what_it_has() -> None:
    sides = Sides(flat_frame(view()))
    async with sides.open((80, 24)):
        assert "all agree" in sides.text
        assert "none open, here or there" in sides.text
        assert "nothing held" in sides.text
        assert "Nothing open, nothing held: 100,000.00 USDT on both" in sides.text


async def test_a_broker_that_cannot_be_asked_is_not_asked() -> None:
    sides = Sides(flat_frame(view(answers=False)))
    async with sides.open() as pilot:
        assert "this broker cannot be asked" in sides.text
        await pilot.press("y")
    assert sides.engine.commands == []


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (200, 50)])
async def test_no_figure_is_cut_at_any_size(size: tuple[int, int]) -> None:
    sides = Sides(at="balance/USDT")
    async with sides.open(size) as pilot:
        for _ in range(8):
            assert "###" not in sides.text
            await pilot.press("up")
        await pilot.press("home")
        verdicts = [line for line in lines_of(sides.screen) if "web-7" in line]
        assert "external" in verdicts[0]


# --- one line -------------------------------------------------------------------------


class Settling:
    """The dialog of one line."""

    def __init__(
        self, key: str, frame: Frame | None = None, way: Resolution | None = None
    ) -> None:
        self.engine, self.fuse = FakeEngine(), Fuse()
        self.screen = ResolveScreen(
            frame or flat_frame(),
            self.engine.execute,
            INSTRUMENTS,
            key,
            touch,
            way=way,
            timer=self.fuse,
        )
        self.host = Host(self.screen)

    @asynccontextmanager
    async def open(self, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Hand]:
        async with self.host.run_test(size=size) as pilot:
            await pilot.pause()
            self.fuse.fire()
            await pilot.pause()
            yield pilot

    @property
    def text(self) -> str:
        return text_of(self.screen)

    async def choose(self, pilot: Hand, way: Resolution) -> None:
        self.screen.query_one("#way", ChoiceLine).value = way
        await pilot.pause()

    async def type(self, pilot: Hand, id: str, text: str) -> None:
        self.screen.query_one(f"#{id}", TextField).entry.value = text
        await pilot.pause()


BTC_MORE = view(balances=(balance_line("BTC", "0", "0.010"), agreeing()))


async def test_back_is_focused_and_esc_does_nothing() -> None:
    settling = Settling("balance/USDT")
    async with settling.open() as pilot:
        assert settling.screen.focused is settling.screen.query_one("#back")
        await pilot.press("escape")
    assert settling.engine.commands == []
    assert settling.host.answers == [None]


async def test_money_is_booked_with_the_difference_as_it_was_shown() -> None:
    settling = Settling("balance/USDT")
    async with settling.open() as pilot:
        assert "[ Book +250.00 USDT ]" in settling.text
        assert "differs here 100,000.00 venue 100,250.00" in settling.text
        await settling.type(pilot, "reason", "top up")
        settling.screen.query_one("#back").focus()
        await pilot.press("y")
    assert settling.engine.commands == [
        Resolve(
            kind=Subject.BALANCE,
            subject="USDT",
            resolution=R.ADOPT,
            difference=D(250),
            reason="top up",
            seen_seq=100,
        )
    ]
    assert len(settling.host.answers) == 1


async def test_to_ignore_waits_for_a_reason() -> None:
    settling = Settling("balance/USDT")
    async with settling.open() as pilot:
        await settling.choose(pilot, R.IGNORE)
        go = settling.screen.query_one("#go", Verb)
        assert not go.ready
        assert "required" in settling.text
        await settling.type(pilot, "reason", "a gift")
        assert go.ready
        assert "[ Ignore +250.00 USDT ]" in settling.text
        go.action_press()
    assert isinstance(settling.engine.last, Resolve)
    assert settling.engine.last.reason == "a gift"


async def test_a_position_has_the_mark_as_its_price_and_takes_another() -> None:
    settling = Settling("balance/BTC", flat_frame(BTC_MORE))
    async with settling.open() as pilot:
        assert "price" not in settling.text
        await settling.choose(pilot, R.ATTRIBUTE)
        price = settling.screen.query_one("#price", TextField)
        assert price.text == "61685.99"
        await settling.type(pilot, "price", "0")
        risk = settling.screen.query_one("#risk", Verb)
        assert not risk.ready
        assert "must be more than 0" in settling.text
        assert "Changes nothing yet" in settling.text
        await settling.type(pilot, "price", "61,000.00")
        assert "with 610.00 USDT put in for it" in settling.text
        settling.screen.query_one("#owner", ChoiceLine).value = "ema_cross"
        await pilot.pause()
        assert risk.ready
        assert "[ Give +0.010 BTC to ema_cross ]" in settling.text
        risk.action_press()
    assert settling.engine.last == Resolve(
        kind=Subject.BALANCE,
        subject="BTC",
        resolution=R.ATTRIBUTE,
        owner="ema_cross",
        instrument="BTCUSDT",
        price=D("61000.00"),
        difference=D("0.010"),
        seen_seq=100,
    )


async def test_letters_of_a_price_take_the_market_s() -> None:
    settling = Settling("balance/BTC", flat_frame(BTC_MORE))
    async with settling.open() as pilot:
        await settling.choose(pilot, R.ATTRIBUTE)
        price = settling.screen.query_one("#price", TextField)
        price.entry.focus()
        await pilot.press("a")
        assert price.text == "61686.00"
        await pilot.press("up")
        assert price.text == "61686.01"


async def test_an_order_is_given_to_a_strategy_and_a_cancel_can_be_preset() -> None:
    settling = Settling("order/web-7")
    async with settling.open() as pilot:
        await settling.choose(pilot, R.ATTRIBUTE)
        assert "becomes the entry of ema_cross" in settling.text
        settling.screen.query_one("#risk", Verb).action_press()
    assert isinstance(settling.engine.last, Resolve)
    assert settling.engine.last.owner == "ema_cross"
    assert settling.engine.last.price is None
    preset = Settling("order/web-7", way=R.CANCEL)
    async with preset.open():
        assert "[ Cancel 1 order ]" in preset.text


async def test_a_line_that_changes_behind_the_dialog_is_asked_about_anew() -> None:
    settling = Settling("balance/USDT")
    async with settling.open() as pilot:
        changed = view(balances=(balance_line(difference="-100"),))
        settling.screen.refresh_from(flat_frame(changed))
        await pilot.pause()
        assert "It is another now" in settling.text
        assert "Takes 100.00 USDT off the books" in settling.text
        assert not settling.screen.armed
        await pilot.press("y")
        assert settling.engine.commands == []
        settling.fuse.fire()
        await pilot.pause()
        assert settling.screen.query_one("#risk", Verb).ready
        settling.screen.refresh_from(flat_frame(view()))
        await pilot.pause()
        settling.fuse.fire()
        await pilot.pause()
        assert "nothing to settle here any more" in settling.text
        await pilot.press("y")
        assert settling.engine.commands == []


async def test_a_refusal_stays_with_the_sentence_of_what_is_there() -> None:
    settling = Settling("balance/USDT")
    settling.engine.refusal = "the difference in USDT is 100 now"
    async with settling.open() as pilot:
        await pilot.press("y")
        await pilot.pause()
        assert settling.host.answers == []
        assert "Refused: the difference in USDT is 100 now." in settling.text


async def test_a_position_of_the_venue_can_be_adopted() -> None:
    settling = Settling("position/external/ETHUSDT", scene_frame())
    async with settling.open() as pilot:
        assert "+0.020 ETHUSDT" in settling.text
        await pilot.press("y")
    assert settling.engine.last == Resolve(
        kind=Subject.POSITION, subject="ETHUSDT", resolution=R.ADOPT, seen_seq=100
    )
