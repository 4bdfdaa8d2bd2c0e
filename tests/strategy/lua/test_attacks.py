"""Everything a hostile script was seen to do, and that it gains nothing by it.

Each attack runs in a worker process. It must end, by an answer, a named failure or the
worker's death, before a deadline that only a hang reaches; afterwards a good question
is answered, and nothing of the host has come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.strategy.lua.workers import (
    GOOD,
    PATIENCE_S,
    budget,
    load,
    question,
    questions,
    script,
)
from workstation.strategy.lua.host import FaultKind, LuaWorker, WorkerFault
from workstation.strategy.lua.wire import (
    MAX_SOURCE,
    Answer,
    Answers,
    Failed,
    FailureKind,
    Loaded,
    LoadFailed,
    Needs,
)

SCRIPT, BUDGET = FailureKind.SCRIPT, FailureKind.BUDGET
TIME, MEMORY = FailureKind.TIME, FailureKind.MEMORY

# What must never be part of anything a worker says.
LEAKS = re.compile(
    r"0x[0-9a-f]{4,}|userdata|/usr|/home|/proc|site-packages|lupa|Python"
)


class Bench:
    """One worker after another: a new one when the last is gone."""

    def __init__(self) -> None:
        self.worker = LuaWorker()
        self.worker.start()

    def loaded(self, source: str, **options: object) -> Loaded | LoadFailed:
        """Load a source into a living worker."""
        if self.worker.fault is not None:
            self.worker = LuaWorker()
            self.worker.start()
        outcome = self.worker.load(load(source, **options), PATIENCE_S)
        assert not isinstance(outcome, WorkerFault), outcome
        return outcome

    def attack(
        self, source: str, timeout_s: float = PATIENCE_S, **options: object
    ) -> Answer | Needs | Failed | WorkerFault:
        """Return what comes of a script; see that a good question is answered after."""
        outcome = self.loaded(source, **options)
        assert isinstance(outcome, Loaded), outcome
        self.worker.post([question(context={"price": 7}, opportunity={"signal": 1})])
        said = self.worker.receive(timeout_s)
        assert not LEAKS.search(str(said)), said
        if isinstance(said, WorkerFault):
            self.loaded(source, **options)
        self.worker.post([question(1)])
        after = self.worker.receive(PATIENCE_S)
        assert isinstance(after, Answers), after
        assert isinstance(after.replies[0], Answer), after
        assert after.replies[0].answer == {"action": "exit", "reason": "good"}
        if isinstance(said, WorkerFault):
            return said
        assert isinstance(said, Answers)
        return said.replies[0]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Return a bench for the tests of this module; its worker is closed at the end."""
    bench = Bench()
    yield bench
    bench.worker.close()


ABSENT = [
    "os.execute('id')",
    "os.clock()",
    "os.time()",
    "os.date()",
    "os.getenv('HOME')",
    "os.exit()",
    "os.remove('x')",
    "io.open('/etc/passwd')",
    "io.popen('id')",
    "io.write('x')",
    "print('x')",
    "warn('@on')",
    "require('os')",
    "package.loadlib('libc.so.6', 'system')",
    "package.loaded.os.execute('id')",
    "load('return 1')()",
    "loadstring('return 1')()",
    "load('\\27Lua')",
    "dofile('/etc/passwd')",
    "loadfile('/etc/passwd')",
    "debug.getinfo(1)",
    "debug.sethook()",
    "debug.getregistry()",
    "debug.traceback()",
    "debug.setmetatable('', {})",
    "coroutine.wrap(function() while true do end end)()",
    "coroutine.create(function() end)",
    "pcall(error)",
    "xpcall(error, error)",
    "while true do pcall(function() while true do end end) end",
    "local function f() pcall(f) f() end f()",
    "python.eval('1')",
    "python.builtins.open('/etc/passwd')",
    "python.iter({})",
    "python.as_attrgetter({})",
    "ffi.C.system('id')",
    "collectgarbage()",
    "collectgarbage('count')",
    "utf8.char(1)",
    "math.randomseed(1)",
    "string.dump(function() end)",
    "string.pack('z', 'a')",
    "string.unpack('z', 'a')",
    "string.gsub('a', 'a', 'b')",
    "('a'):gmatch('a')",
    "('a'):match('a')",
    "table.move({}, 1, 1e18, 2)",
    "getfenv(1)",
    "setfenv(1, {})",
    "newproxy(true)",
    "_G.os.execute('id')",
    "rawget(_G, 'os').execute('id')",
    "_ENV.io.open('x')",
    "market.log.__globals__.x = 1",
    "context.__class__.x = 1",
    "indicators.__init__()",
]


