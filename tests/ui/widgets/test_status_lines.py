from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.status_lines import (
    AlertLine,
    Field,
    FooterKey,
    FooterKeys,
    HeaderLines,
    TransportLine,
    field,
    lay_fields,
)

TRUST = [
    field("SIM ×4 RUN"),
    field("demo"),
    field("2024-08-08 23:55:12 UTC"),
    field("event 48,210/76,867", priority=9),
    field("feeds 2/2 40 ms", right=True, priority=2),
    field("books 7/8 !", right=True),
    field("unknown 0", right=True),
    field("loop 2 ms", right=True, priority=3),
]


async def test_the_header_has_two_lines_from_120_columns_and_its_own_below() -> None:
    header = HeaderLines()
    async with Host(header).run_test(size=(120, 10)) as pilot:
        header.set_lines(TRUST, [field("equity")], [field("SIM 23:55:12Z")])
        await pilot.pause()
        assert header.size.height == 2
        first = painted(header)[0]
        assert first.startswith(
            " SIM ×4 RUN  demo  2024-08-08 23:55:12 UTC  event 48,2"
        )
        assert first.endswith("feeds 2/2 40 ms  books 7/8 !  unknown 0  loop 2 ms ")
        assert painted(header)[1].startswith(" equity")
        await pilot.resize_terminal(80, 10)
        await pilot.pause()
        assert header.size.height == 1
        assert painted(header)[0].startswith(" SIM 23:55:12Z")


@given(st.integers(1, 160))
def test_fields_leave_whole_and_by_priority(cells: int) -> None:
    text = "".join(part for part, _ in lay_fields(TRUST, cells))
    wanted = ["".join(part for part, _ in item.parts) for item in TRUST]
    shown = [word for word in wanted if word in text]
    assert text.split() == " ".join(shown).split()
    if "event 48,210/76,867" in shown:
        assert shown == wanted
    if cells >= 12:
        assert cell_len(text) <= cells


async def test_an_unchanged_header_draws_nothing() -> None:
    header = HeaderLines()
    async with Host(header).run_test(size=(120, 4)) as pilot:
        header.set_lines(TRUST, [], [])
        await pilot.pause()
        draws = header.draws
        header.set_lines(list(TRUST), [], [])
        await pilot.pause()
        assert header.draws == draws


async def test_an_alert_keeps_its_count_and_is_cut_between_words() -> None:
    alert = AlertLine()
    async with Host(alert).run_test(size=(60, 4)) as pilot:
        assert painted(alert)[0].strip() == "no alerts"
        alert.set_alert(
            [("! ", "bad"), ("SOLUSDT book untrusted 32 s: sequence gap. Resync.", "")],
            [("1 of 2 alerts", "dim")],
            bad=True,
        )
        await pilot.pause()
        text = painted(alert)[0]
        assert text.startswith(" ! SOLUSDT book untrusted 32 s: sequence…  ")
        assert text.endswith("1 of 2 alerts ")
        assert cell_len(text) == 60
        alert.clear()
        assert painted(alert)[0].strip() == "no alerts"


KEYS = [
    FooterKey("o", "override", "app.pressed('o')"),
    FooterKey("F", "flatten", "app.pressed('F')"),
    FooterKey("/", "filter", "app.pressed('/')", priority=2),
    FooterKey("?", "keys", "app.pressed('?')", priority=1),
]


async def test_footer_keys_are_pressed_with_the_mouse() -> None:
    footer = FooterKeys(
        kill=FooterKey("ctrl+k", "KILL", "app.pressed('kill')", ink="bad")
    )
    app = Host(footer)
    async with app.run_test(size=(80, 4)) as pilot:
        footer.set_keys(KEYS)
        await pilot.pause()
        text = painted(footer)[0]
        assert text.startswith(" o override  F flatten  / filter  ? keys ")
        assert text.endswith(" ctrl+k KILL ")
        await pilot.click(footer, offset=(text.index("latt"), 0))
        await pilot.click(footer, offset=(text.index("KILL"), 0))
        await pilot.click(footer, offset=(50, 0))
        await pilot.pause()
        assert app.pressed == ["F", "kill"]


async def test_a_narrow_footer_drops_hints_but_never_the_kill_key() -> None:
    footer = FooterKeys()
    async with Host(footer).run_test(size=(50, 4)) as pilot:
        footer.set_keys(KEYS)
        await pilot.pause()
        assert painted(footer)[0].split() == [
            "o",
            "override",
            "F",
            "flatten",
            "?",
            "keys",
            "ctrl+k",
            "KILL",
        ]
        await pilot.resize_terminal(16, 4)
        await pilot.pause()
        assert painted(footer)[0].split() == ["ctrl+k", "KILL"]


async def test_the_transport_bar_shows_share_and_bookmarks() -> None:
    line = TransportLine()
    async with Host(line).run_test(size=(100, 4)) as pilot:
        line.set_transport([("RUN ×4", "good")], 0.63, "63%", [0.1, 0.2], KEYS)
        await pilot.pause()
        text = painted(line)[0]
        assert cell_len(text) == 100
        assert text.startswith(" RUN ×4 ━")
        assert "╸──" in text
        assert text.count("┊") == 2
        assert "63%  2 bookmarks  o override" in text
        await pilot.resize_terminal(40, 4)
        await pilot.pause()
        text = painted(line)[0]
        assert "63%" in text
        assert "bookmarks" not in text
        line.set_transport([("LIVE", "")], None, "", [], [])
        assert painted(line)[0].strip() == "LIVE"


def test_gaps_belong_to_the_field_behind_them() -> None:
    parts = lay_fields([field("a"), Field((("b", ""),), gap=1), field("c")], 20)
    assert "".join(text for text, _ in parts) == " a b  c"
