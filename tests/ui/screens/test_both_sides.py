"""Both sides in words: no figure that misleads, and each line written out."""

from __future__ import annotations

import pytest

from tests.ui.screens.scenes import TS, D
from tests.ui.screens.sides import (
    DIFFERING,
    INSTRUMENTS,
    S,
    balance_line,
    order_line,
    position_line,
    view,
)
from workstation.model.reconciliation import (
    ReconciliationView,
    Verdict,
)
from workstation.ui.screens.both_sides import (
    Line,
    amount,
    can_be_settled,
    export_rows,
    find_line,
    head_fields,
    key_of,
    line_words,
    verdict_info,
)


def lines_of(sides: ReconciliationView) -> list[Line]:
    return [*sides.orders, *sides.positions, *sides.balances]


def test_a_difference_below_the_lot_is_written_out() -> None:
    assert amount(D("0.5"), "BTC", INSTRUMENTS, D("0.00000001")) == "0.50000000"
    assert amount(D("1E+3"), "USDT", INSTRUMENTS, D("1E+2"), sign=True) == "+1,000.00"
    assert amount(None, "USDT", INSTRUMENTS) == "·"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "asked 3 s ago  answered  agreed 33 s ago"),
        ({"agreed_ns": None}, "asked 3 s ago  answered  never agreed"),
        ({"asked_ns": TS, "answered_ns": TS - 3 * S}, "asked 0 s ago  no answer yet"),
        ({"agreed_ns": TS - 200 * S}, "agreed 3:20 ago"),
        ({"asked_ns": None}, "the venue has not been asked yet"),
        ({"waiting": True}, "no entries until it has answered"),
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
        (view(waiting=True), ("not compared yet", "info")),
        (view(answered_ns=None), ("not compared yet", "info")),
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
