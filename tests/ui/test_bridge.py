"""The bridge: one frame a tick, for what is seen, and none into a full terminal."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.reloading import ReloadReport
from workstation.kernel import Clock
from workstation.model.commands import Hold
from workstation.model.records import NoteRecord
from workstation.ui.bridge import (
    MOST_QUEUED,
    never_wait_for_output,
    output_backlog,
)
from workstation.ui.panels.log import LogPanel


def note(seq: int, text: str = "note") -> NoteRecord:
    return NoteRecord(
        seq=seq, ts=fakes.NOW, strategy="ema_cross", instrument="BTCUSDT", text=text
    )


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.ns = 0

    def now(self) -> int:
        return self.ns


async def test_a_tick_pulls_one_frame_for_the_panels_that_are_seen() -> None:
    async with opened() as (app, _, session):
        session.asked.clear()
        app.bridge.tick()
        assert session.asked == [
            frozenset({"symbols", "chart", "book", "machine", "orders", "positions"})
        ]


async def test_a_tick_lets_scripts_reload_and_says_what_came_of_it() -> None:
    async with opened() as (app, _, session):
        reloading = session.fake_reloading
        before = reloading.ticks
        reloading.reports = [
            ReloadReport(
                strategy="s", version="abc", accepted=False, text="s.py:3: no way"
            )
        ]
        app.bridge.tick()
        assert reloading.ticks == before + 1
        assert "s.py:3: no way." in text_of(app)


async def test_a_zoomed_panel_is_the_only_one_fed() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("z")
        session.asked.clear()
        app.bridge.tick()
        assert session.asked == [frozenset({"symbols"})]


async def test_a_dialog_is_fed_instead_of_what_lies_below() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("ctrl+k")
        await pilot.pause()
        session.asked.clear()
        app.bridge.tick()
        assert session.asked == [frozenset({"orders", "positions"})]


async def test_a_pinned_panel_costs_one_more_frame_of_its_own() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("tab", "w", "shift+tab", "down")
        session.asked.clear()
        session.focuses.clear()
        app.bridge.tick()
        names = [None if f is None else f.instrument for f in session.focuses]
        assert names == ["ETHUSDT", "BTCUSDT"]
        assert session.asked[1] == frozenset({"chart"})
        assert "chart" not in session.asked[0]


async def test_ticks_are_skipped_while_the_terminal_is_backed_up() -> None:
    async with opened() as (app, _, session):
        waiting = MOST_QUEUED + 1
        app.bridge._backlog = lambda: waiting
        session.asked.clear()
        app.bridge.tick()
        assert session.asked == []
        assert app.bridge.skipped == 1
        waiting = MOST_QUEUED
        app.bridge.tick()
        assert len(session.asked) == 1


def test_the_backlog_is_read_from_the_driver_s_writer_and_else_unknown() -> None:
    def app(writer: object) -> Any:
        return SimpleNamespace(_driver=SimpleNamespace(_writer_thread=writer))

    queue = SimpleNamespace(qsize=lambda: 7)
    assert output_backlog(app(SimpleNamespace(_queue=queue))) == 7
    assert output_backlog(app(None)) == 0
    assert output_backlog(app(SimpleNamespace(_queue="not a queue"))) == 0
    assert output_backlog(SimpleNamespace()) == 0  # type: ignore[arg-type]


def test_textual_still_has_the_queue_that_the_guard_reads() -> None:
    import io

    from textual.drivers._writer_thread import WriterThread

    writer = WriterThread(io.StringIO())
    writer.write("one")
    writer.write("two")
    app: Any = SimpleNamespace(_driver=SimpleNamespace(_writer_thread=writer))
    assert output_backlog(app) == 2


async def test_an_old_screen_says_so_and_a_frame_mends_it() -> None:
    async with opened() as (app, pilot, session):
        wall = Wall()
        app.bridge._wall = cast(Clock, wall)
        app.bridge.pump_once()
        session.frame_failure = RuntimeError("torn")
        wall.ns = 999_000_000
        app.bridge.tick()
        await pilot.pause()
        assert "OLD" not in text_of(app)
        wall.ns = 3_200_000_000
        app.bridge.tick()
        await pilot.pause()
        assert "SCREEN 3 s OLD" in text_of(app).split("\n")[0]
        session.frame_failure = None
        app.bridge.tick()
        await pilot.pause()
        assert "OLD" not in text_of(app)


async def test_how_late_ticks_come_is_shown_as_the_loop_s_lag() -> None:
    async with opened() as (app, _, _):
        wall = Wall()
        app.bridge._wall = cast(Clock, wall)
        app.bridge._ticked_at = None
        app.bridge._lags.clear()
        for ns in (0, 100_000_000, 225_000_000, 325_000_000):
            wall.ns = ns
            app.bridge.tick()
        assert app.bridge.loop_ns == 25_000_000


async def test_records_become_lines_once_and_in_every_log() -> None:
    async with opened() as (app, pilot, session):
        session.record(note(1, "alpha"), note(2, "beta"))
        app.bridge.pump_once()
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
        assert text.count("alpha") == 1
        assert text.index("beta") < text.index("alpha")
        await pilot.press("7")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert text_of(app).count("alpha") == 1


async def test_a_flood_of_records_is_counted_not_worded() -> None:
    async with opened() as (app, _, session):
        session.record(*(note(seq) for seq in range(1, 2_001)))
        app.bridge.pump_once()
        assert app.bridge.worded == 501
        assert "1,500 earlier records" in app.bridge.lines[0].plain


async def test_the_children_of_a_step_are_marked_until_the_next() -> None:
    async with opened() as (app, _, session):
        log = layout_of(app).panels["log"]
        assert isinstance(log, LogPanel)
        session.record(note(7))
        app.bridge.pump_once()
        app.bridge.begin_step()
        session.record(note(8), note(8, "caused"))
        app.bridge.pump_once()
        assert log.tail.highlight == {8}
        app.bridge.begin_step()
        session.record(note(9))
        app.bridge.pump_once()
        assert log.tail.highlight == {9}
        app.bridge.end_step()
        app.bridge.pump_once()
        assert log.tail.highlight == frozenset()


async def test_what_was_injected_is_marked() -> None:
    session = fakes.FakeSession(lambda focus: fakes.frame(injected=frozenset({5})))
    async with opened(session=session) as (app, _, _):
        session.record(note(4), note(5))
        app.bridge.pump_once()
        marks = ["inj" in line.plain for line in app.bridge.lines]
        assert marks == [False, True]


async def test_a_command_is_taken_and_shown_at_once() -> None:
    async with opened() as (app, _, session):
        session.asked.clear()
        outcome = app.bridge.execute(Hold(on=True))
        assert outcome is not None
        assert outcome.accepted
        assert session.executed == [Hold(on=True)]
        assert len(session.asked) == 1


def test_nothing_waits_for_a_terminal_that_is_gone() -> None:
    queue: Queue[str | None] = Queue(2)
    queue.put("one")
    queue.put("two")
    writer = SimpleNamespace(_queue=queue)
    app: Any = SimpleNamespace(_driver=SimpleNamespace(_writer_thread=writer))
    waiting = Thread(target=queue.put, args=("three",), daemon=True)
    waiting.start()
    never_wait_for_output(app)
    waiting.join(60)
    assert not waiting.is_alive()
    # What Textual puts last, to end the thread that is no more.
    queue.put(None, timeout=60)
    assert queue.qsize() == 4
    never_wait_for_output(SimpleNamespace(_driver=None))  # type: ignore[arg-type]