@pytest.mark.parametrize("body", ABSENT)
def test_what_a_script_has_no_use_for_is_not_there(bench: Bench, body: str) -> None:
    failed = bench.attack(script(f"\n{body}"))
    assert isinstance(failed, Failed)
    assert failed.kind is SCRIPT
    assert failed.line == 3


LOOPS = {
    "while": "while true do end",
    "repeat": "repeat until false",
    "goto": "::again:: goto again",
    "for to infinity": "for i = 1, math.huge do end",
    "for with a float step too small to count": "for i = 1.0, 2.0, 1e-300 do end",
    "tail calls": "local function f() return f() end f()",
    "__index": "return setmetatable({}, {__index = function() while true do end "
    "end}).x",
    "__newindex": "setmetatable({}, {__newindex = function() while true do end "
    "end}).x = 1",
    "__eq": "local m = {__eq = function() while true do end end} "
    "return {a = setmetatable({}, m) == setmetatable({}, m)}",
    "__lt": "local m = {__lt = function() while true do end end} "
    "return {a = setmetatable({}, m) < setmetatable({}, m)}",
    "__le": "local m = {__le = function() while true do end end} "
    "return {a = setmetatable({}, m) <= setmetatable({}, m)}",
    "__concat": "return 'a' .. setmetatable({}, {__concat = function() "
    "while true do end end})",
    "__len": "return #setmetatable({}, {__len = function() while true do end end})",
    "__call": "setmetatable({}, {__call = function() while true do end end})()",
    "__unm": "return -setmetatable({}, {__unm = function() while true do end end})",
    "__tostring": "tostring(setmetatable({}, {__tostring = function() "
    "while true do end end}))",
    "__tostring in format": "string.format('%s', setmetatable({}, "
    "{__tostring = function() while true do end end}))",
    "a comparator": "table.sort({1, 2}, function() while true do end end)",
    "__lt in sort": "local m = {__lt = function() while true do end end} "
    "table.sort({setmetatable({}, m), setmetatable({}, m)})",
    "pairs in a loop": "local t = {} for i = 1, 9000 do t[i] = i end "
    "while true do pairs(t) end",
    "next in a loop": "local t = {} for i = 1, 9000 do t[i] = i end "
    "while true do next(t, 8999) end",
    "sort in a loop": "local t = {} for i = 1, 9000 do t[i] = -i end "
    "while true do table.sort(t) end",
    "insert at the front": "local t = {} while true do table.insert(t, 1, 1) "
    "if #t > 9000 then t = {} end end",
    "ipairs over a C function": "for _ in ipairs(setmetatable({}, {__index = type})) "
    "do end",
    "upper": "local s = ('x'):rep(65536) while true do s:upper() end",
    "rep": "while true do ('x'):rep(65536) end",
    "find": "local s, w = ('x'):rep(65535) .. 'y', ('x'):rep(255) .. 'z' "
    "while true do s:find(w) end",
    "concat": "local t = {} for i = 1, 5000 do t[i] = 'xxxxxxxxxx' end "
    "while true do table.concat(t) end",
    "format": "while true do string.format('%99.99f %99.99f', 1e308, 1e308) end",
    "log": "while true do market.log('a') end",
    "plot": "while true do market.plot('open', 1) end",
    "a loop in a metamethod of the context": "setmetatable(context, {__index = "
    "function() while true do end end}) return {a = context.missing}",
}


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_a_loop_ends_at_its_count_of_instructions(bench: Bench, body: str) -> None:
    failed = bench.attack(script(body))
    assert isinstance(failed, Failed)
    assert failed.kind is BUDGET
    # What C does in one call is charged at once, and is bounded itself.
    assert 20_000_000 <= failed.instructions < 22_000_000


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_a_live_loop_ends_at_its_cpu_time(bench: Bench, body: str) -> None:
    limits = budget(instructions=10**12, cpu_s=0.02)
    failed = bench.attack(script(body), driven=False, budget=limits)
    assert isinstance(failed, Failed)
    assert failed.kind is TIME
    assert failed.cpu_ns > 20_000_000


