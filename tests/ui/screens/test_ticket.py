"""The ticket and the amend dialog: what they show, check and send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static, TextArea

from tests.ui.fakes import preview
from tests.ui.screens.scenes import (
    BTC,
    STOP,
    TS,
    FakeEngine,
    Fuse,
    Host,
    frame,
    header,
    in_trade,
    lines_of,
    order,
    position,
    text_of,
)
from workstation.engine.frames import Frame
from workstation.engine.order_preview import Preview, Touch
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import OrderStatus, OrderType, TimeInForce
from workstation.model.timeframes import NS_PER_S
from workstation.ui.screens.amend import AmendScreen
from workstation.ui.screens.checked import CheckedRitual, TicketDesk
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.ticket import TicketScreen

D = Decimal


class Desk:
    """A fake engine that previews: every order passes until ``denial`` is set."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.asked: list[PlaceOrder | AmendOrder] = []
        self.found: dict[str, object] = {}
        self.gone = ""
        self.touched = Touch(61_685.99, 61_686.0, 61_685.5)

    def preview(self, command: PlaceOrder | AmendOrder) -> Preview:
        self.asked.append(command)
        if self.gone:
            raise CommandRefused(self.gone)
        return preview(**self.found)

    @property
    def desk(self) -> TicketDesk:
        return TicketDesk(self.engine.execute, self.preview, lambda _: self.touched)


def ticket(
    shown: Frame | None = None, instrument: Instrument = BTC, **rest: object
) -> tuple[Desk, Fuse, Host]:
    fake, fuse = Desk(), Fuse()
    screen = TicketScreen(
        shown or in_trade(),
        fake.desk,
        instrument,
        timer=fuse,
        **rest,  # type: ignore[arg-type]
    )
    return fake, fuse, Host(screen)


def amend(
    shown: Frame, order_id: str = "o-12", instrument: Instrument = BTC, **found: object
) -> tuple[Desk, Fuse, Host]:
    fake, fuse = Desk(), Fuse()
    fake.found = found
    screen = AmendScreen(shown, fake.desk, instrument, order_id, timer=fuse)
    return fake, fuse, Host(screen)


async def armed(pilot: Pilot[None], fuse: Fuse) -> None:
    await pilot.pause()
    fuse.fire()
    await pilot.pause()


@asynccontextmanager
async def opened(
    shown: Frame | None = None,
    instrument: Instrument = BTC,
    *,
    size: tuple[int, int] = (80, 24),
    **rest: object,
) -> AsyncIterator[tuple[Pilot[None], TicketScreen, Desk]]:
    """Open a ticket that can be sent."""
    fake, fuse, host = ticket(shown, instrument, **rest)
    async with host.run_test(size=size) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        yield pilot, screen, fake


async def put(pilot: Pilot[None], screen: CheckedRitual, id: str, text: str) -> None:
    screen.query_one(f"#{id}", TextField).entry.value = text
    await pilot.pause()


async def pick(pilot: Pilot[None], screen: CheckedRitual, id: str, value: str) -> None:
    screen.query_one(f"#{id}", ChoiceLine).value = value
    await pilot.pause()


def go(screen: CheckedRitual) -> Verb:
    return screen.query_one("#go", Verb)


async def test_a_ticket_begins_at_the_best_bid_with_back_focused() -> None:
    async with opened() as (_, screen, fake):
        assert screen.focused is screen.query_one("#back")
        assert screen.form.price == "61685.99"
        assert "a quantity is missing" in text_of(screen)
        assert not go(screen).ready
        assert fake.asked == []
        assert " bid 61,685.99 ask 61,686.00 last 61,685.50 " in text_of(screen)
        assert "pos +1.000" in text_of(screen)


async def test_what_is_typed_is_checked_and_sent_with_what_was_seen() -> None:
    fake, fuse, host = ticket()
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await put(pilot, screen, "price", "61680")
        await put(pilot, screen, "size", "0.1")
        await put(pilot, screen, "stop", "60000")
        assert go(screen).label == "Buy 0.100 BTCUSDT at 61,680.00"
        shown = text_of(screen)
        for text in (
            "value 6,168.00 USDT fee 0.93 resting 2.78 taking",
            "operator 0.000 to +0.100 BTC account +1.000 to +1.100 BTC",
            "✓ risk: passes",
            "Buys 0.100 BTCUSDT at 61,680.00 or better, until canceled; stop "
            "60,000.00 protects what it fills, held here.",
        ):
            assert text in shown
        assert go(screen).ready
        screen.action_go()
        await pilot.pause()
    wanted = PlaceOrder(
        instrument="BTCUSDT",
        side=Side.BUY,
        quantity=D("0.1"),
        order_type=OrderType.LIMIT,
        price=D(61_680),
        stop=D(60_000),
        seen_seq=100,
    )
    assert fake.engine.commands == [wanted]
    assert fake.asked[-1] == wanted
    assert host.answers


