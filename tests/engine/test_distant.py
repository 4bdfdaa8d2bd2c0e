"""A distant broker: its requests in order, its reports as inputs, its silence told."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec
import pytest

from tests.engine.requests import submit
from tests.engine.runs import settings, small
from tests.execution.fakes import NS, Hand, ticket
from workstation.engine.assembly import assemble_session
from workstation.engine.distant import DistantBroker, Question
from workstation.engine.heartbeat import Heartbeat
from workstation.engine.journal import Journal
from workstation.engine.journal_reader import JournalReader
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.commands import Flatten, Recover, SetLimit
from workstation.model.errors import JournalError, VenueSilent
from workstation.model.orders import OrderStatus
from workstation.model.ports import Edge
from workstation.model.rates import BrokerAbilities
from workstation.model.records import LimitRecord, Record
from workstation.model.reports import (
    AccountReport,
    Balance,
    OrderAccepted,
    OrderCanceled,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    Report,
)
from workstation.model.requests import (
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    SingleRequest,
    SubmitOrder,
)


class Venue:
    """Accepts and fills at once at 61,500, but for what is in ``silent``."""

    name = "elsewhere"

    def __init__(self, silent: Sequence[str] = (), cash: str = "") -> None:
        """With ``cash`` it answers for the account: that much USDT, and no order."""
        self.abilities = BrokerAbilities(account=bool(cash))
        self.cash = cash
        self.told = asyncio.Event()
        self.silent = set(silent)
        self.asked: list[SingleRequest] = []
        self.begun: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def send(self, request: SingleRequest) -> Sequence[Report]:
        self.begun.append(_id(request))
        await self.gate.wait()
        self.asked.append(request)
        if _id(request) in self.silent:
            self.silent.discard(_id(request))
            raise VenueSilent("the line is dead")
        match request:
            case SubmitOrder(order=order):
                return (OrderAccepted(order.id, "v"), _fill(order.id, order.quantity))
            case CancelOrder(order_id=order_id):
                return (OrderCanceled(order_id),)
            case ReplaceOrder(order_id=order_id, quantity=quantity):
                return (OrderReplaced(order_id, quantity, None),)
            case QueryAccount(number=number):
                self.told.set()
                balance = Balance("USDT", Decimal(self.cash))
                return (AccountReport(number=number, balances=(balance,)),)
            case QueryOrder(order_id=order_id):
                return (OrderStatusReport(order_id, None),)
        raise AssertionError(request)

    async def news(self) -> Sequence[Report]:
        return ()

    def account(self) -> None:
        return None

    async def close(self) -> None:
        self.closed = True


def _id(request: SingleRequest) -> str:
    if isinstance(request, QueryAccount):
        return ""
    return request.order.id if isinstance(request, SubmitOrder) else request.order_id


def _fill(order_id: str, quantity: Decimal) -> OrderFilledReport:
    fee = Decimal("0.1")
    price = Decimal(61_500)
    return OrderFilledReport(
        order_id, f"t-{order_id}", quantity, price, fee, "USDT", False
    )


async def _turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_requests_of_one_order_wait_for_each_other_and_for_no_other() -> None:
    venue = Venue()
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("a"))
        await _turns()
        for request in (CancelOrder("a"), submit("b")):
            broker.request(request)
        await _turns()
        assert venue.begun == ["a", "b"]
        assert broker.waiting == 3
        venue.gate.set()
        await _turns()
        assert venue.begun == ["a", "b", "a"]
        assert broker.waiting == 0
        broker.stop()
    assert venue.closed
    assert len(broker.arrived) == 5


async def test_silence_is_said_until_the_venue_answers_again() -> None:
    broker = DistantBroker(Venue(silent=["a"]), poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("a"))
        await _turns()
        assert broker.silence == "the line is dead"
        assert not broker.arrived
        broker.request(QueryOrder("a"))
        await _turns()
        assert broker.silence == ""
        broker.stop()


async def test_only_an_answer_of_the_venue_ends_its_silence() -> None:
    class Counting(Venue):
        answers = 0

        async def send(self, request: SingleRequest) -> Sequence[Report]:
            if isinstance(request, SubmitOrder):
                return (OrderRejected(request.order.id, "no connection"),)
            if isinstance(request, CancelOrder):
                raise KeyError(request.order_id)
            reports = await super().send(request)
            self.answers += 1
            return reports

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    broker = DistantBroker(Counting(silent=["a"]), poll_s=0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(QueryOrder("a"))
        await _turns()
        broker.request(submit("b"))
        await _turns()
        assert len(broker.arrived) == 1
        assert broker.silence == "the line is dead"
        broker.request(CancelOrder("c"))
        await _turns()
        fault = "1 faults of ours, the last one: KeyError: 'c'"
        assert broker.silence == f"the line is dead; {fault}"
        broker.request(QueryOrder("a"))
        await _turns()
        assert broker.silence == fault
        broker.stop()


def behind(order_id: str, *after: str) -> SubmitOrder:
    return SubmitOrder(submit(order_id).order, after)


async def test_an_order_waits_for_the_cancels_that_clear_its_way_and_for_no_other() -> (
    None
):
    venue = Venue(silent=["b"])
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        sent: list[SingleRequest] = [
            CancelOrder("a", "BTCUSDT"),
            CancelOrder("b", "BTCUSDT"),
            CancelOrder("c", "BTCUSDT"),
            behind("d", "a", "b", "gone"),
            ReplaceOrder("h", Decimal(1), None, "BTCUSDT", after=("c",)),
            submit("e"),
            QueryOrder("f", "BTCUSDT"),
        ]
        for request in sent:
            broker.request(request)
        await _turns()
        assert venue.begun == ["a", "b", "c", "e", "f"]
        venue.gate.set()
        await _turns()
        # A cancel that has no answer is waited for no longer.
        assert sorted(venue.begun[5:]) == ["d", "h"]
        assert broker.waiting == 0
        broker.request(submit("g"))
        await _turns()
        assert venue.begun[-1] == "g"
        broker.stop()


async def test_an_order_waits_also_for_a_cancel_that_waits_itself() -> None:
    venue = Venue()
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("a"))
        await _turns()
        for request in (CancelOrder("a", "BTCUSDT"), behind("b", "a")):
            broker.request(request)
        await _turns()
        assert venue.begun == ["a"]
        venue.gate.set()
        await _turns()
        assert venue.begun == ["a", "a", "b"]
        broker.stop()


class Disk:
    """A journal whose rows are durable once ``reach`` says so."""

    failure: str | None = None
    on_durable: Callable[[], None] | None = None
    rows = 1
    durable_rows = 0

    def whole(self) -> None:
        """Wait for nothing."""

    def reach(self) -> None:
        self.durable_rows = self.rows
        assert self.on_durable is not None
        self.on_durable()


BEFORE = [OrderCanceled("a", "before it left", filled=Decimal(0))]


async def test_an_order_canceled_while_the_disk_is_slow_never_leaves() -> None:
    venue, disk = Venue(), Disk()
    broker = DistantBroker(venue, poll_s=60)
    broker.journal_to(cast(Journal, disk))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("a"))
        broker.request(submit("b"))
        await _turns()
        broker.request(CancelOrder("a", "BTCUSDT"))
        assert list(broker.arrived) == BEFORE
        disk.reach()
        await _turns()
        assert venue.begun == ["b"]
        assert broker.waiting == 0
        broker.stop()


async def test_an_order_canceled_while_it_waits_for_another_cancel_never_leaves() -> (
    None
):
    venue = Venue()
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        for request in (CancelOrder("x", "BTCUSDT"), behind("a", "x")):
            broker.request(request)
        await _turns()
        broker.request(CancelOrder("a", "BTCUSDT"))
        # What waited for that cancel waits for nothing.
        broker.request(behind("b", "a"))
        await _turns()
        assert list(broker.arrived) == BEFORE
        assert venue.begun == ["x", "b"]
        venue.gate.set()
        await _turns()
        assert venue.begun == ["x", "b"]
        assert broker.waiting == 0
        broker.stop()


async def test_no_such_order_counts_only_once_an_order_has_left_for_long_enough() -> (
    None
):
    """A cancel in its way kept it here for 45 s; then it had no answer."""
    hand = Hand()
    hand.enter("1")
    hand.accept("o-1")
    hand.fill("o-1", "1")
    hand.give(ticket("1", "100"))
    hand.accept("o-2")
    venue = Venue(silent=["o-3"])
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60, absent_after_ns=30 * NS)
    broker.attach(cast(Edge, hand.core))
    hand.core.on_request = broker.request

    async def pass_s(seconds: int) -> None:
        for _ in range(seconds):
            hand.core.advance(hand.core.ts + NS)
            await _turns()
            while broker.arrived:
                hand.give(broker.arrived.popleft())

    def status() -> OrderStatus:
        (found,) = [each for each in hand.executor.orders() if each.id == "o-3"]
        return found.status

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        hand.give(Flatten(instrument="BTC", owner="s"))
        await pass_s(45)
        assert venue.begun == ["o-2"]
        assert status() is OrderStatus.UNKNOWN
        venue.gate.set()
        # The question was asked meanwhile, and is answered at once: no such order.
        await pass_s(30)
        assert "o-3" not in venue.silent
        assert status() is OrderStatus.UNKNOWN
        await pass_s(60)
        assert status() is OrderStatus.REJECTED
        broker.stop()


async def test_news_that_come_in_parts_are_fetched_without_a_pause() -> None:
    class Telling(Venue):
        async def news(self) -> Sequence[Report]:
            # Whoever pauses from now on hears no more.
            broker._poll_s = 60
            return parts.pop(0)

    parts: list[list[Report]] = [
        [OrderCanceled("a")],
        [OrderCanceled("b"), OrderCanceled("c")],
        [],
        [OrderCanceled("d")],
    ]
    broker = DistantBroker(Telling(), poll_s=0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        await _turns()
        assert broker.arrived == deque(map(OrderCanceled, "abc"))
        broker.stop()


class Heart(Heartbeat):
    """Notes how much was answered at each beat, and -1 for the farewell."""

    def __init__(self, venue: Venue) -> None:
        super().__init__({"silence_s": 0}, dict)
        self.beats: list[int] = []
        self._venue = venue

    def beat(self) -> None:
        self.beats.append(len(self._venue.asked))

    def leaving(self, request: SingleRequest) -> bool:
        return not self.failure

    def dismiss(self) -> None:
        self.beats.append(-1)


async def test_at_the_end_cancels_and_exits_leave_still_and_nothing_else() -> None:
    venue, disk = Venue(), Disk()
    heart = Heart(venue)
    broker = DistantBroker(venue, poll_s=60, heartbeat=heart)
    broker.journal_to(cast(Journal, disk))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        await _turns()
        for request in (
            CancelOrder("a", "BTCUSDT"),
            submit("entry"),
            submit("exit", reduce_only=True),
            QueryOrder("a"),
        ):
            broker.request(request)
        broker.stop()
        await _turns()
        assert venue.begun == []
        disk.reach()
    assert venue.begun == ["a", "exit"]
    assert broker.waiting == 0
    assert heart.beats[-1] == -1


async def test_an_entry_that_waited_for_a_cancel_does_not_leave_at_the_end() -> None:
    venue = Venue()
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(CancelOrder("b", "BTCUSDT"))
        broker.request(behind("entry", "b"))
        await _turns()
        broker.stop()
        await _turns()
        venue.gate.set()
    assert venue.begun == ["b"]
    assert broker.waiting == 0


async def test_a_watchdog_is_not_dismissed_while_a_cancel_waits_for_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workstation.engine.distant._LAST_S", 0.0)
    venue = Venue()
    heart = Heart(venue)
    broker = DistantBroker(venue, poll_s=60, heartbeat=heart)
    broker.journal_to(cast(Journal, Disk()))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(CancelOrder("a", "BTCUSDT"))
        await _turns()
        broker.stop()
    assert venue.begun == []
    assert heart.beats
    assert -1 not in heart.beats
    assert venue.closed


async def test_questions_leave_a_few_at_a_time_in_order_and_none_is_lost() -> None:
    class Counting(Venue):
        now = most = 0

        async def send(self, request: SingleRequest) -> Sequence[Report]:
            if isinstance(request, QueryOrder):
                self.now += 1
                self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(0)
                return await super().send(request)
            finally:
                self.now -= isinstance(request, QueryOrder)

    venue = Counting(silent=["q-7"])
    names = [f"q-{number}" for number in range(1_000)]
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        for name in names:
            broker.request(QueryOrder(name))
        assert broker.waiting == 1_000
        await _turns(3)
        # Neither a cancel nor an order is behind them.
        broker.request(CancelOrder("q-999"))
        broker.request(submit("a"))
        await _turns(6)
        assert {"q-999", "a"} <= set(venue.begun[:30])
        while broker.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        broker.stop()
    asked = [_id(each) for each in venue.asked if isinstance(each, QueryOrder)]
    assert asked == names
    assert venue.most == 8


class Rationed(Venue):
    """Hears no question while ``full``."""

    full = True

    def holds_s(self, question: Question, others: int) -> float:
        return 60.0 if self.full else 0.0


async def test_a_question_that_is_held_back_keeps_nothing_else_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workstation.engine.distant._LOOK_S", 0.0)
    venue = Rationed(cash="1")
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        sent: list[SingleRequest] = [
            QueryOrder("a"),
            QueryAccount(1, 0),
            QueryOrder("b"),
            CancelOrder("a"),
            submit("c"),
            QueryOrder("c"),
            # What is asked again is asked once, in its old place.
            QueryOrder("a", asked_ns=9),
            QueryAccount(2, 0),
        ]
        for request in sent:
            broker.request(request)
        await _turns()
        assert venue.asked == [sent[3], sent[4]]
        assert broker.waiting == 4
        venue.full = False
        while broker.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert venue.asked[2:] == [sent[6], sent[7], sent[2], sent[5]]
        broker.stop()


async def test_a_cancel_goes_before_a_question_that_has_not_begun() -> None:
    venue = Venue()
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(QueryOrder("a"))
        await _turns()
        broker.request(QueryOrder("a", asked_ns=2))
        broker.request(submit("b"))
        broker.request(QueryOrder("b"))
        await _turns()
        broker.request(CancelOrder("a"))
        broker.request(CancelOrder("b"))
        await _turns()
        venue.gate.set()
        await _turns()
        broker.stop()
    of = {
        name: [type(each) for each in venue.asked if _id(each) == name]
        for name in ("a", "b")
    }
    assert of["a"] == [QueryOrder, CancelOrder, QueryOrder]
    assert of["b"] == [SubmitOrder, CancelOrder, QueryOrder]


async def test_a_question_asked_again_while_it_is_under_way_takes_no_room() -> None:
    class Slow(Venue):
        """Answers about all but the account, and what is not about "s…", at once."""

        async def send(self, request: SingleRequest) -> Sequence[Report]:
            if _id(request)[:1] in ("", "s"):
                await slow.wait()
            return await super().send(request)

    slow = asyncio.Event()
    venue = Slow(cash="1")
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        # More than there is room for, each with nothing but an order under way.
        names = [f"s{number}" for number in range(9)]
        for name in names:
            broker.request(submit(name))
        for number in range(9):
            broker.request(QueryAccount(number, 0))
            for name in names:
                broker.request(QueryOrder(name, asked_ns=number))
            await _turns()
        broker.request(QueryOrder("x"))
        await _turns()
        assert venue.asked == [QueryOrder("x")]
        slow.set()
        while broker.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        asked = [each for each in venue.asked if not isinstance(each, SubmitOrder)]
        # The one that was under way, and the last of those asked meanwhile.
        about_account = [each for each in asked if isinstance(each, QueryAccount)]
        assert about_account == [QueryAccount(0, 0), QueryAccount(8, 0)]
        of_orders = [each for each in asked[1:] if isinstance(each, QueryOrder)]
        assert of_orders == [QueryOrder(name, asked_ns=8) for name in names]
        broker.stop()


async def test_an_end_does_not_ask_what_was_asked_again_meanwhile() -> None:
    venue = Venue()
    venue.gate.clear()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        for asked_ns in range(3):
            broker.request(QueryOrder("a", asked_ns=asked_ns))
            await _turns()
        broker.stop()
        await _turns()
        venue.gate.set()
    assert venue.asked == [QueryOrder("a", asked_ns=0)]


async def test_an_end_waits_for_no_question_that_is_held_back_or_takes_minutes() -> (
    None
):
    class Slow(Rationed):
        full = False

        async def send(self, request: SingleRequest) -> Sequence[Report]:
            if isinstance(request, QueryAccount):
                self.full = True
                await asyncio.Event().wait()
            return await super().send(request)

    venue = Slow()
    broker = DistantBroker(venue, poll_s=60)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(QueryAccount(1, 0))
        await _turns()
        broker.request(QueryOrder("a"))
        await _turns()
        broker.stop()
    assert venue.asked == []
    assert venue.closed


async def test_a_watchdog_that_cannot_be_started_ends_no_run() -> None:
    class Heart(Heartbeat):
        tries = 0

        def beat(self) -> None:
            self.tries += 1
            raise BlockingIOError("no more processes")

    venue = Venue()
    heart = Heart({"silence_s": 0}, dict)
    broker = DistantBroker(venue, poll_s=60, heartbeat=heart)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(CancelOrder("a"))
        await _turns()
        broker.stop()
    assert heart.tries > 1
    assert heart.failure == "no more processes"
    assert [_id(each) for each in venue.asked] == ["a"]


async def test_an_error_of_one_answer_is_counted_told_and_ends_nothing() -> None:
    class Broken(Venue):
        async def send(self, request: SingleRequest) -> Sequence[Report]:
            if _id(request) == "a":
                raise KeyError("a")
            return await super().send(request)

        async def news(self) -> Sequence[Report]:
            raise ArithmeticError("news")

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: told.append(context["exception"])
    )
    broker = DistantBroker(Broken(), poll_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("a"))
        await _turns()
        broker.request(CancelOrder("a", "BTCUSDT"))
        await _turns()
        assert broker.waiting == 0
        assert not broker.arrived
        assert broker.faults == 2
        said = "2 faults of ours, the last one: KeyError: 'a'"
        assert broker.silence == said
        # The first one is told with its traceback, one that is the same is not.
        assert [repr(each) for each in told] == ["KeyError('a')"]
        broker.request(submit("b"))
        await _turns()
        assert len(broker.arrived) == 2
        assert broker.silence == said, "an answer does not make it good"
        broker.stop()

    broker = DistantBroker(Broken(), poll_s=0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        while broker.faults < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        broker.stop()


async def test_the_heart_beats_until_what_is_under_way_has_been_answered() -> None:
    venue = Venue()
    venue.gate.clear()
    heart = Heart(venue)
    broker = DistantBroker(venue, poll_s=60, heartbeat=heart)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("a"))
        await _turns()
        broker.stop()
        await _turns()
        heart.beats.clear()
        await _turns()
        assert heart.beats
        assert set(heart.beats) == {0}, "stopped, not yet answered, and alive"
        venue.gate.set()
    assert heart.beats[-1] == -1
    assert heart.beats.count(-1) == 1


async def _play(session: Session, most: int) -> None:
    """Step with the venue answering in between, then leave as if killed."""
    engine = session.engine
    (broker,) = engine.distant
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(broker.run())
        engine.start()
        if session.control.recovery.records:
            session.execute(Recover(origin="engine"))
        while engine.delivered < most:
            while broker.waiting or engine.has_arrivals:
                engine.take_arrivals()
                await asyncio.sleep(0)
            engine.step()
        broker.stop()
        await running


def on_account(folder: Path, venue: Venue | None = None) -> Session:
    """Return a run on the account of this folder, at a venue that fills at once."""
    place = f'journal.path="{folder}"'
    run = settings('feeds.0.symbols=["BTCUSDT"]', 'strategies.0.timeframe="1s"', place)
    return assemble_session(run, venue=venue or Venue())


async def test_a_run_on_a_distant_venue_is_replayed_without_it(tmp_path: Path) -> None:
    first = on_account(tmp_path)
    await _play(first, 1_500)
    assert first.executor.ledger.fills > 0
    first.close()
    second = on_account(tmp_path)
    assert second.executor.ledger.fills == first.executor.ledger.fills
    await _play(second, 900)
    second.close()
    for name in ("000001", "000002"):
        result = replay_journal(tmp_path / f"{name}.sqlite")
        assert result.matches, result.first_difference
        result.session.close()
    reader = JournalReader(tmp_path / "000002.sqlite")
    kinds = [type(row.value).__name__ for row in reader.inputs()]
    assert kinds[0] == "Recover"
    assert "OrderFilledReport" in kinds
    reader.close()
    os.unlink(tmp_path / "000002.sqlite")
    with pytest.raises(JournalError, match=r"000002\.sqlite is missing"):
        on_account(tmp_path)


async def test_a_session_takes_its_account_up_before_anything_enters(
    tmp_path: Path,
) -> None:
    place = f'journal.path="{tmp_path}"'
    run = settings('feeds.0.symbols=["BTCUSDT"]', place)
    venue = Venue(cash="777")
    session = assemble_session(run, venue=venue, paused=True)
    async with asyncio.TaskGroup() as tasks:
        driving = tasks.create_task(session.drive())
        await _turns(3)
        assert session.frame(0, frozenset()).header.word == "RECONCILING"
        await venue.told.wait()
        await _turns()
        assert not session.executor.reconciling
        assert session.executor.account().equity == 777
        session.driver.stop()
        await driving
    session.close()
    result = replay_journal(tmp_path / "000001.sqlite")
    assert result.matches, result.first_difference
    result.session.close()


async def test_a_run_with_nothing_before_it_has_nothing_to_take_up() -> None:
    session = small()
    outcome = session.execute(Recover(origin="engine"))
    assert not outcome.accepted
    assert outcome.detail == "there is no earlier run to take up"
    session.close()


def _limited(folder: Path, most: str) -> Session:
    run = settings(
        'feeds.0.symbols=["BTCUSDT"]',
        'strategies.0.timeframe="1s"',
        f'journal.path="{folder}"',
        f"risk.max_order_value={most}",
        "risk.max_position_value=20000",
    )
    return assemble_session(run, venue=Venue())


def _limits(path: Path) -> list[tuple[str, Decimal | None, Decimal | None]]:
    reader = JournalReader(path)
    records = [
        msgspec.msgpack.decode(blob, type=Record) for _, blob in reader.records()
    ]
    reader.close()
    assert all(
        record.reason.startswith("set live in an earlier run: ")
        for record in records
        if isinstance(record, LimitRecord)
    )
    return [
        (record.name, record.before, record.after)
        for record in records
        if isinstance(record, LimitRecord)
    ]


async def test_limits_set_live_and_bases_of_losses_outlive_the_engine(
    tmp_path: Path,
) -> None:
    first = _limited(tmp_path, "10000")
    await _play(first, 1_500)
    for name, value in (("max_order_value", 8000), ("max_position_value", 30000)):
        limit = SetLimit(
            name=name, value=Decimal(value), confirmed=True, reason="thin market"
        )
        assert first.execute(limit).accepted
    ledger = first.executor.ledger
    start, peak = ledger.day_start, ledger.curve.peak
    first.close()
    second = _limited(tmp_path, "10000")
    in_force = second.executor.limits.settings
    assert in_force.max_order_value == 8000
    assert in_force.max_position_value == 30000
    assert second.executor.ledger.day_start == start
    assert peak / Decimal("1.001") < second.executor.ledger.curve.peak <= peak
    await _play(second, 900)
    # The day goes on: its losses are from the first run's start.
    assert second.executor.ledger.day_start == start
    second.close()
    assert _limits(tmp_path / "000002.sqlite") == [
        ("max_order_value", Decimal(10000), Decimal(8000)),
        ("max_position_value", Decimal(20000), Decimal(30000)),
    ]
    result = replay_journal(tmp_path / "000002.sqlite")
    assert result.matches, result.first_difference
    result.session.close()
    # The file was tightened meanwhile: that is the later word, and the tighter one.
    third = _limited(tmp_path, "5000")
    in_force = third.executor.limits.settings
    assert in_force.max_order_value == 5000
    assert in_force.max_position_value == 30000
    third.close()


def test_an_account_keeps_its_mark_and_no_other_has_it(tmp_path: Path) -> None:
    def mark(folder: Path) -> str:
        session = on_account(folder)
        session.close()
        return session.executor.desk.orders.mark

    first = mark(tmp_path / "a")
    assert len(first) == 6
    assert mark(tmp_path / "a") == first
    assert mark(tmp_path / "b") != first


async def test_a_venue_that_does_not_answer_is_an_alert_until_it_has(
    tmp_path: Path,
) -> None:
    session = on_account(tmp_path)
    (broker,) = session.engine.distant

    def alert() -> tuple[bool, int, str]:
        alerts = session.frame(0, frozenset()).alerts
        (found,) = [each for each in alerts if each.kind == "silence"]
        return found.active, found.count, found.text

    broker.silence = "the line is dead"
    said = "no news from elsewhere: the line is dead"
    assert alert() == (True, 1, said)
    assert alert() == (True, 1, said), "once, not at every frame"
    broker.silence = ""
    assert alert() == (False, 1, said)
    broker.silence = "the line is dead"
    assert alert()[0]
    session.close()


async def test_entries_are_refused_with_an_alert_while_no_watchdog_can_be_had(
    tmp_path: Path,
) -> None:
    class Guarded(Venue):
        def account(self) -> dict[str, object]:  # type: ignore[override]
            return {"silence_s": 0}

    place = f'journal.path="{tmp_path}"'
    run = settings('feeds.0.symbols=["BTCUSDT"]', place)
    venue = Guarded()
    session = assemble_session(run, venue=venue)
    (broker,) = session.engine.distant
    heart = broker._heartbeat = Heart(venue)

    def alert() -> tuple[bool, str]:
        alerts = session.frame(0, frozenset()).alerts
        (found,) = [each for each in alerts if each.kind == "watchdog"]
        return found.active, found.text

    heart.failure = "no more processes"
    said = "no watchdog for elsewhere: no more processes"
    assert alert() == (True, said)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        broker.request(submit("entry"))
        while not broker.arrived:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert list(broker.arrived) == [
            OrderRejected("entry", "no watchdog: no more processes")
        ]
        broker.stop()
    assert venue.begun == []
    heart.failure = ""
    assert alert() == (False, said)
    session.close()
