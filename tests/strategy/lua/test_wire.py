"""Messages come back as they were sent, and nothing else is taken for one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategy.lua.workers import load, market, question
from workstation.strategy.lua.frames import (
    MessageError,
    decode_from_worker,
    decode_to_worker,
    encode,
)
from workstation.strategy.lua.wire import (
    LONGEST_STRING,
    MARKET_FIELDS,
    MAX_BATCH,
    MAX_KEYS,
    MAX_MESSAGE,
    MAX_NEEDS,
    MAX_NOTE_PARTS,
    MAX_NOTES,
    MAX_PLOTS,
    NEED_KINDS,
    Answer,
    Answers,
    Ask,
    ConfinementReport,
    Failed,
    FailureKind,
    Flat,
    Loaded,
    LoadFailed,
    Need,
    NeedKind,
    Needs,
    Param,
    Question,
    Versions,
)

SHORT = st.text(max_size=64)
WHOLE = st.integers(-(2**63), 2**63 - 1)
NUMBER = st.one_of(WHOLE, st.floats(allow_nan=False))
SCALAR = st.one_of(st.booleans(), NUMBER, SHORT)
FLAT = st.dictionaries(SHORT, SCALAR, max_size=5)
COUNT = st.integers(0, 2**63 - 1)
ARGUMENT = st.one_of(NUMBER, SHORT)
NEED = st.builds(
    Need,
    kind=st.sampled_from(NEED_KINDS),
    name=SHORT,
    args=st.lists(ARGUMENT, max_size=8).map(tuple),
    named=st.lists(st.tuples(SHORT, ARGUMENT), max_size=3).map(tuple),
)
VALUE = st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=3)
QUESTION = st.builds(
    Question,
    row=COUNT,
    call=COUNT,
    function=st.integers(0, 2),
    symbol=SHORT,
    market=st.tuples(*(st.one_of(st.none(), NUMBER) for _ in MARKET_FIELDS)),
    params=FLAT,
    context=FLAT,
    opportunity=st.one_of(st.none(), FLAT),
    needs=st.lists(st.tuples(NEED, VALUE.map(tuple)), max_size=3).map(tuple),
)
FAILED = st.builds(
    Failed,
    kind=st.sampled_from(list(FailureKind)),
    message=st.text(max_size=300),
    line=st.one_of(st.none(), COUNT),
)
ANSWER = st.builds(
    Answer,
    answer=st.one_of(st.none(), FLAT),
    context=st.one_of(st.none(), FLAT),
    notes=st.lists(st.lists(ARGUMENT, max_size=4).map(tuple), max_size=5).map(tuple),
    plots=st.lists(st.tuples(SHORT, st.floats(allow_nan=False)), max_size=3).map(tuple),
)
REPLY = st.one_of(
    FAILED, ANSWER, st.builds(Needs, needs=st.tuples(NEED), line=st.none())
)


@given(st.lists(QUESTION, max_size=3))
def test_an_ask_comes_back_as_it_was_sent(asked: list[Question]) -> None:
    message = Ask(tuple(asked))
    assert decode_to_worker(encode(message)[4:]) == message


def test_the_largest_questions_and_answers_of_a_message_fit_into_it() -> None:
    texts = [chr(0x1F600 + n) * LONGEST_STRING for n in range(MAX_KEYS)]
    flat: Flat = dict.fromkeys(texts, texts[0])
    # As many parameters as an indicator has; one that is made up is an error.
    need = Need(
        NeedKind.INDICATOR, texts[0], (2**62,) * 8, (("compatibility", 2.5),) * 4
    )
    asked = question(
        params=flat,
        context=flat,
        opportunity=flat,
        needs=((need, (0.5, 0.5, 0.5)),) * MAX_NEEDS,
    )
    reply = Answer(
        answer=flat,
        context=flat,
        notes=((texts[0],) * MAX_NOTE_PARTS,) * MAX_NOTES,
        plots=tuple((text, 0.5) for text in texts[:MAX_PLOTS]),
    )
    for message in (Ask((asked,) * MAX_BATCH), Answers(replies=(reply,) * MAX_BATCH)):
        assert MAX_MESSAGE / 4 < len(encode(message)) < MAX_MESSAGE * 0.6


@given(st.lists(REPLY, max_size=4), COUNT)
def test_answers_come_back_as_they_were_sent(
    replies: list[Answer | Needs | Failed], memory: int
) -> None:
    message = Answers(replies=tuple(replies), memory=memory)
    assert decode_from_worker(encode(message)[4:]) == message


def test_a_load_and_its_outcomes_come_back_as_they_were_sent() -> None:
    asked = load("return 'é'")
    assert decode_to_worker(encode(asked)[4:]) == asked
    loaded = Loaded(
        params=(
            Param("fast", 10, 2, 500, "bars"),
            Param("ratio", 1.0),
            Param("on", True),
        ),
        functions={"detect_opportunity": 3},
        strings=("a", "b"),
        confinement=ConfinementReport(limits=("fsize",), landlock_abi=4),
        versions=Versions("Lua 5.4", "2.8", "3.11"),
    )
    back = decode_from_worker(encode(loaded)[4:])
    assert back == loaded
    assert isinstance(back, Loaded)
    assert [type(param.default) for param in back.params] == [int, float, bool]
    failed = LoadFailed(FailureKind.SCRIPT, "misses all", 3)
    assert decode_from_worker(encode(failed)[4:]) == failed


@pytest.mark.parametrize(
    "reply",
    [
        {"type": "answer", "answer": {"a": None}},
        {"type": "answer", "answer": {"a": {"b": 1}}},
        {"type": "answer", "answer": {1: 1}},
        {"type": "answer", "answer": {"a": "x" * 65}},
        {"type": "answer", "answer": {str(i): i for i in range(MAX_KEYS + 1)}},
        {"type": "answer", "answer": {"a": 2**63}},
        {"type": "answer", "notes": [["a"]] * 6},
        {"type": "answer", "notes": [["a"] * 17]},
        {"type": "answer", "plots": [["a", 1.0]] * 17},
        {"type": "answer", "plots": [["a", "b"]]},
        {"type": "answer", "instructions": -1},
        {"type": "failed", "kind": "mood", "message": ""},
        {"type": "failed", "kind": "script", "message": "x" * 301},
        {"type": "needs", "needs": []},
        {"type": "needs", "needs": [{"kind": "file", "name": "a"}]},
        {"type": "needs", "needs": [{"kind": "closes", "args": [1] * 9}]},
        {"type": "exec"},
    ],
)
def test_a_reply_of_another_shape_is_refused(reply: object) -> None:
    data = msgspec.msgpack.encode({"type": "answers", "replies": [reply]})
    with pytest.raises(MessageError):
        decode_from_worker(data)


def test_a_question_with_too_few_market_fields_is_refused() -> None:
    asked = Ask((question(market=market()[:-1]),))
    with pytest.raises(MessageError):
        decode_to_worker(encode(asked)[4:])


def test_the_report_of_confinement_is_one_line() -> None:
    full = ConfinementReport(limits=("nofile",), address_space=True, landlock_abi=4)
    assert full.line() == "process, rlimits, landlock ABI 4"
    bare = ConfinementReport(missing=("landlock", "no-new-privs"))
    assert bare.line() == "process; missing: landlock, no-new-privs"