async def test_every_frame_is_checked_and_a_denial_takes_the_verb_away() -> None:
    async with opened(side=Side.SELL) as (pilot, screen, fake):
        await put(pilot, screen, "size", "0.1")
        assert go(screen).ready
        rows = lines_of(screen)
        asked = len(fake.asked)
        fake.found = {"code": "HOLD", "denial": "the operator holds new entries"}
        screen.refresh_from(in_trade(seq=101))
        await pilot.pause()
        assert len(fake.asked) > asked
        assert "✗ HOLD: the operator holds new entries" in text_of(screen)
        assert not go(screen).ready
        screen.action_go()
        assert fake.engine.commands == []
        # Nothing has moved: the verbs stand where they stood.
        now = lines_of(screen)
        assert [r for r in range(24) if "[ Back ]" in now[r]] == [
            r for r in range(24) if "[ Back ]" in rows[r]
        ]
        fake.found = {}
        screen.refresh_from(in_trade(seq=102))
        await pilot.pause()
        assert go(screen).ready


async def test_what_stands_against_an_order_is_said_rather_than_that_it_changed() -> (
    None
):
    async with opened() as (pilot, screen, fake):
        await put(pilot, screen, "size", "0.1")
        fake.found = {"code": "KILLED", "denial": "killed at cancel"}
        screen.refresh_from(
            msgspec.structs.replace(in_trade(seq=150), positions=(position("2"),))
        )
        await pilot.pause()
        assert "✗ KILLED: killed at cancel" in text_of(screen)
        assert "read again what is shown" not in text_of(screen)


async def test_a_change_behind_the_ticket_asks_again() -> None:
    fake, fuse, host = ticket()
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await put(pilot, screen, "size", "0.1")
        screen.refresh_from(in_trade(seq=140))
        await pilot.pause()
        # Nothing that counts has changed: what is shown now is what was seen.
        assert screen.armed
        assert screen.seen_seq == 140
        changed = in_trade(seq=150)
        screen.refresh_from(
            msgspec.structs.replace(changed, positions=(position("2"),))
        )
        await pilot.pause()
        assert not screen.armed
        assert screen.seen_seq == 150
        assert "read again what is shown" in text_of(screen)
        screen.action_go()
        assert fake.engine.commands == []
        fuse.fire()
        await pilot.pause()
        screen.action_go()
        await pilot.pause()
    sent = fake.engine.last
    assert isinstance(sent, PlaceOrder)
    assert sent.seen_seq == 150


async def test_a_refusal_stays_where_the_verdict_stood_until_something_is_typed() -> (
    None
):
    fake, fuse, host = ticket()
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await put(pilot, screen, "size", "0.1")
        fake.engine.refusal = "orders of BTCUSDT changed; look again and repeat"
        screen.action_go()
        await pilot.pause()
        assert "Refused: orders of BTCUSDT changed" in text_of(screen)
        assert not screen.armed
        screen.refresh_from(in_trade(seq=200))
        await pilot.pause()
        assert "Refused" in text_of(screen)
        await put(pilot, screen, "size", "0.2")
        assert "Refused" not in text_of(screen)
        assert host.answers == []


@pytest.mark.parametrize(
    ("key", "price"),
    [
        ("b", "61685.90"),
        ("m", "61686.00"),
        ("a", "61686.10"),
        ("up", "61680.01"),
        ("down", "61679.99"),
    ],
)
async def test_keys_in_a_price_take_the_market_or_move_by_a_tick(
    key: str, price: str
) -> None:
    fake, fuse, host = ticket(at=D(61_680))
    fake.touched = Touch(61_685.9, 61_686.1, 61_685.5)
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        assert screen.form.price == "61680"
        screen.query_one("#price", TextField).entry.focus()
        await pilot.press(key)
        assert screen.form.price == price


