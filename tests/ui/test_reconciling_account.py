"""``j`` on a real simulated account: every way to settle, and what the engine has then.

The venue's side is changed as in a rehearsal: by transfers and orders by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.engine.runs import SMALL, with_script
from tests.strategy.fakes import write_script
from tests.ui import fakes
from tests.ui.screens.sides import view
from tests.ui.test_app import footer
from tests.ui.test_app import text_of as painted
from tests.ui.test_keys_act import settle
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.model.commands import Command, Inject, Reconcile
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.reconciliation import (
    BalanceLine,
    ReconciliationView,
    Resolution,
    Verdict,
)
from workstation.model.rehearsal import HandOrder, Happening, Transfer
from workstation.model.states import SymbolState
from workstation.ui.app import WorkstationApp
from workstation.ui.bridge import MOST_QUEUED
from workstation.ui.screens.alerts import AlertsScreen
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.reconciliation import ReconciliationScreen
from workstation.ui.screens.resolve import ResolveScreen
from workstation.ui.screens.ritual import Ritual, Verb
from workstation.ui.widgets.section_table import SectionTable

D = Decimal
R = Resolution
CONFIRM_NS = 100_000_000
NAME = "BTCUSDT"


@asynccontextmanager
async def account(
    tmp_path: Path, *events: Happening, read_only: bool = False
) -> AsyncIterator[tuple[WorkstationApp, Pilot[int], Session]]:
    """Open the screen on a paused run that trades nothing, after these happenings."""
    script = write_script(tmp_path, detect="return None")
    overrides = (*SMALL, *with_script(script), "reconciliation.confirm_ms=100")
    config = fakes.config(*overrides)
    session = assemble_session(config.run, journal=False, paused=True)
    for _ in range(200):
        assert session.driver.step()
    for event in events:
        do(session, Inject(event=event))
    compare(session)
    app = WorkstationApp(
        config,
        session=session,
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
        read_only=read_only,
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        yield app, pilot, session


def text_of(app: WorkstationApp) -> str:
    """Return what is shown, its lines joined: sentences are wrapped."""
    return " ".join(painted(app).split())


def do(session: Session, command: Command) -> None:
    outcome = session.execute(command)
    assert outcome.accepted, outcome.detail


@contextmanager
def backed_up(app: WorkstationApp) -> Iterator[None]:
    """Let no frame reach the screen but those that an answer brings."""
    usual = app.bridge._backlog
    app.bridge._backlog = lambda: MOST_QUEUED + 1
    yield
    app.bridge._backlog = usual


def go_on(session: Session, ns: int = 2 * CONFIRM_NS) -> None:
    due = session.engine.clock.now() + ns
    while session.engine.clock.now() < due:
        assert session.driver.step()


def compare(session: Session) -> None:
    """Ask, and once more after the time that a fill may need."""
    for _ in range(2):
        go_on(session)
        do(session, Reconcile())


def sides(session: Session) -> ReconciliationView:
    found = session.frame(0, frozenset({"reconciliation"})).reconciliation
    assert found is not None
    return found


def balance(session: Session, currency: str) -> BalanceLine:
    return next(b for b in sides(session).balances if b.currency == currency)


def deposit(amount: str, currency: str = "USDT") -> Transfer:
    return Transfer(currency=currency, amount=D(amount))


def resting() -> HandOrder:
    """Return a buy far below the market."""
    return HandOrder(
        instrument=NAME, side=Side.BUY, quantity=D("0.010"), price=D("55000.00")
    )


def taking(side: Side = Side.BUY) -> HandOrder:
    return HandOrder(instrument=NAME, side=side, quantity=D("0.010"))


async def open_line(app: WorkstationApp, pilot: Pilot[int], key: str) -> ResolveScreen:
    """Press j, go to a row, and open its dialog."""
    await pilot.press("j")
    await settle(pilot)
    screen = app.screen
    assert isinstance(screen, ReconciliationScreen)
    table = screen.query_one(SectionTable)
    for _ in range(20):
        if table.cursor_key == key:
            break
        await pilot.press("down")
    assert table.cursor_key == key
    await pilot.press("enter")
    await settle(pilot)
    assert isinstance(app.screen, ResolveScreen)
    # From here on a test arms, not the time that passes.
    app.screen._timer = lambda seconds, arm: None
    app.screen.arm()
    await pilot.pause()
    return app.screen


async def choose(
    pilot: Pilot[int], screen: ResolveScreen, way: Resolution, owner: str = ""
) -> None:
    screen.query_one("#way", ChoiceLine).value = way
    await pilot.pause()
    if owner:
        screen.query_one("#owner", ChoiceLine).value = owner
        await pilot.pause()


async def press_verb(pilot: Pilot[int], screen: ResolveScreen) -> None:
    screen.query_one("#back", Verb).focus()
    await pilot.pause()
    await pilot.press("y")
    await settle(pilot)


async def test_j_shows_both_sides_and_esc_closes(tmp_path: Path) -> None:
    async with account(tmp_path) as (app, pilot, session):
        await pilot.press("j")
        await settle(pilot)
        assert isinstance(app.screen, ReconciliationScreen)
        assert "Nothing open, nothing held: 100,000.00 USDT on both" in text_of(app)
        assert "all agree" in text_of(app)
        await pilot.press("escape")
        await settle(pilot)
        assert app.open_ritual() is None
        assert session.control.by_hand == 2, "looking is no command"


async def test_a_rehearsal_from_the_inject_form_to_books_that_agree(
    tmp_path: Path,
) -> None:
    async with account(tmp_path) as (app, pilot, session):
        before = session.frame(0, frozenset()).header
        await pilot.press("2", "tab", "i")
        await settle(pilot)
        form = app.screen
        assert isinstance(form, InjectScreen)
        form.query_one("#kind", ChoiceLine).value = "Transfer"
        await settle(pilot)
        form.query_one("#in-amount", TextField).entry.value = "-250.50"
        await pilot.pause()
        assert "250.50 USDT leaves the account at the venue" in text_of(app)
        form.arm()
        form.query_one("#back", Verb).focus()
        await pilot.press("y", "1", "j")
        await settle(pilot)
        assert isinstance(app.screen, ReconciliationScreen)
        app.screen.arm()
        await pilot.press("y")
        await settle(pilot)
        assert "asking" in text_of(app)
        go_on(session)
        await pilot.press("y")
        await settle(pilot)
        assert "−250.50" in text_of(app)
        assert "1 to settle" in text_of(app)
        await pilot.press("escape")
        screen = await open_line(app, pilot, "balance/USDT")
        assert "Equity falls by 250.50" in text_of(app)
        await press_verb(pilot, screen)
        assert isinstance(app.screen, ReconciliationScreen)
        assert "250.5 USDT went out; the books are as the venue has it." in text_of(app)
        after = session.frame(0, frozenset()).header
        assert after.equity == before.equity - D("250.50")
        assert after.day_pnl == before.day_pnl, "it is no loss"
        compare(session)
        app.bridge_now()
        await settle(pilot)
        assert "all agree" in text_of(app)


async def test_a_balance_becomes_a_position_of_a_strategy(tmp_path: Path) -> None:
    async with account(tmp_path, deposit("0.010", "BTC")) as (app, pilot, session):
        screen = await open_line(app, pilot, "balance/BTC")
        await choose(pilot, screen, R.ATTRIBUTE, "ema_cross")
        screen.query_one("#price", TextField).entry.value = "60000"
        await pilot.pause()
        equity = session.executor.account().equity
        await press_verb(pilot, screen)
        held = session.executor.position("ema_cross", NAME)
        assert (held.quantity, held.average_price) == (D("0.010"), D(60_000))
        row = session.strategies[0].rows[NAME]
        assert row.state is SymbolState.IN_TRADE
        assert abs(session.executor.account().equity - equity - 600) < 30
        compare(session)
        agreed = {line.currency: line.verdict for line in sides(session).balances}
        assert set(agreed.values()) == {Verdict.AGREES}, "paid with what was put in"


async def test_a_difference_is_ignored_for_a_reason_until_it_changes(
    tmp_path: Path,
) -> None:
    async with account(tmp_path, deposit("250")) as (app, pilot, session):
        assert session.executor.controls.unreconciled
        screen = await open_line(app, pilot, "balance/USDT")
        await choose(pilot, screen, R.IGNORE)
        await press_verb(pilot, screen)
        assert app.screen is screen, "a reason is required"
        screen.query_one("#reason", TextField).entry.value = "a bonus"
        await pilot.pause()
        await press_verb(pilot, screen)
        assert balance(session, "USDT").verdict is Verdict.IGNORED
        assert not session.executor.controls.unreconciled
        assert "Ignored: a bonus." in text_of(app)
        do(session, Inject(event=deposit("1")))
        compare(session)
        assert balance(session, "USDT").verdict is Verdict.DIFFERS


async def test_what_changes_behind_the_dialog_is_shown_and_not_booked(
    tmp_path: Path,
) -> None:
    async with account(tmp_path, deposit("250")) as (app, pilot, session):
        screen = await open_line(app, pilot, "balance/USDT")
        do(session, Inject(event=deposit("-50")))
        compare(session)
        await press_verb(pilot, screen)
        assert app.screen is screen
        assert balance(session, "USDT").verdict is Verdict.DIFFERS
        assert "Books 200.00 USDT as put in" in text_of(app)
        screen.arm()
        await press_verb(pilot, screen)
        assert balance(session, "USDT").verdict is Verdict.AGREES


async def test_a_position_that_has_grown_since_it_was_shown_is_shown_again(
    tmp_path: Path,
) -> None:
    async with account(tmp_path, taking()) as (app, pilot, session):
        screen = await open_line(app, pilot, f"position/external/{NAME}")
        with backed_up(app):
            do(session, Inject(event=taking()))
            go_on(session)
            await press_verb(pilot, screen)
        assert app.screen is screen
        assert session.executor.position("operator", NAME).is_flat
        said = text_of(app)
        assert f"Refused: orders or position of {NAME} changed at seq" in said
        assert "+0.02000 BTCUSDT @" in said
        await adopt_two(app, pilot, session)


async def test_a_position_that_grows_while_it_is_shown_takes_the_verb_back(
    tmp_path: Path,
) -> None:
    async with account(tmp_path, taking()) as (app, pilot, session):
        screen = await open_line(app, pilot, f"position/external/{NAME}")
        do(session, Inject(event=taking()))
        go_on(session)
        app.bridge.pump_once()
        await press_verb(pilot, screen)
        assert app.screen is screen
        assert session.executor.position("operator", NAME).is_flat
        assert "It is another now; read again what is shown." in text_of(app)
        await adopt_two(app, pilot, session)


async def adopt_two(app: WorkstationApp, pilot: Pilot[int], session: Session) -> None:
    """Read the verb that cannot be pressed yet, then press it once it can."""
    screen = app.screen
    assert isinstance(screen, ResolveScreen)
    assert not screen.armed
    assert "[ Adopt +0.02000 BTCUSDT ]" in text_of(app)
    screen.arm()
    await press_verb(pilot, screen)
    held = session.executor.position("operator", NAME)
    assert held.quantity == D("0.020")


@pytest.mark.parametrize("owner", ["operator", "ema_cross"])
async def test_an_order_made_by_hand_gets_an_owner(tmp_path: Path, owner: str) -> None:
    async with account(tmp_path, resting()) as (app, pilot, session):
        screen = await open_line(app, pilot, "order/web_1")
        if owner != "operator":
            await choose(pilot, screen, R.ATTRIBUTE, owner)
        await press_verb(pilot, screen)
        assert [line.owner for line in sides(session).orders] == [owner]
        row = session.strategies[0].rows[NAME]
        waits = row.state is SymbolState.IN_TRADE
        assert waits is (owner == "ema_cross")
        assert f"order web_1 is {owner}'s now" in text_of(app).lower()


async def test_an_order_made_by_hand_is_canceled_by_c_and_in_its_dialog(
    tmp_path: Path,
) -> None:
    async with account(tmp_path, resting(), resting()) as (app, pilot, session):
        await pilot.press("j")
        await settle(pilot)
        assert isinstance(app.screen, Ritual)
        app.screen.arm()
        await pilot.press("c")
        await settle(pilot)
        assert "Cancel of web_1 asked for." in text_of(app)
        go_on(session)
        app.bridge_now()
        await pilot.press("escape")
        screen = await open_line(app, pilot, "order/web_2")
        await choose(pilot, screen, R.CANCEL)
        await press_verb(pilot, screen)
        go_on(session)
        ended = session.engine.store.snapshot().orders
        assert {ended[id].status for id in ("web_1", "web_2")} == {OrderStatus.CANCELED}
        assert sides(session).orders == ()


async def test_an_order_made_by_hand_may_stay_for_a_reason(tmp_path: Path) -> None:
    async with account(tmp_path, resting()) as (app, pilot, session):
        screen = await open_line(app, pilot, "order/web_1")
        await choose(pilot, screen, R.IGNORE)
        screen.query_one("#reason", TextField).entry.value = "a friend's"
        await pilot.pause()
        await press_verb(pilot, screen)
        (line,) = sides(session).orders
        assert (line.verdict, line.reason) == (Verdict.IGNORED, "a friend's")
        assert line.owner == "external"


async def test_c_asks_where_the_order_may_protect_what_is_held(tmp_path: Path) -> None:
    sell = HandOrder(
        instrument=NAME, side=Side.SELL, quantity=D("0.010"), price=D("70000.00")
    )
    async with account(tmp_path, taking(), sell) as (app, pilot, session):
        await pilot.press("j")
        await settle(pilot)
        assert isinstance(app.screen, Ritual)
        app.screen.arm()
        await pilot.press("c")
        await settle(pilot)
        assert isinstance(app.screen, ResolveScreen)
        assert "unprotected" in text_of(app)
        assert [line.order_id for line in sides(session).orders] == ["web_2"]


@pytest.mark.parametrize("owner", ["operator", "ema_cross"])
async def test_a_position_made_by_hand_gets_an_owner(
    tmp_path: Path, owner: str
) -> None:
    async with account(tmp_path, taking(), resting()) as (app, pilot, session):
        key = f"position/external/{NAME}"
        screen = await open_line(app, pilot, key)
        if owner != "operator":
            await choose(pilot, screen, R.ATTRIBUTE, owner)
        assert "1 order made at the venue in it stays external's" in text_of(app)
        await press_verb(pilot, screen)
        assert session.executor.position("external", NAME).is_flat
        assert session.executor.position(owner, NAME).quantity == D("0.010")
        go_on(session)
        left = [line.owner for line in sides(session).orders]
        assert left == ["external"], "what the sentence has said"
        compare(session)
        assert {line.verdict for line in sides(session).balances} == {Verdict.AGREES}


async def test_a_position_made_by_hand_may_stay_for_a_reason(tmp_path: Path) -> None:
    async with account(tmp_path, taking()) as (app, pilot, session):
        screen = await open_line(app, pilot, f"position/external/{NAME}")
        await choose(pilot, screen, R.IGNORE)
        screen.query_one("#reason", TextField).entry.value = "a long hold"
        await pilot.pause()
        await press_verb(pilot, screen)
        (line,) = sides(session).positions
        assert (line.verdict, line.reason) == (Verdict.IGNORED, "a long hold")


async def test_the_alert_of_a_difference_leads_to_its_row(tmp_path: Path) -> None:
    events = (deposit("0.010", "BTC"), deposit("250"))
    async with account(tmp_path, *events) as (app, pilot, _):
        await pilot.press("a")
        await settle(pilot)
        assert isinstance(app.screen, AlertsScreen)
        assert "j shows both sides and settles it." in text_of(app)
        alert = app.screen.scene.alerts[0]
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ReconciliationScreen)
        cursor = app.screen.query_one(SectionTable).cursor_key
        assert cursor == f"balance/{alert.subject}"


async def test_a_screen_that_only_looks_settles_nothing(tmp_path: Path) -> None:
    events = (deposit("250"), resting())
    async with account(tmp_path, *events, read_only=True) as (app, pilot, session):
        await pilot.press("j")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ReconciliationScreen)
        screen.arm()
        await pilot.press("y", "c", "enter")
        await settle(pilot)
        assert app.screen is screen
        assert "locked: nothing is settled from it" in text_of(app)
        assert session.control.by_hand == 4


def exported(folder: Path) -> str:
    (path,) = folder.iterdir()
    return path.read_text()


async def test_e_writes_both_sides_to_a_file(tmp_path: Path) -> None:
    async with account(tmp_path, deposit("250")) as (app, pilot, _):
        app.export_folder = tmp_path / "exports"
        await pilot.press("j")
        await settle(pilot)
        await pilot.press("e")
        await settle(pilot)
    row = "balance,USDT,,,,100000,100250,0,250,differs,"
    assert row in exported(tmp_path / "exports")


def asking(word: str = "RECONCILING") -> fakes.FakeSession:
    """Return a run on a venue's account that has not been answered yet."""
    return fakes.FakeSession(
        lambda focus: fakes.frame(
            focus, header=fakes.header(word=word), reconciliation=view(waiting=True)
        )
    )


async def test_a_run_on_a_venue_s_account_opens_both_sides_by_itself_once() -> None:
    app = WorkstationApp(
        fakes.config(),
        session=asking(),
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, ReconciliationScreen)
        said = text_of(app)
        assert "the venue is being asked no entries until it has answered" in said
        assert "not compared yet" in said
        await pilot.press("escape")
        await settle(pilot)
        app.bridge_now()
        await settle(pilot)
        assert app.open_ritual() is None, "it opens once"


async def test_any_other_run_begins_with_its_layout() -> None:
    app = WorkstationApp(
        fakes.config(),
        session=asking("RUN"),
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.open_ritual() is None
        assert "account" not in footer(app)


async def test_the_alert_of_a_venue_that_is_being_asked_leads_to_both_sides() -> None:
    alert = fakes.alert(kind="control", subject="recovery", instrument="")
    session = fakes.FakeSession(
        lambda focus: fakes.frame(focus, alerts=(alert,), reconciliation=view())
    )
    app = WorkstationApp(
        fakes.config(),
        session=session,
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ReconciliationScreen)
