"""A worker that was taken over cannot say what no worker says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.strategy.lua.workers import load, script
from workstation.strategy.lua.judging import Judge, Untrue, rendered
from workstation.strategy.lua.lexer import strings_of
from workstation.strategy.lua.wire import (
    FUNCTIONS,
    Answer,
    Answers,
    ConfinementReport,
    Failed,
    FailureKind,
    Loaded,
    LoadFailed,
    Need,
    NeedKind,
    Needs,
    Param,
    Versions,
)

LOAD = load(script("return {a = 'b', c = '  '}"))
LOADED = Loaded(
    params=(Param("a", 1), Param("b", "exit")),
    functions=dict.fromkeys(FUNCTIONS, 1),
    strings=strings_of(LOAD),
    confinement=ConfinementReport(missing=("landlock",)),
    versions=Versions("Lua 5.4", "2.8", "3.11"),
)


def judge() -> Judge:
    """Return a judge that has accepted the script."""
    judge = Judge(LOAD)
    judge.loaded(LOADED)
    return judge


def need(kind: NeedKind, name: str = "", *args: float | str) -> Needs:
    """Return a reply with one need."""
    return Needs(needs=(Need(kind, name, args),))


@pytest.mark.parametrize(
    "loaded",
    [
        replace(LOADED, strings=(*LOADED.strings, "more")),
        replace(LOADED, strings=LOADED.strings[1:]),
        replace(LOADED, functions={"detect_opportunity": 1}),
        replace(LOADED, functions=dict.fromkeys(FUNCTIONS[::-1], 1)),
        replace(LOADED, params=(Param("unheard", 1),)),
        replace(LOADED, params=(Param("b", 1), Param("a", 1))),
        replace(LOADED, params=(Param("a", 1), Param("a", 1))),
        replace(LOADED, params=(Param("a", float("nan")),)),
        replace(LOADED, params=(Param("a", 1, float("-inf")),)),
        replace(LOADED, params=(Param("a", "unheard"),)),
        replace(LOADED, params=(Param("a", 1, help="\x1b[2J"),)),
        replace(LOADED, versions=Versions("\n", "2.8", "3.11")),
        replace(LOADED, confinement=ConfinementReport(missing=("\r",))),
    ],
)
def test_a_script_that_is_not_the_one_sent_is_not_believed(loaded: Loaded) -> None:
    with pytest.raises(Untrue):
        Judge(LOAD).loaded(loaded)


@pytest.mark.parametrize(
    "reply",
    [
        Answer(answer={"unheard": 1}),
        Answer(answer={"a": "unheard"}),
        Answer(answer={"a": float("nan")}),
        Answer(answer={"a": float("inf")}),
        Answer(context={"unheard": 1}),
        Answer(context={"a": float("-inf")}),
        Answer(context={"opportunity": 1}),
        Answer(notes=(("unheard",),)),
        Answer(plots=(("unheard", 1.0),)),
        Answer(plots=(("a", float("nan")),)),
        Answer(plots=(("  ", 1.0),)),
        Failed(kind=FailureKind.SCRIPT, message="\x1b[2J"),
        Failed(kind=FailureKind.SCRIPT, message="two\nlines"),
        Failed(kind=FailureKind.SCRIPT, message="no", line=10**9),
        need(NeedKind.INDICATOR, "unheard"),
        need(NeedKind.INDICATOR, "ema", "unheard"),
        need(NeedKind.INDICATOR, "ema", float("nan")),
        need(NeedKind.FIGURE, "ema"),
        need(NeedKind.FIGURE, "ofi", 1),
        need(NeedKind.CLOSES, "ema", 1),
        need(NeedKind.CLOSES, ""),
        need(NeedKind.CLOSES, "", 1.5),
        need(NeedKind.CLOSES, "", "a"),
        need(NeedKind.HIGHEST, "", 1),
        need(NeedKind.HIGHEST, "", 0, 0),
        need(NeedKind.LOWEST, "", 1, -1),
        need(NeedKind.AVERAGE_VOLUME, "", 1_000_001, 0),
        need(NeedKind.HIGHEST, "", 1, 1_000_001),
        need(NeedKind.CLOSES, "", -1),
        need(NeedKind.CLOSES, "", 1_000_001),
        need(NeedKind.IMBALANCE, "", 0),
        need(NeedKind.IMBALANCE, "", 2**63 - 1),
        Needs(needs=(Need(NeedKind.HIGHEST, "", (1, 1), (("back", 1),)),)),
        Needs(needs=(Need(NeedKind.INDICATOR, "ema", (), (("unheard", 1),)),)),
        Needs(needs=(Need(NeedKind.INDICATOR, "ema"),), line=10**9),
    ],
)
def test_a_reply_with_what_may_not_cross_is_not_believed(
    reply: Answer | Failed | Needs,
) -> None:
    with pytest.raises(Untrue):
        judge().answers(Answers(replies=(Answer(), reply)))


@pytest.mark.parametrize(
    "reply",
    [
        Answer(),
        Answer(answer={"a": "b"}, context={"a": 1, "b": True}),
        Answer(notes=(("a", 1, 2.5),), plots=(("a", 1.5),)),
        Answer(notes=((float("nan"), float("-inf")),)),
        Failed(kind=FailureKind.SCRIPT, message="not so", line=3),
        need(NeedKind.INDICATOR, "ema", 10, 2.5, "exit"),
        need(NeedKind.FIGURE, "ofi"),
        need(NeedKind.HIGHEST, "", 20, 1),
        need(NeedKind.LOWEST, "", 1, 0),
        need(NeedKind.AVERAGE_VOLUME, "", 1_000_000, 1_000_000),
        need(NeedKind.CLOSES, "", 0),
        need(NeedKind.CLOSES, "", 1_000_000),
        need(NeedKind.IMBALANCE, "", 1),
    ],
)
def test_what_a_worker_says_is_believed(reply: Answer | Failed | Needs) -> None:
    judge().answers(Answers(replies=(reply,)))


def test_a_refusal_of_the_load_is_checked_too() -> None:
    Judge(LOAD).load_failed(LoadFailed(FailureKind.SCRIPT, "no such thing", 3))
    with pytest.raises(Untrue):
        Judge(LOAD).load_failed(LoadFailed(FailureKind.SCRIPT, "\x07"))
    with pytest.raises(Untrue):
        Judge(LOAD).load_failed(LoadFailed(FailureKind.SCRIPT, "no", 10**9))


def test_a_line_of_the_log_reads_as_lua_writes_it() -> None:
    assert rendered(("ema is", 101.25, 3, 1.0, "true", 0.1)) == (
        "ema is 101.25 3 1.0 true 0.1"
    )
    assert rendered((float("nan"), float("-inf"), 1e300)) == "nan -inf 1e+300"