# Work of the VM itself, which no count of instructions shows: long texts and long
# argument lists. Live the CPU time ends it; in driven runs the deadline of the host.
HEAVY = {
    "concatenating": "while true do local z = s .. 'a' end",
    "comparing": "while true do local z = (s .. 'a') < (s .. 'b') end",
    "keys": "local t = {} while true do t[s .. 'a'] = 1 end",
    "growing arguments": "local function f(...) return f(1, ...) end f()",
}
LONG_TEXT = "local s = 'x' for i = 1, 22 do s = s .. s end "


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_heavy_instructions_end_a_live_call_at_its_cpu_time(
    bench: Bench, body: str
) -> None:
    failed = bench.attack(script(LONG_TEXT + body), driven=False)
    assert isinstance(failed, Failed)
    assert failed.kind is TIME


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_heavy_instructions_end_a_driven_worker_at_the_hosts_deadline(
    bench: Bench, body: str
) -> None:
    fault = bench.attack(script(LONG_TEXT + body), timeout_s=0.5)
    assert isinstance(fault, WorkerFault)
    assert (fault.kind, fault.signal) == (FaultKind.DEAD, "SIGKILL")
    assert "did not answer within 0.5 s" in fault.message


BOMBS = {
    "tables": "local t = {} while true do t[#t + 1] = {} end",
    "numbers": "local t = {} for i = 1, 1e9 do t[i] = i end",
    "nested tables": "local t = {} while true do t = {t} end",
    "doubling": "local s = 'x' while true do s = s .. s end",
    "texts": "local s, t = ('x'):rep(65536), {} for i = 1, 1e9 do t[i] = s .. i end",
    "closures": "local t = {} while true do t[#t + 1] = function() return t end end",
    "recursion": "local function f() return 1 + f() end f()",
    "recursion through tostring": "local a a = setmetatable({}, {__tostring = "
    "function() return tostring(a) end}) tostring(a)",
    "metatables": "local t = {} while true do t[#t + 1] = setmetatable({}, {}) end",
    "needs": "local t = {} while true do t[#t + 1] = market.figures.names() end",
    "log": "local t = {} while true do market.log('a') t[#t + 1] = {#t} end",
    "the context": "local i = 0 while true do i = i + 1 context['k' .. i] = i end",
    "concat": "local t, k = {}, {} for i = 1, 5000 do t[i] = 'xxxxxxxxxx' end "
    "while true do k[#k + 1] = table.concat(t, #k) end",
}


@pytest.mark.parametrize("driven", [True, False], ids=["driven", "live"])
@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_memory_ends_at_its_bound(bench: Bench, body: str, driven: bool) -> None:
    failed = bench.attack(script(body), driven=driven, budget=budget(
        instructions=200_000_000, cpu_s=5.0
    ))  # fmt: skip
    assert isinstance(failed, Failed)
    assert failed.kind is MEMORY
    memory = bench.worker.memory()
    assert memory is None or memory < 96 << 20


def test_a_vm_that_was_filled_to_the_brim_does_not_abort_the_next_call(
    bench: Bench,
) -> None:
    fills = (
        "for i = 1, 200 do kept[#kept + 1] = ('x'):rep(60000) .. #kept end\n"
        "return {a = #kept}"
    )
    source = script(fills, before="kept = {}")
    found = bench.attack(source)
    assert isinstance(found, Answer | Failed)
    assert bench.worker.fault is None


