"""The table of both sides: what differs first, and no figure that is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.ui.screens.scenes import TS, D
from tests.ui.screens.sides import (
    DIFFERING,
    INSTRUMENTS,
    agreeing,
    balance_line,
    order_line,
    side,
    view,
)
from workstation.model.orders import OrderStatus
from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    OrderSide,
    ReconciliationView,
    Verdict,
)
from workstation.ui.screens.both_sides import (
    Line,
    export_rows,
    key_of,
    line_words,
)
from workstation.ui.screens.side_rows import sections
from workstation.ui.typeset import width as width_of
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


def test_an_account_with_nothing_says_so_with_its_cash() -> None:
    assert line_words(agreeing(), view(), INSTRUMENTS) == (
        "Nothing open, nothing held: 100,000.00 USDT on both sides."
    )
    assert [each.empty for each in sections(view(), INSTRUMENTS, TS, WIDE)[:2]] == [
        "none open, here or there",
        "nothing held",
    ]


def test_a_status_of_the_venue_that_we_do_not_have_is_another_one() -> None:
    odd = order_line(here=side(status=OrderStatus.PENDING_CANCEL))
    row = section(0, view(orders=(odd,))).rows[0]
    assert cells(row)[4].startswith("cancel… 0/0.010")
    assert cell_parts(row.cells[5])[1] == "warn"


amounts = st.decimals(
    min_value=-(10**15), max_value=10**15, places=12, allow_nan=False
).map(lambda value: value.normalize())
verdicts = st.sampled_from(Verdict)
order_sides = st.one_of(
    st.none(),
    st.builds(
        OrderSide,
        status=st.sampled_from(OrderStatus),
        filled=amounts,
        quantity=amounts,
        price=st.one_of(st.none(), amounts),
        trigger=st.one_of(st.none(), amounts),
    ),
)
names = st.sampled_from(["BTCUSDT", "ETHUSDT", "UNKNOWN"])


@given(
    orders=st.lists(
        st.builds(
            order_line,
            id=st.text("web_0123456789-", min_size=1, max_size=40),
            instrument=names,
            here=order_sides,
            venue=order_sides,
            verdict=verdicts,
        ),
        max_size=4,
        unique_by=lambda line: line.order_id,
    ),
    balances=st.lists(
        st.builds(
            BalanceLine,
            currency=st.sampled_from(["BTC", "USDT", "XYZ"]),
            here=amounts,
            venue=st.one_of(st.none(), amounts),
            locked=st.one_of(st.none(), amounts),
            difference=amounts,
            verdict=verdicts,
            since_ns=st.one_of(st.none(), st.integers(0, TS)),
        ),
        max_size=3,
        unique_by=lambda line: line.currency,
    ),
    width=st.integers(20, 200),
)
def test_any_account_has_a_row_for_each_line_and_no_figure_is_cut(
    orders: list[OrderLine], balances: list[BalanceLine], width: int
) -> None:
    sides = view(orders=tuple(orders), balances=tuple(balances))
    found = sections(sides, INSTRUMENTS, TS, width)
    shown = [row.key for each in found for row in each.rows if not row.note]
    kept = [line for line in lines_of(sides) if key_of(line) in shown]
    assert sorted(shown) == sorted(map(key_of, kept))
    assert all(line in kept for line in orders)
    for each in balances:
        assert each in kept or (each.verdict is Verdict.AGREES and not each.here)
    for line in lines_of(sides):
        assert line_words(line, sides, INSTRUMENTS)
    for part in found:
        for row in part.rows:
            for cell, column in zip(row.cells, part.columns, strict=False):
                assert column.flex or width_of(cell_parts(cell)[0]) <= column.width
    assert len(export_rows(sides)) == 1 + len(lines_of(sides))