async def test_the_letters_of_a_price_do_nothing_without_a_market() -> None:
    fake, fuse, host = ticket()
    fake.touched = Touch(None, None, None)
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        screen.query_one("#stop", TextField).entry.focus()
        await pilot.press("b", "m", "a", "5")
        assert screen.form.stop == "5"


async def test_a_size_by_mode_shows_the_quantity_it_comes_to() -> None:
    async with opened(at=D(61_680)) as (pilot, screen, fake):
        await pick(pilot, screen, "mode", "equity")
        await put(pilot, screen, "size", "5")
        assert "% of equity = 0.081 BTC" in text_of(screen)
        await pick(pilot, screen, "mode", "notional")
        await put(pilot, screen, "size", "10000")
        assert "USDT = 0.162 BTC" in text_of(screen)
        screen.query_one("#size", TextField).entry.focus()
        await pilot.press("up")
        assert screen.form.size == "10100"
        await pick(pilot, screen, "mode", "risk")
        assert "needs a stop away from the price" in text_of(screen)
        await put(pilot, screen, "size", "1")
        await put(pilot, screen, "stop", "61000")
        assert "= 1.476 BTC" in text_of(screen)
        sent = fake.asked[-1]
        assert isinstance(sent, PlaceOrder)
        assert sent.quantity == D("1.476")


async def test_the_type_offers_only_what_goes_with_it() -> None:
    async with opened() as (pilot, screen, _):
        await put(pilot, screen, "size", "0.1")
        force = screen.query_one("#force", ChoiceLine)
        only = screen.query_one("#only", ChoiceLine)
        await pick(pilot, screen, "force", "GTD")
        assert screen.query_one("#span").display
        await put(pilot, screen, "span", "x")
        assert "a count and a unit" in text_of(screen)
        assert "for: a count and a unit" in screen.missing()
        await put(pilot, screen, "span", "15m")
        assert "or better, until 2024-08-09 00:10:12 UTC." in text_of(screen)
        await pick(pilot, screen, "type", "market")
        assert force.options == ("GTC", "IOC", "FOK")
        assert only.options == ("no", "reduce")
        assert not screen.query_one("#span").display
        assert go(screen).label == "Buy 0.100 BTCUSDT at market"
        order = screen.command()
        assert order is not None
        assert order.time_in_force is TimeInForce.GTC
        await pick(pilot, screen, "side", "sell")
        await pick(pilot, screen, "only", "reduce")
        assert "only to close what the operator holds" in text_of(screen)
        assert go(screen).label == "Sell 0.100 BTCUSDT at market"


async def test_f2_shows_the_order_as_json_that_can_be_written() -> None:
    async with opened(at=D(61_680)) as (pilot, screen, fake):
        await put(pilot, screen, "size", "0.1")
        await pilot.press("f2")
        await pilot.pause()
        area = screen.query_one("#raw", TextArea)
        assert screen.focused is area
        assert '"price":"61680"' in area.text
        area.text = area.text.replace('"quantity":"0.1"', '"quantity":"0.3"')
        await pilot.pause()
        assert go(screen).label == "Buy 0.300 BTCUSDT at 61,680.00"
        area.text = "{"
        await pilot.pause()
        assert "not JSON" in text_of(screen)
        assert not go(screen).ready
        area.text = '{"instrument": "ETHUSDT", "side": "buy", "quantity": "1"}'
        await pilot.pause()
        assert "this ticket is for BTCUSDT" in text_of(screen)
        await pilot.press("f2")
        await pilot.pause()
        assert go(screen).label == "Buy 0.100 BTCUSDT at 61,680.00"
    assert fake.engine.commands == []


@pytest.mark.parametrize("size", [(79, 23), (60, 15), (40, 10)])
async def test_a_small_terminal_still_says_what_is_sent_and_what_is_denied(
    size: tuple[int, int],
) -> None:
    fake, fuse, host = ticket(at=D(61_680))
    async with host.run_test(size=size) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await put(pilot, screen, "size", "0.1")
        lines = lines_of(screen)
        assert "Buys 0.100 BTCUSDT at 61,680.00 or better" in text_of(screen)
        assert any("[ Buy 0.100 at 61,680.00 ]" in line for line in lines)
        fake.found = {"code": "HOLD", "denial": "the operator holds new entries"}
        screen.rewrite()
        await pilot.pause()
        assert "✗ HOLD: the operator holds new entries" in text_of(screen)
        assert any("[ Back ]" in line for line in lines_of(screen))
        # All fields can be reached: the one in focus is in sight.
        screen.query_one("#target", TextField).entry.focus()
        await pilot.wait_for_scheduled_animations()
        assert any("target" in line for line in lines_of(screen))