REFUSED = {
    "a finalizer": "setmetatable({}, {__gc = function() while true do end end})",
    "a close metamethod": "local x <close> = setmetatable({}, {__close = type})",
    "a close metamethod added late": "local m = {} local o = setmetatable({}, m) "
    "m.__close = function() while true do end end local x <close> = o",
    "weak tables": "setmetatable({}, {__mode = 'k'})",
    "a false metatable": "setmetatable({}, {__metatable = 1})",
    "a type's name": "setmetatable({}, {__name = 'x'})",
    "a chain of calls": "local t = {} setmetatable(t, {__call = t}) t()",
    "a chain of calls made late": "local m = {__call = type} local t = "
    "setmetatable({}, m) m.__call = t setmetatable(t, m) t()",
    "an __index that is no function": "setmetatable({}, {__index = 1})",
    "an __index chain": "local t = {} setmetatable(t, {__index = t}) return {a = t.x}",
    "recursion in __index": "local t = setmetatable({}, {__index = function(t, k) "
    "return t[k] end}) return t.x",
    "recursion in __add": "local m = {} m.__add = function(a, b) return a + b end "
    "local a = setmetatable({}, m) return a + a",
    "recursion in __concat": "local m = {} m.__concat = function(a, b) return a .. b "
    "end local a = setmetatable({}, m) return a .. a",
    "recursion in __eq": "local m = {} m.__eq = function(a, b) return a == b end "
    "return {a = setmetatable({}, m) == setmetatable({}, m)}",
    "the metatable of texts": "getmetatable('').__index = nil",
    "a metatable for texts": "setmetatable('', {})",
    "arithmetic on texts": "return {a = '10' + 1}",
    "the string library": "string.rep = nil",
    "the math library": "math.floor = nil",
    "the table library raw": "rawset(table, 'sort', 1)",
    "the globals": "x = 1",
    "the globals by name": "_G.x = 1",
    "the globals raw": "rawset(_G, 'x', 1)",
    "the environment raw": "rawset(_ENV, 'pairs', 1)",
    "the environment's metatable": "setmetatable(_ENV, {})",
    "the globals inserted into": "table.insert(_G, 1)",
    "the globals sorted": "table.sort(_G)",
    "the market's metatable": "setmetatable(market, {})",
    "the indicators": "indicators.ema = 1",
    "the indicators raw": "rawset(indicators, 'ema', 1)",
    "the figures": "market.figures.ofi = 1",
    "rep of nothing and much": "return ('x'):rep(1e18)",
    "rep that overflows": "return ('xx'):rep(math.maxinteger)",
    "rep with a separator that overflows": "return (''):rep(math.maxinteger, 'x')",
    "concat over all numbers": "table.concat({}, '', 1, math.maxinteger)",
    "concat with tables": "table.concat({{}})",
    "unpack of much": "table.unpack({}, 1, 1e8)",
    "unpack that overflows": "table.unpack({}, math.mininteger, math.maxinteger)",
    "byte of much": "string.byte(('x'):rep(65536), 1, -1)",
    "char out of range": "string.char(256)",
    "insert far away": "table.insert({}, 1e18, 1)",
    "remove far away": "table.remove({}, 1e18)",
    "an address by format": "return {a = string.format('%p', {})}",
    "format a": "string.format('%a', 1)",
    "format q": "string.format('%q', 'x')",
    "format n": "string.format('%n', 1)",
    "format with a great width": "string.format('%99999d', 1)",
    "format with many flags": "string.format('%' .. ('-'):rep(500) .. 'd', 1)",
    "format with nothing": "string.format('%')",
    "format without values": "string.format('%d %d', 1)",
    "format of a text as a number": "string.format('%d', '10')",
    "a long form": "string.format(('%d'):rep(600), 1)",
    "select of nothing": "select(0)",
    "select below all": "select(-1)",
    "select by a text": "select('1', 1)",
    "a number as a long text": "math.sqrt(('9'):rep(65536))",
    "tonumber with a wrong base": "tonumber('1', 99)",
    "sort of unequal things": "table.sort({1, 'a'})",
    "sort of too much": "local t = {} for i = 1, 10001 do t[i] = i end table.sort(t)",
    "sort by a table": "table.sort({1, 2}, {})",
    "pairs over tables as keys": "pairs({[{}] = 1})",
    "pairs over booleans as keys": "pairs({[true] = 1})",
    "pairs over too much": "local t = {} for i = 1, 20000 do t[i] = i end pairs(t)",
    "next over tables as keys": "next({[{}] = 1})",
    "a step of zero": "for i = 1, 2, 0 do end",
    "division by zero": "return {a = 1 // 0}",
    "modulo by zero": "return {a = 1 % 0}",
    "random between nothing": "math.random(0)",
    "a table raised": "error({1})",
    "a function raised": "error(type)",
    "nothing raised": "error(nil)",
    "an object that loops when shown": "error(setmetatable({}, {__tostring = "
    "function() while true do end end}))",
    "an error far up": "error('deep', 1000)",
    "a long error": "error(('x'):rep(65000))",
    "control characters in an error": "error('a\\0b\\27[2J\\r\\n\\u{202E}c')",
    "no UTF-8 in an error": "error('\\xff\\xfe')",
    "an assertion with a table": "assert(false, {})",
    "one NaN": "return {a = 0/0}",
    "one infinity": "return {a = -math.huge}",
    "a nested answer": "return {a = {}}",
    "an answer that is its own value": "local t = {} t.a = t return t",
    "a function as an answer": "return {a = type}",
    "an answer with a million keys": "local t = {} for i = 1, 300000 do t[i] = i end "
    "return t",
    "an answer with many made keys": "local t = {} for i = 1, 20000 do t['k' .. i] = i "
    "end return t",
    "an answer with a long text": "return {a = ('x'):rep(65536)}",
    "an answer with a long key": "return {[('x'):rep(65536)] = 1}",
    "an answer with a made text": "return {a = 'x' .. 'y'}",
    "an answer with NULs": "return {a = 'x\\0' .. 'y'}",
    "a context with itself": "context.a = context",
    "a key that loops when shown": "return {[setmetatable({}, {__tostring = function() "
    "while true do end end})] = 1}",
    "a key of the context that loops when shown": "context[setmetatable({}, "
    "{__tostring = function() while true do end end})] = 1",
    "an opportunity that loops when compared": "local m = {__eq = function() "
    "while true do end end} setmetatable(context.opportunity, m) "
    "context.opportunity = setmetatable({}, m)",
    "values that loop when compared": "local m = {__eq = function() while true do end "
    "end} context.price = setmetatable({}, m)",
    "a context with NaN as a value": "context.price = 0/0",
    "a context with numbers as keys": "context[1] = 1",
    "a context with many keys": "for i = 1, 100 do context['k' .. i] = 1 end",
    "a context filled past its metamethod": "setmetatable(context, {__newindex = "
    "type}) rawset(context, 'a', {})",
    "a log of tables": "market.log({})",
    "a log of made texts": "market.log('a' .. 'b')",
    "a log of many parts": "market.log(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, "
    "15, 16, 17)",
    "a plot of made names": "for i = 1, 100 do market.plot('k' .. i, i) end",
    "many plots": "for n in pairs(market) do market.plot(n, 1) end",
    "a plot of infinity": "market.plot('a', math.huge)",
    "an indicator of tables": "indicators.ema({{}})",
    "an indicator of NaN": "indicators.ema(0/0)",
    "an indicator of made names": "indicators.ema({['a' .. 'b'] = 1})",
    "a window of 1e18 bars": "market.highest(1e18)",
}  # fmt: skip


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_an_error_of_the_script(bench: Bench, body: str) -> None:
    failed = bench.attack(script(body))
    assert isinstance(failed, Failed)
    assert failed.kind is SCRIPT
    assert failed.line in (1, 2)
    assert failed.message.isprintable()
    assert 0 < len(failed.message) <= 300


