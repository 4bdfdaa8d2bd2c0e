"""What a VM gives is read exactly, and what it never gives is not guessed at."""

from __future__ import annotations

import pytest

from workstation.strategy.lua.replies import Reading, Refused, ReplyError, said
from workstation.strategy.lua.wire import (
    Answer,
    Failed,
    FailureKind,
    Need,
    NeedKind,
    Needs,
    Param,
)

READING = Reading(("a", "b", "exit"))


def over(kind: FailureKind) -> str:
    """Return what a test says of an overrun."""
    return f"over {kind}"


def test_an_answer_is_read_with_its_texts_and_sorted() -> None:
    given = (
        0,
        400,
        2,
        -2,
        3,
        1,
        True,
        1,
        1,
        2.5,
        1,
        3,
        False,
        1,
        7,
        8,
        2,
        2,
        1.0,
        1,
        2.0,
    )
    assert READING.reply(given, 9) == Answer(
        answer={"a": True, "b": "exit"},
        context={"a": 2.5},
        notes=(("a", 7, 8),),
        plots=(("a", 2.0), ("b", 1.0)),
        instructions=400,
        cpu_ns=9,
    )


def test_no_answer_and_no_change_are_none() -> None:
    assert READING.reply((0, 0, -1, -1, 0, 0), 0) == Answer()


def test_a_need_is_read_with_its_arguments() -> None:
    given = (1, 200, 5, 1, 2, 2, 10, False, 3, 1, False, 1, 2.5)
    assert READING.reply(given, 0) == Needs(
        needs=(Need(NeedKind.INDICATOR, "b", (10, "exit"), (("a", 2.5),)),),
        line=5,
        instructions=200,
    )


def test_a_failure_is_one_printable_line() -> None:
    given = (2, 0, 3, "script", "no\n\x1b[2J Ã© \xff" + "x" * 500)
    reply = READING.reply(given, 0)
    assert isinstance(reply, Failed)
    assert (reply.kind, reply.line) == (FailureKind.SCRIPT, 3)
    assert reply.message.startswith("no [2J é \ufffdxxx")
    assert len(reply.message) == 300


@pytest.mark.parametrize(
    "given",
    [
        (),
        (0, 0),
        (0, 0, 1, 1),
        (0, 0, -1, -1, 0),
        (0, 0, 1, 9, 1, -1, 0, 0),
        (0, 0, "a", -1, 0, 0),
        (1, 0, 1, 99, 1, 0, 0),
        (2, 0, 1, "mood", "no"),
        (2, 0, 1, "script"),
        (7, 0),
    ],
)
def test_what_is_no_reply_is_refused(given: tuple[object, ...]) -> None:
    with pytest.raises(ReplyError):
        READING.reply(given, 0)


def test_parameters_are_read_five_by_five() -> None:
    given = (0, 200, 1, 4, 7, "a", 10, 2, False, "hÃ©", "b", "exit", False, False, "")
    assert READING.load(given, over) == (
        (Param("a", 10, 2, None, "hé"), Param("b", "exit")),
        {"detect_opportunity": 1, "filter_commitment": 4, "manage_position": 7},
    )


@pytest.mark.parametrize(
    ("given", "message", "line"),
    [
        ((2, 0, -1, "script", "script:12: unexpected symbol"), "unexpected symbol", 12),
        ((2, 0, -1, "script", "no place"), "no place", None),
        ((2, 0, 4, "script", "raised"), "raised", 4),
        ((2, 0, 0, "script", "misses all"), "misses all", None),
        ((2, 0, 3, "budget", ""), "over budget", 3),
    ],
)
def test_a_load_that_failed_says_where(
    given: tuple[object, ...], message: str, line: int | None
) -> None:
    with pytest.raises(Refused) as caught:
        READING.load(given, over)
    assert (caught.value.reply.message, caught.value.reply.line) == (message, line)


def test_what_is_said_has_no_control_characters() -> None:
    assert said("a\0b\x1b\n  c\u202ed\t") == "a b c d"