async def test_a_ticket_says_from_the_first_picture_on_what_there_is_room_for() -> None:
    wrong = "Sends nothing yet: size: a quantity is missing."
    async with opened(size=(40, 10)) as (pilot, screen, _):
        assert sentence_of(screen) == wrong
        await pilot.resize_terminal(120, 40)
        assert sentence_of(screen) == "Sends nothing yet."
        await pilot.resize_terminal(40, 10)
        assert sentence_of(screen) == wrong
        assert screen.query_one("#sentence").size.height == 2


# --- what is read is what is sent -----------------------------------------------------


def sentence_of(screen: CheckedRitual) -> str:
    return str(screen.query_one("#sentence", Static).content)


async def test_sentence_button_and_order_follow_the_equity_together() -> None:
    async with opened(at=D(61_680)) as (pilot, screen, fake):
        await pick(pilot, screen, "mode", "risk")
        await put(pilot, screen, "size", "1")
        await put(pilot, screen, "stop", "61000")
        assert "Buys 1.476 BTCUSDT" in sentence_of(screen)
        rich = header(equity=D(120_000))
        screen.refresh_from(in_trade(seq=120, header=rich))
        await pilot.pause()
        assert "Buys 1.764 BTCUSDT" in sentence_of(screen)
        assert go(screen).label == "Buy 1.764 BTCUSDT at 61,680.00"
        assert screen.armed
        screen.action_go()
        await pilot.pause()
    sent = fake.engine.last
    assert isinstance(sent, PlaceOrder)
    assert (sent.quantity, sent.seen_seq) == (D("1.764"), 120)
    assert fake.asked[-1] == sent


async def test_the_end_of_an_order_is_the_one_that_was_read() -> None:
    async with opened(at=D(61_680)) as (pilot, screen, fake):
        await put(pilot, screen, "size", "0.1")
        await pick(pilot, screen, "force", "GTD")
        assert "until 2024-08-09 00:00:12 UTC" in sentence_of(screen)
        later = TS + 90 * NS_PER_S
        screen.refresh_from(in_trade(seq=130, ts=later))
        await pilot.pause()
        assert "until 00:01:42 UTC" not in sentence_of(screen)
        assert "until 2024-08-09 00:01:42 UTC" in sentence_of(screen)
        screen.action_go()
        await pilot.pause()
    sent = fake.engine.last
    assert isinstance(sent, PlaceOrder)
    assert sent.expires_ns == later + 300 * NS_PER_S


async def test_a_market_that_moves_between_frames_changes_nothing_sent() -> None:
    async with opened() as (pilot, screen, fake):
        await pick(pilot, screen, "type", "market")
        await pick(pilot, screen, "mode", "notional")
        await put(pilot, screen, "size", "10000")
        assert go(screen).label == "Buy 0.162 BTCUSDT at market"
        # The engine is ahead of the screen until the next frame.
        fake.touched = Touch(50_000.0, 50_000.01, 50_000.0)
        screen.action_go()
        await pilot.pause()
    sent = fake.engine.last
    assert isinstance(sent, PlaceOrder)
    assert sent.quantity == D("0.162")


async def test_a_sentence_that_gets_shorter_with_a_frame_moves_no_button() -> None:
    async with opened(at=D(61_680)) as (pilot, screen, _):
        await pick(pilot, screen, "mode", "risk")
        await put(pilot, screen, "size", "1")
        await put(pilot, screen, "stop", "61679.99")

        def back() -> int:
            rows = lines_of(screen)
            return next(at for at, row in enumerate(rows) if "[ Back ]" in row)

        row = back()
        assert screen.query_one("#sentence").size.height == 2
        screen.refresh_from(in_trade(seq=120, header=header(equity=D("0.0001"))))
        await pilot.pause()
        assert sentence_of(screen) == "Sends nothing yet."
        assert back() == row