HARMLESS = {
    "rep of an empty text": ("return {a = #(''):rep(1e18)}", {"a": 0}),
    "a pattern is plain text": ("return {a = ('a'):find(('a-'):rep(20) .. 'b') == nil}",
                                {"a": True}),
    "a false length in insert": (
        "local t = setmetatable({}, {__len = function() return 1e18 end}) "
        "table.insert(t, 1, 5) return {a = rawlen(t)}", {"a": 1}),
    "a false length in remove": (
        "return {a = table.remove(setmetatable({}, {__len = function() return 1e18 "
        "end}), 1) == nil}", {"a": True}),
    "a false length in concat": (
        "return {a = #table.concat(setmetatable({}, {__len = function() return 1e18 "
        "end, __index = type}))}", {"a": 0}),
    "a false length in unpack": (
        "return {a = select('#', table.unpack(setmetatable({}, {__len = function() "
        "return 1e18 end})))}", {"a": 0}),
    "a finalizer added late": (
        "local m = {} setmetatable({}, m) m.__gc = function() while true do end end "
        "for i = 1, 100000 do local t = {} end return {a = 1}", {"a": 1}),
    "a comparator that lies": (
        "local t = {} for i = 1, 500 do t[i] = i end "
        "table.sort(t, function() return true end) return {a = #t}", {"a": 500}),
    "a comparator that empties the table": (
        "local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function(a, b) "
        "for i = 1, 100 do t[i] = nil end return a < b end) return {a = #t}",
        {"a": 100}),
    "a loop to the greatest number": (
        "local n = 0 for i = math.maxinteger - 1, math.maxinteger do n = n + 1 end "
        "return {a = n}", {"a": 2}),
    "a loop over NaN": ("local n = 0 for i = 0/0, 1 do n = n + 1 end return {a = n}",
                        {"a": 1}),
    "the least number divided": ("return {a = math.mininteger // -1}",
                                 {"a": -(2**63)}),
    "tostring shows no address": (
        "return {a = #tostring({}), b = #tostring(type), c = #string.format('%s', "
        "market)}", {"a": 5, "b": 8, "c": 5}),
    "a metatable on the context": (
        "setmetatable(context, {__index = function() return 5 end, __newindex = "
        "function() end}) context.a = 1 return {a = context.b}", {"a": 5}),
    "an answer with a metatable": (
        "return setmetatable({a = 1}, {__index = function() return 2 end, __len = "
        "function() return 9 end})", {"a": 1}),
    "an environment of its own": ("local _ENV = {} a = 1 return {a = a}", {"a": 1}),
    "no environment": ("local t = {a = 1} local _ENV = nil return t", {"a": 1}),
    "a million logs": ("for i = 1, 100000 do market.log('a') end return {a = 1}",
                       {"a": 1}),
    "many arguments": (
        "local t = {} for i = 1, 250 do t[i] = i end local function f(...) return "
        "select('#', ...) end return {a = f(table.unpack(t))}", {"a": 250}),
    "the widest random": (
        "local x = math.random(math.mininteger, math.maxinteger) "
        "return {a = math.type(x) == 'integer'}", {"a": True}),
    "nothing but tables and functions can be reached": (
        "local seen, kinds = {}, {} "
        "local function walk(t) if seen[t] then return end seen[t] = true "
        "for k, v in pairs(t) do kinds[type(v)] = true "
        "if type(v) == 'table' then walk(v) end end end "
        "walk(_G) walk(market) walk(context) walk(indicators) walk(market.figures) "
        "return {a = kinds.userdata == nil and kinds.thread == nil}", {"a": True}),
    "globals are these and no others": (
        "local s = '' for k in pairs(_G) do s = s .. k .. ' ' end return {a = s == '"
        "_G _VERSION assert detect_opportunity error filter_commitment getmetatable "
        "ipairs manage_position math next pairs rawequal rawget rawlen rawset select "
        "setmetatable string table tonumber tostring type '}", {"a": True}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), HARMLESS.values(), ids=HARMLESS)
