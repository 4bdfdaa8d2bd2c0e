"""Gates as lines: all of them with their numbers, as far as there is room."""

from __future__ import annotations

from workstation.model.states import Gate
from workstation.ui.panels.gate_lines import gate_lines
from workstation.ui.widgets.text_panel import Line

GATES = (
    Gate("feed", True, "40 ms of 5 s"),
    Gate("book", True, "trusted"),
    Gate("task", True, "running"),
    Gate("state", False, "in trade"),
    Gate("size", True, "0.5, lot 0.1"),
    Gate("broker", True, "no fate unknown"),
)


def texts(lines: list[Line]) -> list[str]:
    made = []
    for line in lines:
        assert isinstance(line, list)
        made.append("".join(text for text, _ in line))
    return made


def test_with_room_for_all_names_stand_in_one_column() -> None:
    assert texts(gate_lines(GATES, 40, 6)) == [
        "✓ feed   40 ms of 5 s",
        "✓ book   trusted",
        "✓ task   running",
        "✗ state  in trade",
        "✓ size   0.5, lot 0.1",
        "✓ broker no fate unknown",
    ]


def test_passed_ones_stand_side_by_side_and_a_failed_one_alone() -> None:
    assert texts(gate_lines(GATES, 60, 5)) == [
        "✓ feed 40 ms of 5 s   ✓ book trusted  ✓ task running",
        "✗ state in trade",
        "✓ size 0.5, lot 0.1   ✓ broker no fate unknown",
    ]


def test_words_go_before_numbers() -> None:
    assert texts(gate_lines(GATES, 36, 3)) == [
        "✓ feed 40 ms of 5 s   ✓ book  ✓ task",
        "✗ state in trade",
        "✓ size 0.5, lot 0.1   ✓ broker",
    ]


def test_what_stands_beside_a_number_does_not_move_with_it() -> None:
    places = set()
    for age in ("0 ms", "5 ms", "17 ms", "0.1 s", "100 ms"):
        gates = (Gate("feed", True, f"{age} of 5 s"), *GATES[1:])
        places.add(texts(gate_lines(gates, 60, 5))[0].index("✓ book"))
    assert places == {22}


def test_where_nothing_else_fits_what_passed_is_a_name_and_what_failed_is_whole() -> (
    None
):
    assert texts(gate_lines(GATES, 24, 3)) == [
        "✓ feed  ✓ book  ✓ task",
        "✗ state in trade",
        "✓ size  ✓ broker",
    ]


def test_nothing_is_left_out_for_want_of_room() -> None:
    shown = " ".join(texts(gate_lines(GATES, 12, 1)))
    assert all(gate.name in shown for gate in GATES)