# --- a warning where it is needed -----------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (79, 23), (120, 40)])
async def test_a_post_only_order_that_would_take_is_told_as_refused(
    size: tuple[int, int],
) -> None:
    fake, fuse, host = ticket(side=Side.SELL, at=D("61685.99"))
    fake.found = {
        "takes": D("0.050"),
        "open": D("0.050"),
        "take_price": 61_685.99,
        "crosses": True,
        "away_bps": 0.0,
    }
    async with host.run_test(size=size) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await put(pilot, screen, "size", "0.05")
        await pick(pilot, screen, "only", "post")
        shown = text_of(screen)
        assert "! the venue refuses it: post-only, and it would take at once" in shown
        assert "risk: passes" not in shown
        assert "takes all" not in shown
        # The risk stage lets it through: the market may have moved when it is there.
        assert go(screen).ready


@pytest.mark.parametrize("size", [(80, 24), (79, 23)])
@pytest.mark.parametrize("way", ["y", "enter"])
async def test_y_on_a_ticket_that_is_denied_says_why_in_place(
    size: tuple[int, int], way: str
) -> None:
    fake, fuse, host = ticket()
    async with host.run_test(size=size) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)

        async def press() -> None:
            (go(screen) if way == "enter" else screen.query_one("#back")).focus()
            await pilot.press(way)
            await pilot.pause()

        await press()
        assert "✗ not sent: size: a quantity is missing" in text_of(screen)
        await put(pilot, screen, "size", "0.1")
        assert "not sent" not in text_of(screen)
        fake.found = {"code": "HOLD", "denial": "the operator holds new entries"}
        screen.refresh_from(in_trade(seq=101))
        await press()
        said = "✗ not sent: HOLD: the operator holds new entries"
        assert said in text_of(screen)
        screen.refresh_from(in_trade(seq=102))
        await pilot.pause()
        assert said in text_of(screen)
        # Once it passes there is nothing left to explain.
        fake.found = {}
        screen.refresh_from(in_trade(seq=103))
        await pilot.pause()
        assert "not sent" not in text_of(screen)
        assert fake.engine.commands == []


async def test_y_before_a_ticket_could_be_read_says_nothing() -> None:
    _, _, host = ticket()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        screen.action_go()
        await pilot.pause()
        assert "not sent" not in text_of(screen)


# --- the fields -----------------------------------------------------------------------


async def test_a_price_that_nobody_touched_follows_the_side() -> None:
    async with opened() as (pilot, screen, fake):
        assert screen.form.price == "61685.99"
        await pick(pilot, screen, "side", "sell")
        assert screen.form.price == "61686.00"
        # The market moves on; the price stands until the side is changed again.
        fake.touched = Touch(61_690.0, 61_690.01, 61_690.0)
        screen.refresh_from(in_trade(seq=101))
        await pilot.pause()
        assert screen.form.price == "61686.00"
        await pick(pilot, screen, "side", "buy")
        assert screen.form.price == "61690.00"
        await put(pilot, screen, "price", "61689")
        await pick(pilot, screen, "side", "sell")
        assert screen.form.price == "61689"


async def test_a_price_that_was_typed_over_and_back_is_left_alone() -> None:
    async with opened() as (pilot, screen, _):
        await put(pilot, screen, "price", "61685")
        await put(pilot, screen, "price", "61685.99")
        await pick(pilot, screen, "side", "sell")
        assert screen.form.price == "61685.99"


async def test_a_price_of_the_book_stays_on_either_side() -> None:
    async with opened(at=D("61685.99")) as (pilot, screen, _):
        await pick(pilot, screen, "side", "sell")
        assert screen.form.price == "61685.99"


async def test_all_four_types_are_seen_at_80_columns() -> None:
    _, fuse, host = ticket()
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert "type [limit] market stop stop-limit" in text_of(screen)


@pytest.mark.parametrize(
    ("kind", "remark"),
    [
        ("market", "not used: takes what is there"),
        ("stop", "not used: at market once it is met"),
    ],
)
async def test_a_price_that_is_not_used_says_so(kind: str, remark: str) -> None:
    async with opened() as (pilot, screen, _):
        await pick(pilot, screen, "type", kind)
        entry = screen.query_one("#price", TextField).entry
        line = next(row for row in lines_of(screen) if row.startswith("  price"))
        assert remark in line
        assert entry.styles.text_style.strike
        await pick(pilot, screen, "type", "limit")
        assert not entry.styles.text_style.strike
        assert screen.form.price == "61685.99"


