-- The safe string, table and math of a script. Runs once per VM, after sandbox.lua.
-- Patterns are left out and work on long texts is charged: both run inside C, where no
-- count of instructions sees them. Lengths are raw, so no metamethod decides how far a
-- loop of ours goes.

local tools = ...
local charge, lock, kind_of = tools.charge, tools.lock, tools.kind_of
local writable, content_of = tools.writable, tools.content_of
local whole, text = tools.whole, tools.text
local next, error, type, select = tools.next, tools.error, tools.type, tools.select
local rawget, rawset, rawlen = tools.rawget, tools.rawset, tools.rawlen
local tostring = tools.tostring
local str, raw_math = tools.string, tools.math
local math_type, to_integer = raw_math.type, raw_math.tointeger
local raw_concat, raw_unpack = tools.table.concat, tools.table.unpack

local LONG <const> = 65536         -- bytes that one call may make
local MANY <const> = 10000         -- values that one call may sort
local WIDE <const> = 250           -- values that one call may unpack

local function of_numbers(name, f)
    local where = "math." .. name
    local function check(value)
        if not math_type(value) then
            error(where .. " takes numbers, not " .. kind_of(value), 0)
        end
    end
    return function(a, b, ...)
        check(a)
        if b == nil then return f(a) end
        check(b)
        for i = 1, select("#", ...) do check((select(i, ...))) end
        return f(a, b, ...)
    end
end

-- Chance is seeded for every call, when it is first used.
local seed_a, seed_b, seeded = 0, 0, false

local function seed(a, b)
    seed_a, seed_b, seeded = a, b, false
end

local function safe_random(low, high)
    if not seeded then
        seeded = true
        raw_math.randomseed(seed_a, seed_b)
    end
    if low == nil then return raw_math.random() end
    low = whole("math.random", low)
    if high == nil then low, high = 1, low else high = whole("math.random", high) end
    if low > high then error("math.random: nothing to choose from", 0) end
    return raw_math.random(low, high)
end

local safe_math = {
    pi = raw_math.pi, huge = raw_math.huge,
    maxinteger = raw_math.maxinteger, mininteger = raw_math.mininteger,
    type = function(value) return math_type(value) end,
    tointeger = function(value) return math_type(value) and to_integer(value) end,
    random = safe_random,
}
for _, name in next, {
    "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod",
    "log", "max", "min", "modf", "rad", "sin", "sqrt", "tan", "ult",
} do
    safe_math[name] = of_numbers(name, raw_math[name])
end

