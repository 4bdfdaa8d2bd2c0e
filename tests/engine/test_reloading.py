"""Hot reload: saved, tried in the shadow, handed over, refused with why, undone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine.runs import SMALL, Wall, kept, settings, small, with_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import Alert
from workstation.engine.reloading import Reloading
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.engine.shadow import ShadowRun, Steps
from workstation.kernel import SimClock
from workstation.model.commands import RestartTask, SetParams
from workstation.model.errors import ScriptError
from workstation.model.records import CommandRecord, Record
from workstation.model.states import SymbolState
from workstation.paths import shipped_folder
from workstation.strategy.lua.host import LuaWorker

MS = 1_000_000
EMA_PY = (shipped_folder("strategies") / "ema_cross.py").read_text()
EMA_LUA = (shipped_folder("strategies") / "ema_cross.lua").read_text()
LONG = 'feeds.0.duration="10m"'


class Desk:
    """A run of a script in a folder of its own, and a hand that saves the file."""

    def __init__(self, folder: Path, language: str, *overrides: str) -> None:
        self.language = language
        self.path = folder / f"mine.{language}"
        self._stamp = 0
        self.save(EMA_PY if language == "py" else EMA_LUA)
        self.journal = folder / "j.sqlite"
        self.wall = SimClock(1_000_000_000)
        self.session = small(
            LONG,
            *with_script(self.path),
            *overrides,
            journal=self.journal,
            wall=self.wall,
        )
        (self.strategy,) = self.session.strategies
        self.records: list[Record] = kept(self.session)

    def save(self, text: str) -> None:
        self.path.write_text(text)
        # Two writes within one tick of the file system's clock look alike.
        self._stamp += 1
        os.utime(self.path, ns=(self._stamp * 10**9, self._stamp * 10**9))

    def replace(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert old in text
        self.save(text.replace(old, new))

    def ticks(self, milliseconds: int = 2_000) -> None:
        """Let the screen tick ten times a second for so long of the wall's time."""
        for _ in range(milliseconds // 100):
            self.wall.advance_to(self.wall.now() + 100 * MS)
            self.session.reloading.tick()
        # A worker answers in its own time: what was begun is seen through.
        while not self.idle:
            self.session.reloading.tick()

    def look(self) -> None:
        """Let the file be looked at as often as it takes to queue what it has."""
        reloading = self.session.reloading
        for _ in range(2):
            reloading._look("ema_cross", reloading._watched["ema_cross"])

    @property
    def idle(self) -> bool:
        return not self.session.reloading.busy

    def run(self, events: int) -> None:
        session = self.session
        run_backtest(session.engine, Until(events=session.engine.delivered + events))

    def run_until_in_trade(self) -> str:
        for _ in range(2_000):
            self.run(20)
            for name, row in self.strategy.rows.items():
                if row.state is SymbolState.IN_TRADE and row.held:
                    return name
        raise AssertionError("it never traded")

    @property
    def alerts(self) -> list[Alert]:
        return [each for each in self.session.frames.alerts() if "mine" in each.text]

    @property
    def commands(self) -> list[tuple[bool, str]]:
        return [
            (each.accepted, each.detail)
            for each in self.records
            if isinstance(each, CommandRecord)
        ]

    def replays(self) -> None:
        self.session.close()
        result = replay_journal(self.journal)
        assert result.matches, result.first_difference
        assert result.inputs == self.session.engine.core.seq


@pytest.fixture(params=["py", "lua"])
def desk(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(*overrides: str) -> Desk:
        made.append(Desk(tmp_path, request.param, *overrides))
        return made[-1]

    yield make
    for each in made:
        each.session.close()


OFF = {
    "py": ("fast < slow", "fast < slow - 1e9"),
    "lua": ("fast < slow", "fast < -1e9"),
}


def children() -> list[str]:
    """Return the processes that this one has started and not yet reaped."""
    found: list[str] = []
    for task in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        # Threads of other tests may be ending just now.
        with suppress(FileNotFoundError):
            found += task.read_text().split()
    return found


def snapshot(session: Session) -> list[object]:
    (strategy,) = session.strategies
    return [
        (row.state, row.context, row.held, row.stop, row.target, row.orders())
        for row in strategy.rows.values()
    ]


def test_a_saved_script_takes_over_in_a_trade_and_loses_nothing(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    name = d.run_until_in_trade()
    before, version = snapshot(d.session), d.strategy.script.hash
    orders = d.session.executor.account().orders
    d.replace(*OFF[d.language])
    d.ticks()
    assert d.strategy.script.hash != version
    assert snapshot(d.session) == before
    assert d.session.executor.account().orders == orders
    ((accepted, said),) = d.commands
    assert accepted
    assert (
        said == f"ema_cross runs mine.{d.language} {d.strategy.script.hash[:8]} (saved)"
    )
    # Its new words count: it does not leave the trade for the EMA any more.
    d.run(1_500)
    assert d.strategy.rows[name].state is SymbolState.IN_TRADE
    d.replays()


BROKEN = {
    "py": {
        "syntax": ("def manage_position", "def manage position"),
        "missing": ("def manage_position", "def manage_something"),
        "raises": ("if slow_before is None", "if slow_befor is None"),
        "range": ('"default": 0.02, "min": 0.0005', '"default": 0.02, "min": 0.5'),
    },
    "lua": {
        "syntax": ("function manage_position", "function manage position"),
        "missing": ("function manage_position", "function manage_something"),
        "raises": ("if slow_before == nil", "if slow_before.x == nil"),
        "range": ("default = 0.02, min = 0.0005", "default = 0.02, min = 0.5"),
    },
}


@pytest.mark.parametrize("how", BROKEN["py"])
def test_what_cannot_run_leaves_the_old_version_and_says_why(
    desk: Callable[..., Desk], how: str
) -> None:
    d = desk()
    d.run(1_200)
    before, version = snapshot(d.session), d.strategy.script
    d.replace(*BROKEN[d.language][how])
    d.ticks()
    assert d.strategy.script is version
    assert snapshot(d.session) == before
    ((accepted, said),) = d.commands
    assert not accepted
    assert said.startswith(f"mine.{d.language}")
    assert said.endswith(f"; {version.hash[:8]} goes on")
    report = d.session.reloading.report("ema_cross")
    assert report is not None
    assert (report.accepted, report.text) == (False, said)
    # It is not tried again, and a mended one is.
    d.ticks()
    assert len(d.commands) == 1
    d.replace(*reversed(BROKEN[d.language][how]))
    d.ticks()
    assert len(d.commands) == 1
    d.replace(*OFF[d.language])
    d.ticks()
    assert d.commands[-1][0]
    d.run(300)
    d.replays()


def test_an_undone_mistake_is_mended_and_said_again_when_it_comes_back(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(300)
    text = d.path.read_text()
    broken = text.replace(*BROKEN[d.language]["syntax"])
    for times in (1, 2):
        d.save(broken)
        d.ticks()
        assert len(d.commands) == times
        assert [each.active for each in d.alerts] == [True]
        before = d.session.engine.state_hash()
        d.save(text)
        d.ticks()
        assert d.session.reloading.report("ema_cross") is None
        assert [each.active for each in d.alerts] == [False]
        assert len(d.commands) == times
        assert d.session.engine.state_hash() == before
    d.run(300)
    d.replays()


def test_the_version_that_runs_leaves_what_is_said_of_it(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(300)
    d.replace(*OFF[d.language])
    d.ticks()
    report = d.session.reloading.report("ema_cross")
    d.save(d.path.read_text())
    d.ticks()
    assert d.session.reloading.report("ema_cross") is report


def test_a_call_without_end_is_not_made_at_every_bar_of_the_shadow(
    desk: Callable[..., Desk],
) -> None:
    d = desk("engine.script_budget_ms=20")
    d.run(1_200)
    head = "def detect_opportunity" if d.language == "py" else "function detect_opp"
    lines = d.path.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(head)) + 1
    endless = "    while True: pass\n" if d.language == "py" else "while true do end\n"
    d.save("".join([*lines[:at], endless, *lines[at:]]))
    calls = 0
    note = ShadowRun._failed

    def failed(self: ShadowRun, event: object, error: ScriptError) -> None:
        nonlocal calls
        calls += 1
        note(self, event, error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ShadowRun, "_failed", failed)
        d.ticks()
    ((accepted, said),) = d.commands
    assert not accepted
    assert "in the shadow" in said
    assert calls == (1 if d.language == "py" else 5)


def test_the_shadow_shows_what_the_new_version_would_have_done_otherwise(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run_until_in_trade()
    d.replace("bullish_cross", "bearish_cross_for_once")
    d.ticks()
    report = d.session.reloading.report("ema_cross")
    assert report is not None
    assert report.accepted
    assert report.bars > 20
    assert report.differences
    assert any("enter long" in each.before for each in report.differences)
    assert {each.instrument for each in report.differences} <= {"BTCUSDT", "ETHUSDT"}


def test_a_comment_makes_a_version_that_intends_the_same(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run_until_in_trade()
    d.save(d.path.read_text() + "\n" + ("#" if d.language == "py" else "--") + " so\n")
    d.ticks()
    report = d.session.reloading.report("ema_cross")
    assert report is not None
    assert report.accepted
    assert report.differences == ()


def test_parameters_that_were_set_stay_and_defaults_follow_the_script(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(200)
    d.session.execute(
        SetParams(strategy="ema_cross", instrument="BTCUSDT", values={"slow": 30})
    )
    if d.language == "py":
        d.replace('"slow": {"default": 20,', '"slow": {"default": 25,')
    else:
        d.replace("slow = {default = 20,", "slow = {default = 25,")
    d.ticks()
    rows = d.strategy.rows
    assert rows["BTCUSDT"].market.params["slow"] == 30
    assert rows["ETHUSDT"].market.params["slow"] == 25
    d.run(500)
    d.replays()


def test_a_removed_parameter_goes_unless_it_was_set(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.run(200)
    mine = '"volume"' if d.language == "py" else "volume ="
    assert mine in d.path.read_text()
    if d.language == "py":
        d.replace('"volume": {', '"least": {')
        d.replace('params["volume"]', 'params["least"]')
    else:
        d.replace("volume = {", "least = {")
        d.replace("params.volume", "params.least")
    text = d.path.read_text()
    d.ticks()
    assert d.commands[-1][0]
    assert "volume" not in d.strategy.rows["BTCUSDT"].market.params
    d.session.execute(
        SetParams(strategy="ema_cross", instrument="BTCUSDT", values={"least": 0.7})
    )
    d.save(text.replace("least", "lowest"))
    d.ticks()
    accepted, said = d.commands[-1]
    assert not accepted
    assert "unknown parameter 'least'" in said
    assert d.strategy.rows["BTCUSDT"].market.params["least"] == 0.7


def test_rolling_back_goes_to_the_version_before(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.run(500)
    first = d.strategy.script.hash
    reloading = d.session.reloading
    assert "no version before" in reloading.roll_back("ema_cross").detail
    d.replace(*OFF[d.language])
    d.ticks()
    second = d.strategy.script.hash
    assert second != first
    assert reloading.versions("ema_cross") == (first, second)
    assert reloading.versions("market") == ()
    assert "goes back" in reloading.roll_back("ema_cross").detail
    d.ticks(100)
    assert d.strategy.script.hash == first
    assert d.commands[-1][1].endswith("(rolled back)")
    # The file still has the second; looking at it again brings it not back.
    d.ticks()
    assert d.strategy.script.hash == first
    # Asked for by hand it comes.
    assert "tried in the shadow" in reloading.reload("ema_cross").detail
    d.ticks(100)
    assert d.strategy.script.hash == second
    assert "is the version that runs" in reloading.reload("ema_cross").detail
    d.run(300)
    d.replays()


def test_a_file_that_is_deleted_and_made_again_or_a_link_is_followed(
    desk: Callable[..., Desk], tmp_path: Path
) -> None:
    d = desk()
    d.run(300)
    text = d.path.read_text()
    d.path.unlink()
    d.ticks()
    assert d.commands == []
    d.save(text)
    d.ticks()
    assert d.commands == []
    other = tmp_path / f"other.{d.language}"
    other.write_text(text.replace(*OFF[d.language]))
    d.path.unlink()
    d.path.symlink_to(other)
    d.ticks()
    assert [accepted for accepted, _ in d.commands] == [True]
    assert d.strategy.script.text == other.read_text()


def test_a_file_that_cannot_be_read_is_said_once_and_read_when_it_can_be(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(300)
    text = d.path.read_text()
    d.path.unlink()
    d.path.mkdir()
    d.ticks()
    d.ticks()
    ((accepted, said),) = d.commands
    assert not accepted
    assert "cannot be read: Is a directory" in said
    d.path.rmdir()
    d.save(text.replace(*OFF[d.language]))
    # What was unreadable may become readable by its rights alone.
    watched = d.session.reloading._watched["ema_cross"]
    mtime = d.path.stat().st_mtime_ns
    watched.seen = (mtime, 0, d.path.stat().st_size, d.path.stat().st_ino)
    d.ticks()
    assert d.commands[-1][0]


def test_a_load_without_end_is_said_whatever_has_become_of_the_file(
    tmp_path: Path,
) -> None:
    d = Desk(tmp_path, "py", "engine.script_budget_ms=20")
    d.run(100)
    for become in ("def broken(", None):
        d.save(f"while True:\n    pass\n# {become}\n")
        assert d.session.reloading.reload("ema_cross").accepted
        if become is None:
            d.path.unlink()
        else:
            d.path.write_text(become)
        d.session.reloading._advance(0)
        accepted, said = d.commands[-1]
        assert not accepted
        assert said.startswith("mine.py:1: did not finish loading within 20 ms")
    d.session.close()


def test_saved_twice_a_second_for_a_minute_it_keeps_up_and_loses_nothing(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run_until_in_trade()
    before = snapshot(d.session)
    mark = "#" if d.language == "py" else "--"
    text = d.path.read_text()
    for number in range(120):
        d.save(f"{text}\n{mark} {number}\n")
        d.ticks(500)
        assert snapshot(d.session) == before
        assert len(children()) <= 1
    d.ticks()
    assert d.strategy.script.text.endswith(f"{mark} 119\n")
    assert all(accepted for accepted, _ in d.commands)
    d.run(200)
    d.session.close()
    assert children() == []
    d.replays()


def test_a_module_that_never_ends_holds_the_screen_for_a_call_s_time(
    tmp_path: Path,
) -> None:
    d = Desk(tmp_path, "py", "engine.script_budget_ms=30")
    d.run(300)
    version = d.strategy.script
    d.save("while True: pass\n")
    d.ticks()
    assert d.strategy.script is version
    ((accepted, said),) = d.commands
    assert not accepted
    assert said.startswith("mine.py:1: did not finish loading within 30 ms")
    d.session.close()


def test_saved_faster_than_it_can_be_tried_only_the_newest_is(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(1_000)
    reloading = d.session.reloading
    mark = "#" if d.language == "py" else "--"
    text = d.path.read_text()
    for number in range(20):
        d.save(f"{text}\n{mark} {number}\n")
        for _ in range(2):
            # One slice of work between two looks: less than any shadow run.
            reloading._look("ema_cross", reloading._watched["ema_cross"])
            reloading._advance(0)
        assert len(reloading._waiting) <= 1
    d.ticks()
    assert d.strategy.script.text.endswith(f"{mark} 19\n")
    assert len(d.commands) <= 2


@pytest.mark.parametrize("by_hand", [False, True])
def test_saved_back_while_another_version_is_tried_the_file_is_what_runs(
    desk: Callable[..., Desk], by_hand: bool
) -> None:
    d = desk()
    d.run(1_200)
    reloading = d.session.reloading
    text = d.path.read_text()

    def take_up(saved: str) -> None:
        d.save(saved)
        if by_hand:
            assert reloading.reload("ema_cross").accepted
        else:
            d.look()

    take_up(text.replace(*OFF[d.language]))
    reloading._advance(0)
    assert reloading._job is not None
    take_up(text)
    d.ticks()
    assert d.strategy.script.text == text
    assert [accepted for accepted, _ in d.commands] == [True, True]
    d.run(300)
    d.replays()


def test_saved_back_while_it_is_rolled_back_to_stays_away(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(300)
    first = d.strategy.script.hash
    d.replace(*OFF[d.language])
    d.ticks()
    reloading = d.session.reloading
    assert reloading.roll_back("ema_cross").accepted
    d.save(d.path.read_text())
    d.look()
    assert len(reloading._waiting) == 2
    d.ticks()
    assert d.strategy.script.hash == first


def waits_in(reloading: Reloading) -> str:
    """Return the name of what the version that is tried has come to."""
    job = reloading._job
    inner = None if job is None else getattr(job.work, "gi_yieldfrom", None)
    return "" if inner is None else str(inner.gi_code.co_name)


def test_leaving_while_a_version_is_made_ready_leaves_no_worker(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(300)
    before = len(children())
    d.replace(*OFF[d.language])
    d.ticks()
    reloading = d.session.reloading
    reloading.roll_back("ema_cross")
    reloading._advance(0)
    reloading.close()
    assert len(children()) == before
    # Ready, and waiting for the end of a step when it is told to close.
    d.session.engine.core.scripts._open.add(0)
    d.save(d.path.read_text() + "\n")
    reloading.reload("ema_cross")
    while waits_in(reloading) != "_hand_over":
        reloading._advance(0)
    reloading.close()
    d.session.engine.core.scripts._open.clear()
    assert len(children()) == before


def test_a_version_that_ends_its_worker_in_the_shadow_can_be_replaced(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    d = desk()
    if d.language == "py":
        pytest.skip("Python scripts have no worker")
    d.run(1_000)
    running = children()
    played = 0
    steps = ShadowRun.steps

    def deadly(self: ShadowRun) -> Steps[None]:
        nonlocal played
        played += 1
        if played == 2:
            (tried,) = set(children()) - set(running)
            os.kill(int(tried), signal.SIGKILL)
        yield from steps(self)

    monkeypatch.setattr(ShadowRun, "steps", deadly)
    d.replace(*OFF[d.language])
    d.ticks()
    assert played == 2
    ((accepted, said),) = d.commands
    assert accepted, said
    assert len(children()) == 1
    d.run(300)
    d.replays()


def test_what_nobody_expected_while_trying_is_a_refusal_and_no_end(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    d = desk()
    d.run(300)

    def broken(*_: object) -> None:
        raise KeyError("a hole in the world")

    with monkeypatch.context() as patch:
        patch.setattr(ShadowRun, "steps", broken)
        d.replace(*OFF[d.language])
        d.ticks()
    ((accepted, said),) = d.commands
    assert not accepted
    assert "cannot be tried: KeyError: 'a hole in the world'" in said
    assert len(children()) <= 1
    d.save(d.path.read_text() + "\n")
    d.ticks()
    assert d.commands[-1][0]


def test_it_takes_two_seconds_at_most(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.run(300)
    d.ticks()
    d.replace(*OFF[d.language])
    begun = d.wall.now()
    while not d.commands:
        d.ticks(100)
    assert d.wall.now() - begun <= 2_000 * MS


async def test_what_one_tick_began_goes_on_by_itself_in_small_pieces(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(1_200)
    reloading = d.session.reloading
    reloading._wall = Wall(MS)
    pieces = 0
    advance = reloading._advance

    def counted(until_ns: int) -> bool:
        nonlocal pieces
        pieces += 1
        return advance(until_ns)

    reloading._advance = counted  # type: ignore[method-assign]
    d.replace(*OFF[d.language])
    assert reloading.reload("ema_cross").accepted
    reloading.tick()
    assert pieces == 1
    reloading.tick()
    # Its turn is coming: the screen's tick adds none.
    assert pieces == 1
    turns = 0
    while not d.idle:
        turns += 1
        await asyncio.sleep(0)
    assert turns > 0
    assert [accepted for accepted, _ in d.commands] == [True]
    assert pieces > 10


def test_a_slice_ends_where_there_is_nothing_to_do_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = Desk(tmp_path, "lua")
    d.run(300)
    reloading = d.session.reloading
    polls = 0
    # A thousand looks at this clock make a slice.
    reloading._wall = Wall(3_000)

    def unanswered(worker: LuaWorker) -> None:
        nonlocal polls
        polls += 1

    with monkeypatch.context() as patch:
        patch.setattr(LuaWorker, "receive_ready", unanswered)
        d.replace(*OFF["lua"])
        assert reloading.reload("ema_cross").accepted
        for _ in range(3):
            reloading.tick()
        assert polls == 3
    opened = d.session.engine.core.scripts._open
    opened.add(0)
    while waits_in(reloading) != "_hand_over":
        reloading.tick()
    now = reloading._wall.now()
    reloading.tick()
    assert reloading._wall.now() - now < 10 * 3_000
    opened.clear()
    d.ticks()
    assert d.commands[-1][0]
    d.session.close()


async def test_a_session_that_closes_gives_up_what_is_tried(
    desk: Callable[..., Desk],
) -> None:
    d = desk()
    d.run(1_200)
    reloading = d.session.reloading
    reloading._wall = Wall(MS)
    d.replace(*OFF[d.language])
    assert reloading.reload("ema_cross").accepted
    reloading.tick()
    turn = reloading._turn
    assert turn is not None
    d.session.close()
    assert turn.cancelled()
    assert d.idle
    assert children() == []


def test_a_script_that_could_not_be_loaded_runs_once_it_is_mended(
    tmp_path: Path,
) -> None:
    script = tmp_path / "mine.py"
    script.write_text("def detect(")
    wall = SimClock(1_000_000_000)
    session = assemble_session(
        settings(*SMALL, *with_script(script)), paused=True, tolerant=True, wall=wall
    )
    run_backtest(session.engine, Until(events=100))
    assert session.engine.registry.get("ema_cross").state == "failed"
    script.write_text(EMA_PY)
    for _ in range(40):
        wall.advance_to(wall.now() + 100 * MS)
        session.reloading.tick()
    assert session.engine.registry.get("ema_cross").state == "running"
    run_backtest(session.engine)
    assert session.strategies[0].calls > 100
    session.close()


def test_the_shadow_plays_with_the_parameters_that_the_operator_has_set(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    d = desk()
    d.run(500)
    given = SetParams(strategy="ema_cross", instrument="BTCUSDT", values={"slow": 33})
    assert d.session.execute(given).accepted
    seen: list[list[object]] = []
    steps = ShadowRun.steps

    def looked(self: ShadowRun) -> Steps[None]:
        rows = self.strategy.rows.values()
        seen.append([row.market.params["slow"] for row in rows])
        yield from steps(self)

    monkeypatch.setattr(ShadowRun, "steps", looked)
    d.replace(*OFF[d.language])
    d.ticks()
    assert seen == [[33, 20], [33, 20]]


def test_what_the_config_gives_stays_though_it_was_the_default(
    desk: Callable[..., Desk],
) -> None:
    d = desk("strategies.0.params={fast=10}")
    d.run(200)
    if d.language == "py":
        d.replace('"fast": {"default": 10,', '"fast": {"default": 12,')
    else:
        d.replace("fast = {default = 10,", "fast = {default = 12,")
    d.ticks()
    assert d.commands[-1][0]
    assert d.strategy.params["fast"] == 10
    assert {row.market.params["fast"] for row in d.strategy.rows.values()} == {10}


def test_a_mended_script_gives_each_symbol_its_own_parameters_and_no_way_back(
    tmp_path: Path,
) -> None:
    script = tmp_path / "mine.py"
    script.write_text("def detect(")
    wall = SimClock(1_000_000_000)
    run = settings(
        *SMALL,
        *with_script(script),
        "strategies.0.params={fast=10, stop=0.05}",
        "strategies.0.symbol_params={BTCUSDT={slow=30, stop=1}}",
    )
    session = assemble_session(run, paused=True, tolerant=True, wall=wall)
    run_backtest(session.engine, Until(events=100))
    refused = session.execute(RestartTask(task="ema_cross"))
    assert refused.detail.endswith("; mend the file and save it")
    given = SetParams(strategy="ema_cross", instrument="ETHUSDT", values={"fast": 11})
    assert session.execute(given).accepted
    script.write_text(EMA_PY.replace('"max": 0.4', '"max": 2'))
    for _ in range(40):
        wall.advance_to(wall.now() + 100 * MS)
        session.reloading.tick()
    rows = session.strategies[0].rows
    names = ("fast", "slow", "stop")
    assert [rows["BTCUSDT"].market.params[n] for n in names] == [10, 30, 1.0]
    assert [rows["ETHUSDT"].market.params[n] for n in names] == [11, 20, 0.05]
    assert session.strategies[0].params["slow"] == 20
    assert not session.reloading.roll_back("ema_cross").accepted
    session.close()