async def test_several_lines_are_not_taken_for_the_first_of_them() -> None:
    _, fuse, host = ticket()
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        entry = screen.query_one("#size", TextField).entry
        entry.focus()
        await pilot.pause()
        host.post_message(events.Paste("0.1\n0.2\n"))
        await pilot.pause()
        assert screen.form.size == ""
        assert "2 lines were pasted: one belongs here" in text_of(screen)
        host.post_message(events.Paste("\n0.3\n"))
        await pilot.pause()
        assert screen.form.size == "0.3"
        assert "lines were pasted" not in text_of(screen)


async def test_up_leaves_what_is_no_number_as_it_was_typed() -> None:
    async with opened() as (pilot, screen, _):
        await put(pilot, screen, "size", "0,5")
        screen.query_one("#size", TextField).entry.focus()
        await pilot.press("up")
        assert screen.form.size == "0,5"


async def test_a_plain_size_says_what_its_stop_costs_and_its_target_brings() -> None:
    async with opened(at=D(61_680)) as (pilot, screen, _):
        await put(pilot, screen, "stop", "61000")
        assert "held here once it fills" in text_of(screen)
        await put(pilot, screen, "size", "0.1")
        await put(pilot, screen, "target", "63000")
        shown = text_of(screen)
        assert "−68.00 USDT, held here once it fills" in shown
        assert "+132.00 USDT, 1.9 × the risk" in shown


# --- amend ----------------------------------------------------------------------------


def entry(quantity: str = "1") -> Frame:
    return frame(orders=(order(quantity=quantity),))


async def test_an_amend_begins_as_the_order_is_and_sends_what_was_changed() -> None:
    fake, fuse, host = amend(entry())
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        assert screen.focused is screen.query_one("#back")
        assert "Amend BTCUSDT buy entry 12 of ema_cross" in text_of(screen)
        assert " BTCUSDT limit 61,600.00 accepted bid 61,685.99 " in text_of(screen)
        assert "it is as it is now" in text_of(screen)
        assert not go(screen).ready
        await put(pilot, screen, "price", "61610")
        await put(pilot, screen, "quantity", "1.5")
        assert go(screen).label == "Amend to 1.500 at 61,610.00"
        assert (
            "Buy 1.000 at 61,600.00 becomes 1.500 at 61,610.00; goes to the end of the "
            "queue." in text_of(screen)
        )
        screen.action_go()
        await pilot.pause()
    assert fake.engine.commands == [
        AmendOrder(
            order_id="o-12",
            quantity=D("1.5"),
            price=D(61_610),
            reason="amended by the operator",
            seen_seq=100,
        )
    ]
    assert host.answers


async def test_less_of_the_same_may_keep_its_place() -> None:
    _, fuse, host = amend(entry(), keeps_queue=True)
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        await put(pilot, screen, "quantity", "0.5")
        assert "keeps its place in the queue where the venue grants that" in text_of(
            screen
        )


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        ("price", "61600.005", "not on tick 0.01: 61,600.00 is"),
        ("quantity", "", "a quantity is missing"),
        ("quantity", "0.0001", "less than a lot of 0.001"),
    ],
)
async def test_an_error_of_an_amend_stands_beside_its_field(
    field: str, text: str, error: str
) -> None:
    fake, fuse, host = amend(entry())
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        await put(pilot, screen, field, text)
        line = next(row for row in lines_of(screen) if row.strip().startswith(field))
        assert error in line
        assert not go(screen).ready
    assert fake.asked == []


async def test_a_held_stop_is_moved_and_a_looser_one_says_so() -> None:
    fake, fuse, host = amend(frame(orders=(STOP,), positions=(position(),)), "o-13")
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        assert screen.query_one("#quantity", TextField).entry.disabled
        await put(pilot, screen, "price", "60000")
        assert go(screen).label == "Move stop to 60,000.00"
        assert (
            "Moves the stop of ema_cross from 60,452.00 to 60,000.00, which risks "
            "more: it is looser." in text_of(screen)
        )
        await put(pilot, screen, "price", "60500")
        assert "which risks less." in text_of(screen)
        screen.action_go()
        await pilot.pause()
    sent = fake.engine.last
    assert isinstance(sent, AmendOrder)
    assert (sent.order_id, sent.price, sent.quantity) == ("o-13", D(60_500), D(1))