local function of_text(name)
    local f, where = str[name], "string." .. name
    return function(s)
        s = text(where, s)
        charge(#s // 8)
        return f(s)
    end
end

local function safe_rep(s, n, sep)
    s, n = text("string.rep", s), whole("string.rep", n)
    sep = sep == nil and "" or text("string.rep", sep)
    local size = #s + #sep
    if n <= 0 or size == 0 then return "" end
    if n > LONG // size then
        error("string.rep makes texts of at most 65536 bytes", 0)
    end
    charge(n * size // 8)
    return str.rep(s, n, sep)
end

local function safe_find(s, what, init)
    s, what = text("string.find", s), text("string.find", what)
    if #what > 256 then error("string.find looks for at most 256 bytes", 0) end
    charge(#s * (1 + #what) // 16)
    return str.find(s, what, whole("string.find", init, 1), true)
end

local function safe_byte(s, first, last)
    s, first = text("string.byte", s), whole("string.byte", first, 1)
    last = whole("string.byte", last, first)
    -- To the length first: the difference of two whole numbers may overflow.
    if first < 0 then first = first < -#s and 1 or #s + first + 1 end
    if last < 0 then last = last < -#s and 0 or #s + last + 1 end
    if first < 1 then first = 1 end
    if last > #s then last = #s end
    if first <= last and last - first >= WIDE then
        error("string.byte gives at most 250 values", 0)
    end
    return str.byte(s, first, last)
end

local function safe_char(...)
    for i = 1, select("#", ...) do whole("string.char", (select(i, ...))) end
    return str.char(...)
end

local NUMERIC <const> = "^%%[-+ #0]*%d?%d?%.?%d?%d?[diuxXeEfFgG]$"

local function directive(spec, value)
    if spec == "%%" then return spec end
    local letter = str.sub(spec, -1)
    if letter == "s" and str.find(spec, "^%%%-?%d?%d?%.?%d?%d?s$") then
        return spec, text("string.format", tostring(value))
    end
    if not str.find(spec, NUMERIC) then
        error("string.format: " .. spec .. " is not available", 0)
    end
    if not math_type(value) then
        error("string.format: " .. spec .. " takes a number, not " .. kind_of(value), 0)
    end
    if value ~= value then
        local left = str.find(spec, "-", 1, true) and "-" or ""
        return "%" .. left .. str.match(spec, "^%%[-+ #0]*(%d*)") .. "s", "nan"
    end
    if letter == "u" then spec = str.sub(spec, 1, -2) .. "d" end
    return spec, value
end

local function safe_format(form, ...)
    form = text("string.format", form)
    if #form > 1024 then
        error("string.format takes a form of at most 1024 bytes", 0)
    end
    local given, out, n, at = {...}, {}, 0, 1
    local taken = 0
    while true do
        local start_at, end_at = str.find(form, "%%[-+ #0-9.]*.?", at)
        if not start_at then break end
        out[#out + 1] = str.sub(form, at, start_at - 1)
        local spec = str.sub(form, start_at, end_at)
        if spec == "%%" then
            out[#out + 1] = "%"
        else
            taken = taken + 1
            if taken > select("#", ...) then
                error("string.format: no value for " .. spec, 0)
            end
            local safe, value = directive(spec, given[taken])
            out[#out + 1] = str.format(safe, value)
        end
        n, at = n + #out[#out], end_at + 1
        if n > LONG then error("string.format makes at most 65536 bytes", 0) end
    end
    out[#out + 1] = str.sub(form, at)
    charge(n // 8)
    return raw_concat(out)
end

local safe_string = {
    len = function(s) return #text("string.len", s) end,
    sub = function(s, first, last)
        return str.sub(text("string.sub", s), whole("string.sub", first, 1),
            whole("string.sub", last, -1))
    end,
    lower = of_text("lower"), upper = of_text("upper"), reverse = of_text("reverse"),
    rep = safe_rep, find = safe_find, byte = safe_byte, char = safe_char,
    format = safe_format,
}

local function safe_insert(t, ...)
    local n = rawlen(writable("table.insert", t)) + 1
    local count = select("#", ...)
    if count == 1 then
        rawset(t, n, (...))
        return
    end
    if count ~= 2 then error("table.insert takes a table, a place and a value", 0) end
    local at, value = ...
    at = whole("table.insert", at)
    if at < 1 or at > n then error("table.insert: no such place", 0) end
    for i = n, at + 1, -1 do rawset(t, i, rawget(t, i - 1)) end
    rawset(t, at, value)
end

local function safe_remove(t, at)
    local n = rawlen(writable("table.remove", t))
    at = whole("table.remove", at, n)
    if n == 0 and at == 0 or at == n + 1 then return rawget(t, at) end
    if at < 1 or at > n then error("table.remove: no such place", 0) end
    local value = rawget(t, at)
    for i = at, n - 1 do rawset(t, i, rawget(t, i + 1)) end
    rawset(t, n, nil)
    return value
end

local function safe_concat(t, sep, first, last)
    content_of("table.concat", t)
    sep = sep == nil and "" or text("table.concat", sep)
    first = whole("table.concat", first, 1)
    last = whole("table.concat", last, rawlen(t))
    local parts, n, size = {}, 0, 0
    for i = first, last do
        local part = rawget(t, i)
        if part == nil then error("table.concat: no value at " .. i, 0) end
        n = n + 1
        part = text("table.concat", part)
        parts[n] = part
        size = size + #part + #sep
        if size > LONG then error("table.concat makes at most 65536 bytes", 0) end
    end
    charge(size // 8)
    return raw_concat(parts, sep)
end

local function safe_unpack(t, first, last)
    content_of("table.unpack", t)
    first = whole("table.unpack", first, 1)
    last = whole("table.unpack", last, rawlen(t))
    if first > last then return end
    local count = last - first
    -- A count below zero has overflowed.
    if count < 0 or count >= WIDE then
        error("table.unpack gives at most 250 values", 0)
    end
    local values = {}
    for i = 0, count do values[i + 1] = rawget(t, first + i) end
    return raw_unpack(values, 1, count + 1)
end

-- Merging is stable, needs no chance, and a comparator that lies cannot break it; the
-- VM's own sort takes its pivots from the clock.
local function safe_sort(t, less)
    local n = rawlen(writable("table.sort", t))
    if n > MANY then error("table.sort: more than 10000 values", 0) end
    if less == nil then
        less = function(a, b) return a < b end
    elseif type(less) ~= "function" then
        error("table.sort takes a function, not " .. kind_of(less), 0)
    end
    local from, to = {}, {}
    for i = 1, n do from[i] = rawget(t, i) end
    local width = 1
    while width < n do
        for left = 1, n, width * 2 do
            local middle, right = left + width, left + width * 2
            if middle > n + 1 then middle = n + 1 end
            if right > n + 1 then right = n + 1 end
            local i, j = left, middle
            for k = left, right - 1 do
                if i < middle and (j >= right or not less(from[j], from[i])) then
                    to[k] = from[i]
                    i = i + 1
                else
                    to[k] = from[j]
                    j = j + 1
                end
            end
        end
        from, to, width = to, from, width * 2
    end
    for i = 1, n do rawset(t, i, from[i]) end
end

local globals = tools.globals
globals.math = lock("math", safe_math)
globals.string = lock("string", safe_string)
globals.table = lock("table", {
    insert = safe_insert, remove = safe_remove, concat = safe_concat,
    unpack = safe_unpack, sort = safe_sort,
    pack = function(...) return {n = select("#", ...), ...} end,
})
tools.of_strings.__index = safe_string
tools.seed = seed
