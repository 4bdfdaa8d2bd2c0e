"""The script of docs/lua.md trades as the page says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.strategy.lua.workers import load, question, script
from workstation.strategy.lua.vm import Vm
from workstation.strategy.lua.wire import (
    FUNCTIONS,
    Answer,
    Failed,
    Need,
    Needs,
    NeedValue,
)

PAGE = (Path(__file__).parents[3] / "docs" / "lua.md").read_text(encoding="utf-8")
# By period and by how many bars ago.
AVERAGES = {
    (10, 0): 102.0,
    (20, 0): 101.0,
    (10, 1): 100.0,
    (20, 1): 101.0,
}


def asked(
    vm: Vm,
    function: int,
    opportunity: dict[str, bool | int | float | str] | None = None,
    averages: dict[tuple[int, int], float] = AVERAGES,
) -> Answer:
    """Return an answer, with all EMAs that it needs."""
    params = {param.name: param.default for param in vm.params}
    needs: list[tuple[Need, NeedValue]] = []
    while True:
        reply = vm.ask(
            question(
                function, params=params, opportunity=opportunity, needs=tuple(needs)
            )
        )
        if isinstance(reply, Answer):
            return reply
        assert isinstance(reply, Needs), reply
        for need in reply.needs:
            back = dict(need.named).get("back", 0)
            needs.append((need, (averages[int(need.args[0]), int(back)],)))


def test_the_example_sees_a_cross_enters_and_leaves() -> None:
    (source,) = re.findall(r"```lua\n(.*?)```", PAGE, re.DOTALL)
    vm = Vm(load(source))
    seen = asked(vm, 0)
    assert seen.answer == {"confidence": 0.8, "signal": "bullish_cross"}
    assert seen.notes == (("crossed at", 101.5),)
    assert seen.plots == (("spread", 1.0),)
    entry = asked(vm, 1, {"signal": "bullish_cross"})
    assert entry.answer == {
        "action": "enter_long",
        "reason": "bullish_cross",
        "stop": 101.5 * 0.98,
    }
    assert asked(vm, 2).answer is None
    fallen = AVERAGES | {(10, 0): 100.5}
    assert asked(vm, 2, averages=fallen).answer == {
        "action": "exit",
        "reason": "fast EMA below slow",
    }


def test_the_page_lists_the_library_as_it_is() -> None:
    vm = Vm(load("PARAMS = {} " + "function detect_opportunity() local s = '' "
        "for k in pairs(string) do s = s .. k .. ' ' end local t = '' "
        "for k in pairs(table) do t = t .. k .. ' ' end "
        "return {a = s == 'byte char find format len lower rep reverse sub upper ', "
        "b = t == 'concat insert pack remove sort unpack '} end "
        "filter_commitment = detect_opportunity manage_position = detect_opportunity"
    ))  # fmt: skip
    reply = vm.ask(question())
    assert isinstance(reply, Answer)
    assert reply.answer == {"a": True, "b": True}
    listed = " ".join(PAGE.split())
    assert "`byte char find format len lower rep reverse sub upper`" in listed
    assert "`concat insert pack remove sort unpack`" in listed


def test_the_page_names_what_no_metatable_may_have_and_the_globals() -> None:
    library = " ".join(PAGE.partition("## The library")[2].split())
    refused = library.partition("but no ")[2].partition(";")[0]
    events = "__gc __close __mode __metatable __name __pairs __index __call __eq __len"
    found = set()
    for event in events.split():
        vm = Vm(load(script(f"setmetatable({{}}, {{{event} = true}})")))
        failed = vm.ask(question())
        assert isinstance(failed, Failed), event
        if failed.message == f"setmetatable: {event} is not available":
            found.add(event)
    assert set(re.findall(r"`(\w+)`", refused)) == found
    names = library.partition("; `math`")[0].replace("`", " ").replace(",", " ")
    listed = sorted(set(names.split()) - {"and"} | {"math", "string", "table"})
    body = "local n = 0 for k in pairs(_G) do n = n + 1 end return {signal = n}"
    vm = Vm(load(script(body)))
    reply = vm.ask(question())
    assert isinstance(reply, Answer)
    assert reply.answer == {"signal": len(listed) + len(FUNCTIONS)}
    for name in listed:
        vm = Vm(load(script(f"return {{signal = _G.{name} ~= nil}}")))
        reply = vm.ask(question())
        assert isinstance(reply, Answer)
        assert reply.answer == {"signal": True}, name