def test_what_does_no_harm_works(
    bench: Bench, body: str, expected: dict[str, object]
) -> None:
    reply = bench.attack(script(f"local b, c\n{body}"))
    assert isinstance(reply, Answer), reply
    assert reply.answer == expected


UNLOADABLE = {
    "bytecode": ("\x1bLuaS\0\x19\x93\r\n\x1a\n", SCRIPT),
    "a loop": ("while true do end", BUDGET),
    "a bomb": ("local t = {} while true do t[#t + 1] = {} end", MEMORY),
    "a long source": ("-" * (MAX_SOURCE + 1), SCRIPT),
    "deep brackets": ("x = " + "(" * 100_000, SCRIPT),
    "deep tables": ("x = " + "{" * 100_000, SCRIPT),
    "deep blocks": ("do " * 60_000, SCRIPT),
    "deep functions": ("local function f() " * 10_000, SCRIPT),
    "many locals": ("local a " * 300 + "x = = 1", SCRIPT),
    "many labels": ("".join(f"::a{i}:: " for i in range(7000)) + "x = = 1", SCRIPT),
    "a NUL": ("x = 1 \0 y = 2", SCRIPT),
    "no Lua": ("\ud800\ufffe", SCRIPT),
    "a long text without an end": ("x = [[" + "x" * 200_000, SCRIPT),
    "a concatenation of much": ("x = 'a'" + " .. 'a'" * 30_000, SCRIPT),
    "nothing": ("", SCRIPT),
    "functions that are tables": (
        "detect_opportunity = setmetatable({}, {__call = function() end}) "
        "filter_commitment = 1 manage_position = type", SCRIPT),
    "a market that is not there yet": ("market.log('x')", SCRIPT),
    "a library taken away": ("string = nil; ('x'):rep(5); error(tostring(string))",
                             SCRIPT),
    "PARAMS that loop": ("PARAMS = {} PARAMS.a = PARAMS", SCRIPT),
    "PARAMS with a name that loops when shown": (
        "PARAMS = {[setmetatable({}, {__tostring = function() while true do end end})] "
        "= 1}", SCRIPT),
    "PARAMS with values that loop": (
        "local t = setmetatable({}, {__index = function() while true do end end, "
        "__tostring = function() while true do end end}) PARAMS = {a = t, b = t}",
        SCRIPT),
    "PARAMS with a metatable": (
        "PARAMS = setmetatable({}, {__index = function() while true do end end})",
        SCRIPT),
}  # fmt: skip


