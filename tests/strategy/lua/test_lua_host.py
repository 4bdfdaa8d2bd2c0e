"""The core's side of a Lua script: what it is told of a row, and what it needs."""

from __future__ import annotations

import pytest

from tests.strategy.fakes import Stand, write_script
from workstation.model.errors import ScriptError
from workstation.strategy.host import PENDING
from workstation.strategy.lua.lua_host import LuaHost, Posted
from workstation.strategy.lua.wire import (
    API_STRINGS,
    MARKET_FIELDS,
    MAX_NEEDS,
    Need,
    NeedKind,
)
from workstation.strategy.question import Function
from workstation.strategy.replies import ScriptReply
from workstation.strategy.row import OVERRIDE


class Post:
    """A stand whose row asks a Lua host, with what it sent."""

    def __init__(self, folder: object) -> None:
        self.host = LuaHost("mine.lua", ("BTC",))
        self.sent: list[Posted] = []
        self.host.attach(self._post)
        self.stand = Stand(write_script(folder), host=self.host)  # type: ignore[arg-type]
        self.row = self.stand.row

    def _post(self, strategy: str, question: object) -> None:
        assert strategy == self.row.strategy
        assert isinstance(question, Posted)
        self.sent.append(question)

    def reply(self, **fields: object) -> object:
        reply = ScriptReply(
            strategy=self.row.strategy,
            instrument="BTC",
            function=Function.DETECT,
            **fields,  # type: ignore[arg-type]
        )
        return self.host.take(self.row, reply)

    def needs(self, *needs: Need) -> object:
        return self.reply(needs=needs, line=7)

    @property
    def values(self) -> dict[Need, tuple[float | None, ...]]:
        return dict(self.sent[-1].question.needs)


@pytest.fixture
def post(tmp_path: object) -> Post:
    return Post(tmp_path)


def test_a_question_has_the_row_as_a_python_script_sees_it(post: Post) -> None:
    post.stand.bar(100.0)
    post.stand.strategy.take_answer("BTC", Function.DETECT, None)
    post.stand.bar(101.0)
    question = post.sent[-1].question
    market, row = dict(zip(MARKET_FIELDS, question.market, strict=True)), post.row
    seen = row.market
    for name in ("now", "open", "high", "low", "close", "volume", "bid", "ask"):
        assert market[name] == getattr(seen, name)
    assert market["bars"] == 2
    assert market["previous_close"] == 100.0
    assert (market["position"], market["stop"], market["orders"]) == (0.0, None, 0)
    assert (question.row, question.call, question.symbol) == (0, 2, "BTC")
    assert question.params == seen.params
    assert question.needs == ()


def test_what_it_needs_is_sent_again_and_kept_for_the_next_call(post: Post) -> None:
    post.stand.bar(100.0)
    highest = Need(NeedKind.HIGHEST, args=(1, 0))
    ema = Need(NeedKind.INDICATOR, "ema", (2,), (("back", 1),))
    assert post.needs(highest) is PENDING
    assert post.values == {highest: (post.row.market.highest(1),)}
    assert post.needs(ema) is PENDING
    assert post.values[ema] == (None,)
    assert post.reply(answer={"signal": "up"}) == {"signal": "up"}
    post.stand.strategy.take_answer("BTC", Function.DETECT, None)
    for price in (101.0, 102.0, 103.0):
        post.stand.bar(price)
        post.stand.strategy.take_answer("BTC", Function.DETECT, None)
    assert post.values[ema] == (post.row.indicators.ema(2, back=1),)
    macd = Need(NeedKind.INDICATOR, "macd")
    post.stand.bar(104.0)
    post.needs(macd)
    assert post.values[macd] == (None, None, None)


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (Need(NeedKind.INDICATOR, "ema", (0,)), "period"),
        (Need(NeedKind.INDICATOR, "ema", (2,), (("back", 3),)), "back = 3"),
        (Need(NeedKind.INDICATOR, "ema", (1, 2, 3, 4)), "4 parameters"),
        (Need(NeedKind.CLOSES, args=(500,)), "IndexError"),
    ],
)
def test_a_need_that_cannot_be_is_an_error_at_the_line_that_asked(
    post: Post, need: Need, said: str
) -> None:
    post.stand.bar(100.0)
    sent = len(post.sent)
    error = post.needs(need)
    assert isinstance(error, ScriptError)
    assert error.line == 7
    assert said in str(error)
    assert len(post.sent) == sent
    # It is forgotten: the next call is asked as if it had not been.
    post.stand.strategy.take_answer("BTC", Function.DETECT, None)
    post.stand.bar(101.0)
    assert post.values == {}


def test_a_call_may_ask_for_so_many_values_and_a_row_forgets_the_oldest(
    post: Post,
) -> None:
    post.stand.bar(100.0)
    for n in range(1, MAX_NEEDS + 1):
        assert post.needs(Need(NeedKind.LOWEST, args=(n, 0))) is PENDING
    error = post.needs(Need(NeedKind.LOWEST, args=(MAX_NEEDS + 1, 0)))
    assert isinstance(error, ScriptError)
    assert "more than 64 different values in one call" in str(error)
    post.stand.strategy.take_answer("BTC", Function.DETECT, None)
    # A window that grows from bar to bar never comes to the limit.
    for n in range(MAX_NEEDS + 1, MAX_NEEDS + 40):
        post.stand.bar(100.0 + n)
        newest = Need(NeedKind.LOWEST, args=(n, 0))
        assert post.needs(newest) is PENDING
        assert len(post.values) == MAX_NEEDS
        assert list(post.values)[-1] == newest
        post.stand.strategy.take_answer("BTC", Function.DETECT, None)


def test_what_it_keeps_logs_and_plots_is_the_rows_and_its_opportunity_stays(
    post: Post,
) -> None:
    post.stand.bar(100.0)
    post.row.context["opportunity"] = {"signal": "up"}
    post.row.context["old"] = 1
    answer = post.reply(
        context={"n": 2}, notes=("one", "two"), plots=(("edge", 1.5),), answer=None
    )
    assert answer is None
    assert post.row.context == {"n": 2, "opportunity": {"signal": "up"}}
    assert post.row.market.notes() == ("one", "two")
    assert post.row.market.plots() == {"edge": 1.5}
    post.stand.strategy.take_answer("BTC", Function.DETECT, None)
    post.stand.bar(101.0)
    question = post.sent[-1].question
    assert question.context == {"n": 2}
    assert question.opportunity == {"signal": "up"}


def test_an_override_is_told_in_one_word_whatever_the_operator_wrote(
    post: Post,
) -> None:
    why = "override: " + "because\n" * 50
    post.row.context["opportunity"] = {"signal": OVERRIDE, "reason": why}
    post.stand.bar(100.0)
    told = post.sent[-1].question.opportunity
    assert told == {"signal": "override", "reason": "override"}
    assert set(told.values()) <= set(API_STRINGS)
    assert post.row.context["opportunity"]["reason"] == why


def test_its_error_has_its_words_and_line(post: Post) -> None:
    post.stand.bar(100.0)
    error = post.reply(error="no such thing", line=3)
    assert isinstance(error, ScriptError)
    assert str(error) == "mine.lua:3: no such thing"
