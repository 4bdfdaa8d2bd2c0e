from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.log_ring import LogRing
from workstation.ui.widgets.tail_log import LogLine, TailLog


def line(seq: int, kind: str = "state") -> LogLine:
    text = f"event {seq}"
    return LogLine(
        seq, kind, ((f"{kind} ", "dim"), (text, "")), f"{kind} {text}", "BTC"
    )


def lines(first: int, count: int, kind: str = "state") -> list[LogLine]:
    return [line(seq, kind) for seq in range(first, first + count)]


def shown(log: TailLog) -> list[int]:
    return [int(text.split()[-1]) for text in painted(log)]


async def test_the_newest_line_is_on_top_and_followed() -> None:
    log = TailLog()
    async with Host(log).run_test(size=(30, 5)) as pilot:
        log.extend(lines(0, 3))
        await pilot.pause()
        assert painted(log)[0].rstrip() == "state event 2"
        log.extend(lines(3, 10))
        await pilot.pause()
        assert shown(log) == [12, 11, 10, 9, 8]


async def test_newest_last_follows_at_the_bottom() -> None:
    log = TailLog(newest_first=False)
    async with Host(log).run_test(size=(30, 3)) as pilot:
        log.extend(lines(0, 10))
        await pilot.pause()
        assert shown(log) == [7, 8, 9]


async def test_a_batch_neither_scrolls_nor_changes_the_layout() -> None:
    log = TailLog()
    async with Host(log).run_test(size=(30, 5)) as pilot:
        await pilot.pause()
        size = log.virtual_size
        log.extend(lines(0, 5_000))
        await pilot.pause()
        assert log.virtual_size == size
        assert log.scroll_offset == (0, 0)
        assert log.line_count == (2_000, 2_000)
        assert log.evicted == 3_000
        assert log.formats == 5


async def test_a_held_position_stays_whatever_arrives() -> None:
    log = TailLog()
    app = Host(log)
    async with app.run_test(size=(30, 5)) as pilot:
        log.extend(lines(0, 100))
        log.focus()
        await pilot.press("down", "down", "down")
        assert not log.following
        assert log.cursor_line == line(97)
        before = painted(log)
        log.extend(lines(100, 50))
        await pilot.pause()
        assert painted(log) == before
        assert log.held_seq == 99
        await pilot.press("f")
        assert log.following
        assert painted(log)[0].rstrip() == "state event 149"
        follow = [
            m.following for m in app.heard if isinstance(m, TailLog.FollowChanged)
        ]
        assert follow == [False, True]


async def test_a_position_that_is_evicted_slides_to_the_oldest_kept() -> None:
    log = TailLog(max_lines=20)
    async with Host(log).run_test(size=(30, 5)) as pilot:
        log.extend(lines(0, 20))
        log.held_seq = 8
        assert log.held_seq == 8
        log.extend(lines(20, 18))
        await pilot.pause()
        assert shown(log) == [22, 21, 20, 19, 18]


async def test_filters_kinds_and_find_narrow_the_view() -> None:
    log = TailLog()
    async with Host(log).run_test(size=(30, 5)) as pilot:
        log.extend([*lines(0, 10, "fill"), *lines(10, 10, "deny")])
        assert log.kind_counts == {"fill": 10, "deny": 10}
        log.kinds = {"fill"}
        assert log.line_count == (10, 20)
        log.filter_text = "event !5"
        assert log.line_count == (9, 20)
        log.extend([line(55, "fill"), line(60, "fill"), line(61, "deny")])
        await pilot.pause()
        assert painted(log)[0].rstrip() == "fill event 60"
        log.kinds, log.filter_text = None, ""
        log.find_text = "deny event 1"
        assert log.find_next() == 10
        assert log.cursor_line == line(19, "deny")
        log.find_next()
        assert log.cursor_line == line(18, "deny")
        log.find_previous()
        assert log.cursor_line == line(19, "deny")
        log.filter_text = "nowhere"
        await pilot.pause()
        assert "No line passes the filter" in painted(log)[0]


async def test_the_lines_of_a_step_are_marked() -> None:
    log = TailLog()
    async with Host(log).run_test(size=(30, 5)) as pilot:
        log.extend(lines(0, 3))
        await pilot.pause()
        plain = log.render_line(0)
        log.highlight = {2}
        await pilot.pause()
        assert log.render_line(0) != plain
        assert log.render_line(0).text == plain.text


async def test_clicks_choose_and_double_clicks_select() -> None:
    log = TailLog()
    app = Host(log)
    async with app.run_test(size=(30, 5)) as pilot:
        log.extend(lines(0, 10))
        await pilot.pause()
        await pilot.click(log, offset=(3, 2))
        assert log.cursor_line == line(7)
        assert not any(isinstance(m, TailLog.LineSelected) for m in app.heard)
        await pilot.double_click(log, offset=(3, 1))
        await pilot.pause()
        chosen = [m.line.seq for m in app.heard if isinstance(m, TailLog.LineSelected)]
        assert chosen == [8]


async def test_an_empty_log_says_so_and_forgets_on_clear() -> None:
    log = TailLog(empty="Nothing yet; space starts the clock.")
    async with Host(log).run_test(size=(50, 5)) as pilot:
        assert "space starts the clock" in painted(log)[0]
        await pilot.press("down", "end", "pageup", "enter")
        log.extend(lines(0, 3))
        assert log.plain() == "state event 0\nstate event 1\nstate event 2"
        log.clear()
        assert log.line_count == (0, 0)
        assert "space starts the clock" in painted(log)[0]


@given(
    st.lists(st.integers(0, 30), max_size=20),
    st.integers(1, 40),
    st.sampled_from(["", "1", "!2", "event 3"]),
    st.one_of(st.none(), st.frozensets(st.sampled_from(["a", "b"]))),
)
def test_the_view_is_always_the_ring_sifted(
    batches: list[int], most: int, wanted: str, kinds: frozenset[str] | None
) -> None:
    ring = LogRing(most)
    ring.filter_text, ring.kinds = wanted, kinds
    ring.sift()
    seq = 0
    for batch in batches:
        ring.extend(line(seq + i, "ab"[(seq + i) % 2]) for i in range(batch))
        seq += batch
    kept = list(ring.view)
    ring.sift()
    assert kept == list(ring.view)
    assert len(ring.lines) == min(seq, most)
    assert ring.evicted == max(0, seq - most)
    assert sum(ring.counts().values()) == len(ring.lines)