@pytest.mark.parametrize(("source", "kind"), UNLOADABLE.values(), ids=UNLOADABLE)
def test_what_cannot_be_loaded_says_why_and_the_worker_takes_another(
    bench: Bench, source: str, kind: FailureKind
) -> None:
    if "\ud800" in source:
        # Such a text cannot be sent at all.
        with pytest.raises(UnicodeEncodeError):
            bench.loaded(source)
        return
    outcome = bench.loaded(source)
    assert isinstance(outcome, LoadFailed)
    assert outcome.kind is kind
    assert not LEAKS.search(str(outcome))
    assert isinstance(bench.attack(script(GOOD)), Answer)


def test_a_flood_of_needs_is_one_need_at_a_time(bench: Bench) -> None:
    reply = bench.attack(script("for i = 1, 100000 do indicators.ema(i) end"))
    assert isinstance(reply, Needs)
    assert len(reply.needs) == 1


def test_a_script_that_loops_for_every_row_is_not_asked_for_all(bench: Bench) -> None:
    bench.loaded(script("while true do end"), budget=budget())
    bench.worker.post(questions(200))
    said = bench.worker.receive(PATIENCE_S)
    assert isinstance(said, Answers)
    kinds = [reply.kind for reply in said.replies if isinstance(reply, Failed)]
    assert kinds == [BUDGET] * 3 + [FailureKind.SKIPPED] * 197
    bench.worker.post(questions(1, function=1))
    said = bench.worker.receive(PATIENCE_S)
    assert isinstance(said, Answers)
    assert isinstance(said.replies[0], Answer)


def test_a_row_does_not_see_what_another_was_told(bench: Bench) -> None:
    # What a script keeps is its own; what it is given for one row is not there for
    # the next, not even through what it kept.
    source = script(
        "local was = kept.market\nkept.market = market\n"
        "if was then return {price = was.close, stop = was.previous.close, "
        "target = context.price or 0} end",
        before="kept = {}",
    )
    bench.loaded(source)
    bench.worker.post([question(row=1, context={"price": 7}), question(row=2)])
    said = bench.worker.receive(PATIENCE_S)
    assert isinstance(said, Answers)
    reply = said.replies[1]
    assert isinstance(reply, Answer)
    assert reply.answer is not None
    assert reply.answer["target"] == 0


def test_equal_attacks_are_answered_equally(bench: Bench) -> None:
    bodies = ["while true do end", "error('a')", "return {a = {}, b = {}, c = {}}"]
    for body in bodies:
        first, second = bench.attack(script(body)), bench.attack(script(body))
        assert isinstance(first, Failed)
        assert isinstance(second, Failed)
        assert (first.kind, first.message, first.line, first.instructions) == (
            second.kind,
            second.message,
            second.line,
            second.instructions,
        )
