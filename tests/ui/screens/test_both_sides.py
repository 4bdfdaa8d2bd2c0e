"""Both sides as rows and sentences: what differs first, and no figure that misleads."""

from __future__ import annotations

import pytest

from tests.ui.screens.scenes import TS, D
from tests.ui.screens.sides import (
    DIFFERING,
    INSTRUMENTS,
    S,
    agreeing,
    balance_line,
    order_line,
    position_line,
    side,
    view,
)
from workstation.model.orders import OrderStatus
from workstation.model.reconciliation import ReconciliationView, Verdict
from workstation.ui.screens.both_sides import (
    Line,
    amount,
    can_be_settled,
    export_rows,
    find_line,
    head_fields,
    key_of,
    line_words,
    sections,
    verdict_info,
)
from workstation.ui.widgets.rows import Row, cell_parts
from workstation.ui.widgets.section_table import Section

WIDE = 118


def cells(row: Row) -> list[str]:
    return [cell_parts(cell)[0].strip() for cell in row.cells]


def section(place: int, sides: ReconciliationView, width: int = WIDE) -> Section:
    return sections(sides, INSTRUMENTS, TS, width)[place]


def lines_of(sides: ReconciliationView) -> list[Line]:
    return [*sides.orders, *sides.positions, *sides.balances]


def keys(place: int, sides: ReconciliationView = DIFFERING) -> list[str]:
    return [row.key for row in section(place, sides).rows]


def test_what_is_not_as_it_should_be_comes_first_in_its_section() -> None:
    assert keys(0) == ["order/web-7", "order/o-13", "order/o-12"]
    assert keys(1) == ["position/external/ETHUSDT", "position/ema_cross/ETHUSDT"]
    assert keys(2) == ["balance/BTC", "balance/USDT", "balance/ETH"]


def test_a_verdict_has_a_word_a_colour_and_a_flag_where_it_wants_a_hand() -> None:
    rows = section(0, DIFFERING).rows
    assert [cells(row)[6] for row in rows] == ["external", "asking", "agrees"]
    assert [cell_parts(row.cells[6])[1] for row in rows] == ["warn", "info", "good"]
    assert [cell_parts(row.flag)[0] for row in rows] == ["!", "", ""]
    assert cell_parts(section(2, DIFFERING).rows[0].flag) == ("!", "bad")


def test_an_order_is_written_the_same_way_on_both_sides() -> None:
    row = section(0, DIFFERING).rows[1]
    assert cells(row)[3:6] == [
        "ema_cross",
        "open 0/0.010 @ 61,000.00",
        "part 0.004/0.010 @ 61,000.00",
    ]
    market = order_line(here=side(price=None), venue=None)
    row = section(0, view(orders=(market,))).rows[0]
    assert cells(row)[4:6] == ["open 0/0.010 @ market", "none"]
    stop = side(price=None, trigger=D("59000"))
    stops = order_line(here=stop, venue=side(trigger=D("59000")))
    row = section(0, view(orders=(stops,))).rows[0]
    assert cells(row)[4:6] == [
        "open 0/0.010 stop 59,000.00",
        "open 0/0.010 stop 59,000.00 @ 61,000.00",
    ]


def test_in_a_narrow_table_the_other_side_stands_below_its_row() -> None:
    rows = section(0, DIFFERING, 75).rows
    assert [row.key for row in rows] == [
        *("order/web-7", "order/o-13", "order/o-13/note", "order/o-12")
    ]
    assert [cells(row)[5] for row in rows if not row.note] == ["same", "other", "same"]
    assert rows[2].note[0][0].strip() == ("at the venue: part 0.004/0.010 @ 61,000.00")


def test_a_long_id_is_cut_with_a_sign_in_a_narrow_table_alone() -> None:
    line = order_line("web_0123456789abcdef", venue=None)
    assert cells(section(0, view(orders=(line,))).rows[0])[0] == line.order_id
    narrow = section(0, view(orders=(line,)), 60).rows[0]
    assert cells(narrow)[0] == "web_01234…"
    assert line.order_id in line_words(line, view(), INSTRUMENTS)


def test_balances_are_aligned_on_the_point_with_as_many_decimals_as_it_takes() -> None:
    rows = section(2, DIFFERING).rows
    assert cells(rows[0])[:5] == ["BTC", "0.5000", "0.4875", "0.0000", "−0.0125"]
    assert cells(rows[1])[1:5] == ["100,000.00", "100,250.00", "0.00", "+250.00"]
    points = {cell_parts(row.cells[1])[0].index(".") for row in rows}
    assert len(points) == 1
    assert cells(rows[2])[4:7] == ["·", "0:12", "agrees"]


def test_a_difference_below_the_lot_is_written_out() -> None:
    assert amount(D("0.5"), "BTC", INSTRUMENTS, D("0.00000001")) == "0.50000000"
    assert amount(D("1E+3"), "USDT", INSTRUMENTS, D("1E+2"), sign=True) == "+1,000.00"
    assert amount(None, "USDT", INSTRUMENTS) == "·"