async def test_an_order_that_is_gone_is_said_and_cannot_be_amended() -> None:
    fake, fuse, host = amend(entry())
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        await put(pilot, screen, "price", "61610")
        fake.gone = "order o-12 is not known"
        screen.refresh_from(frame(seq=130))
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        screen.edited()
        await pilot.pause()
        assert "✗ order o-12 is not known" in text_of(screen)
        assert not go(screen).ready


# --- the kill banner in dialogs -------------------------------------------------------


async def test_a_kill_is_said_in_a_dialog_without_moving_anything() -> None:
    async with opened() as (pilot, screen, _):
        before = lines_of(screen)
        killed = header(
            kill="cancel",
            kill_reason="too fast",
            kill_since_ns=header().ts,
            word="KILLED",
        )
        screen.refresh_from(in_trade(seq=101, header=killed))
        await pilot.pause()
        after = lines_of(screen)
        assert after[3].split("  ")[:2] == [
            " KILLED (cancel)",
            "since 23:55:12 UTC, 0:00: too fast",
        ]
        assert after[3].endswith("ctrl+k re-arms ")
        assert before[3].strip() == ""
        assert after[4:] == before[4:]


BOUNDED = msgspec.structs.replace(
    BTC, min_quantity=D("0.01"), max_quantity=D("0.5"), market_max_quantity=D("0.2")
)


async def test_a_ticket_shows_what_one_order_may_be_and_refuses_more() -> None:
    async with opened(instrument=BOUNDED) as (pilot, screen, _):
        await put(pilot, screen, "size", "0.5")
        assert "BTC, lot 0.001, 0.01 to 0.5" in text_of(screen)
        assert go(screen).ready
        await put(pilot, screen, "size", "0.501")
        assert "at most 0.5 in one order" in text_of(screen)
        assert not go(screen).ready
        await pick(pilot, screen, "type", "market")
        await put(pilot, screen, "size", "0.2")
        assert "BTC, lot 0.001, 0.01 to 0.2" in text_of(screen)
        assert go(screen).ready


async def test_an_amend_shows_what_one_order_may_be_but_not_of_a_stop() -> None:
    _, fuse, host = amend(entry("0.3"), instrument=BOUNDED)
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        assert "BTC, lot 0.001, 0.01 to 0.5" in text_of(screen)
        await put(pilot, screen, "quantity", "0.501")
        assert "at most 0.5 in one order" in text_of(screen)
    held = frame(orders=(STOP,), positions=(position(),))
    _, fuse, host = amend(held, "o-13", instrument=BOUNDED)
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        await put(pilot, screen, "price", "")
        assert screen.missing() == "stop: a price is missing"
        await put(pilot, screen, "price", "60500")
        assert screen.command() is not None


async def test_a_stop_is_chosen_by_keys_and_asks_for_its_trigger() -> None:
    fake, fuse, host = ticket(at=D(61_680))
    fake.found = {"waits": True, "held": True, "takes": None}
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        trigger = screen.query_one("#trigger", TextField)
        assert not trigger.display
        screen.query_one("#type").focus()
        await pilot.press("right", "right")
        assert screen.form.order_type is OrderType.STOP
        assert trigger.display
        assert screen.query_one("#price", TextField).entry.disabled
        assert screen.query_one("#force", ChoiceLine).options == ("GTC", "GTD")
        assert screen.query_one("#only", ChoiceLine).options == ("no", "reduce")
        await put(pilot, screen, "size", "0.1")
        assert "a price is missing, above the ask" in text_of(screen)
        await pick(pilot, screen, "side", "sell")
        assert "a price is missing, below the bid" in text_of(screen)
        await pick(pilot, screen, "side", "buy")
        # The trigger comes next; the market's letters work in it too.
        await pilot.press("tab", "a", "up")
        assert screen.form.trigger == "61686.01"
        shown = text_of(screen)
        for text in (
            "waits for it, above the ask",
            "waits here: it stops working when the engine stops",
            "Buys 0.100 BTCUSDT at market once 61,686.01 is met, until canceled.",
            "Buy 0.100 BTCUSDT at market once 61,686.01 is met ]",
        ):
            assert text in shown
        go(screen).focus()
        await pilot.pause()
        await pilot.press("enter")
    assert fake.engine.last == PlaceOrder(
        instrument="BTCUSDT",
        side=Side.BUY,
        quantity=D("0.1"),
        order_type=OrderType.STOP,
        trigger=D("61686.01"),
        seen_seq=100,
    )


@pytest.mark.parametrize("size", [(80, 24), (60, 22), (120, 40)])
async def test_a_stop_limit_with_all_its_fields_fits_with_its_verbs(
    size: tuple[int, int],
) -> None:
    fake, fuse, host = ticket(at=D(62_010))
    fake.found = {"waits": True, "held": True, "takes": None, "away_bps": -512.25}
    async with host.run_test(size=size) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await pick(pilot, screen, "type", "stop_limit")
        await pick(pilot, screen, "force", "GTD")
        for id, text in (
            ("trigger", "62000"),
            ("size", "0.1"),
            ("stop", "61000"),
            ("target", "63000"),
        ):
            await put(pilot, screen, id, text)
        shown = text_of(screen)
        assert "[ Back ]" in shown
        assert "at 62,010.00 once 62,000.00 is met ]" in shown
        assert "it stops working when the engine stops" in shown


async def test_a_stop_that_the_venue_keeps_says_so() -> None:
    fake, fuse, host = ticket()
    fake.found = {"waits": True, "held": False, "takes": None}
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, TicketScreen)
        await pick(pilot, screen, "type", "stop")
        await pick(pilot, screen, "side", "sell")
        await put(pilot, screen, "size", "0.1")
        await put(pilot, screen, "trigger", "61000")
        shown = text_of(screen)
        assert "waits for it, below the bid" in shown
        assert "waits at the venue until its trigger is met" in shown
        assert "engine stops" not in shown


def waiting(price: str | None = None, *, held: bool = True) -> Frame:
    """Return a frame with a buy stop of the operator at 62,000."""
    row = order("o-15", owner="operator", price="62000.00")
    kind = OrderType.STOP if price is None else OrderType.STOP_LIMIT
    changed = msgspec.structs.replace(
        row.order,
        type=kind,
        price=None if price is None else D(price),
        trigger=D(62_000),
        status=OrderStatus.HELD if held else OrderStatus.ACCEPTED,
    )
    return frame(orders=(msgspec.structs.replace(row, order=changed, held=held),))


async def test_a_held_stop_limit_is_amended_in_trigger_price_and_quantity() -> None:
    fake, fuse, host = amend(
        waiting("62010"), "o-15", waits=True, held=True, takes=None
    )
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        assert "it is as it is now" in text_of(screen)
        assert screen.query_one("#trigger", TextField).text == "62000"
        assert screen.query_one("#price", TextField).text == "62010"
        screen.query_one("#trigger", TextField).entry.focus()
        await pilot.press("up")
        assert screen.query_one("#trigger", TextField).text == "62000.01"
        await put(pilot, screen, "trigger", "62100.001")
        assert "trigger: not on tick" in text_of(screen)
        await put(pilot, screen, "trigger", "62100")
        await put(pilot, screen, "price", "62120")
        await put(pilot, screen, "quantity", "2")
        assert go(screen).label == "Amend to 2.000 at 62,120.00 once 62,100.00 is met"
        assert (
            "Buy 1.000 at 62,010.00 once 62,000.00 is met becomes 2.000 at 62,120.00 "
            "once 62,100.00 is met; it goes on waiting here." in text_of(screen)
        )
        go(screen).focus()
        await pilot.pause()
        await pilot.press("enter")
    sent = fake.engine.last
    assert isinstance(sent, AmendOrder)
    assert (sent.quantity, sent.price, sent.trigger) == (D(2), D(62_120), D(62_100))


async def test_a_stop_at_the_venue_has_no_price_to_amend() -> None:
    _, fuse, host = amend(
        waiting(held=False), "o-15", waits=True, held=False, takes=None
    )
    async with host.run_test(size=(80, 24)) as pilot:
        await armed(pilot, fuse)
        screen = host.dialog
        assert isinstance(screen, AmendScreen)
        assert not screen.query("#price")
        await put(pilot, screen, "trigger", "62100")
        assert "it goes on waiting at the venue." in text_of(screen)
        sent = screen.command()
    assert sent is not None
    assert (sent.price, sent.trigger) == (None, D(62_100))