def test_both_figures_are_of_the_moment_at_which_the_venue_answered() -> None:
    moved = balance_line(here="99000", venue=D(100_250))
    row = section(2, view(balances=(moved,))).rows[0]
    assert cells(row)[1:3] == ["100,000.00", "100,250.00"]
    assert cells(row)[7].startswith("99,000.00 here by now; no entries in USDT")
    narrow = section(2, view(balances=(moved,)), 75).rows
    assert narrow[1].note[0][0].strip() == "99,000.00 here by now"
    assert line_words(moved, view(), INSTRUMENTS) == (
        "USDT: 100,000.00 here, 100,250.00 at the venue, 250.00 more when it "
        "answered; 99,000.00 here by now. Nothing is entered in USDT until this is "
        "settled."
    )


def test_a_currency_that_is_nothing_anywhere_is_left_out() -> None:
    assert keys(2, view(balances=(agreeing("ETH", "0"), agreeing()))) == [
        "balance/USDT"
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "asked 3 s ago  answered  agreed 33 s ago"),
        ({"agreed_ns": None}, "asked 3 s ago  answered  never agreed"),
        ({"asked_ns": TS, "answered_ns": TS - 3 * S}, "asked 0 s ago  no answer yet"),
        ({"agreed_ns": TS - 200 * S}, "agreed 3:20 ago"),
        ({"asked_ns": None}, "the venue has not been asked yet"),
        ({"waiting": True}, "nothing is entered until it has answered"),
        ({"answers": False}, "this broker cannot be asked"),
    ],
)
def test_the_head_says_when_the_venue_was_asked(
    changes: dict[str, object], said: str
) -> None:
    fields = head_fields(view(**changes), TS)
    text = "  ".join("".join(part for part, _ in each.parts) for each in fields)
    assert said in text


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (DIFFERING, ("4 to settle", "bad")),
        (view(), ("all agree", "good")),
        (
            view(balances=(balance_line(verdict=Verdict.ASKING),)),
            ("being compared", "info"),
        ),
        (
            view(balances=(balance_line(verdict=Verdict.IGNORED),)),
            ("1 ignored, the rest agrees", "dim"),
        ),
    ],
)
def test_the_rule_says_how_much_is_to_settle(
    sides: ReconciliationView, said: tuple[str, str]
) -> None:
    assert verdict_info(sides) == said


def test_an_account_with_nothing_says_so_with_its_cash() -> None:
    assert line_words(agreeing(), view(), INSTRUMENTS) == (
        "Nothing open, nothing held: 100,000.00 USDT on both sides."
    )
    assert [each.empty for each in sections(view(), INSTRUMENTS, TS, WIDE)[:2]] == [
        "none open, here or there",
        "nothing held",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            order_line(),
            "web-7, buy BTCUSDT of external: open 0/0.010 @ 61,000.00 on both sides: "
            "made at the venue.",
        ),
        (
            order_line(here=None, owner="", verdict=Verdict.DIFFERS, reason=""),
            "web-7, buy BTCUSDT: none here, open 0/0.010 @ 61,000.00 at the venue.",
        ),
        (
            position_line(),
            "external holds +0.020 ETHUSDT @ 2,682.50: made at the venue.",
        ),
        (
            balance_line(verdict=Verdict.ASKING),
            "USDT: 100,000.00 here, 100,250.00 at the venue, 250.00 more. It is asked "
            "once more: a fill may be on its way here.",
        ),
        (
            balance_line(verdict=Verdict.IGNORED, reason="a gift"),
            "USDT: 100,000.00 here, 100,250.00 at the venue, 250.00 more. Ignored: a "
            "gift.",
        ),
        (
            balance_line(venue=None, difference="0", verdict=Verdict.ASKING),
            "USDT: 100,000.00 here; the venue has not answered yet.",
        ),
    ],
)
def test_the_row_below_the_cursor_is_written_out(line: object, said: str) -> None:
    assert line_words(line, DIFFERING, INSTRUMENTS) == said  # type: ignore[arg-type]


def test_a_line_is_found_by_its_key_as_long_as_it_is_there() -> None:
    for line in lines_of(DIFFERING):
        assert find_line(DIFFERING, key_of(line)) == line
    assert find_line(DIFFERING, "order/gone") is None
    assert find_line(None, "order/web-7") is None


def test_only_what_was_made_at_the_venue_or_differs_can_be_settled() -> None:
    assert [key_of(line) for line in lines_of(DIFFERING) if can_be_settled(line)] == [
        *("order/web-7", "position/external/ETHUSDT", "balance/BTC", "balance/USDT")
    ]
    asked = order_line(verdict=Verdict.ASKING, venue=None)
    assert can_be_settled(asked), "who owns it is known, whatever the list says"


def test_the_export_is_plain_and_whole() -> None:
    head, *rows = export_rows(DIFFERING)
    assert len(rows) == 8
    assert {len(row) for row in rows} == {len(head)}
    table = {(row[0], row[1]): dict(zip(head, row, strict=True)) for row in rows}
    assert table["balance", "BTC"]["difference"] == "-0.0125"
    assert table["balance", "USDT"]["venue"] == "100250"
    assert table["order", "o-13"]["venue"] == "accepted 0.004/0.010 @ 61000.00"
    assert table["position", "ETHUSDT"]["why"] in ("", "made at the venue")


def test_a_status_of_the_venue_that_we_do_not_have_is_another_one() -> None:
    odd = order_line(here=side(status=OrderStatus.PENDING_CANCEL))
    row = section(0, view(orders=(odd,))).rows[0]
    assert cells(row)[4].startswith("cancel… 0/0.010")
    assert cell_parts(row.cells[5])[1] == "warn"
