-- The world of an untrusted script: what it may call, and the meters on its calls.
-- Runs once per VM, first; empties the real globals and returns what bootstrap.lua
-- uses. Nothing here hands the script a function that can catch an error, load code,
-- run long outside the VM's instructions, or show an address.

local error, type, next, pairs = error, type, next, pairs
local rawget, rawset, rawlen, rawequal = rawget, rawset, rawlen, rawequal
local raw_getmetatable, raw_setmetatable = getmetatable, setmetatable
local select, raw_tostring, raw_tonumber, load = select, tostring, tonumber, load
local math_type, to_integer = math.type, math.tointeger
local clock, sethook, getinfo = os.clock, debug.sethook, debug.getinfo
local raw_sort, raw_concat, raw_unpack = table.sort, table.concat, table.unpack
local str = {}
for name, value in next, string do str[name] = value end
local random, randomseed = math.random, math.randomseed

local STEP <const> = 200           -- instructions between two looks at the meters
local LONG <const> = 65536         -- bytes that one call of a string function may read
local MANY <const> = 10000         -- keys of a table that is put in order
local WIDE <const> = 250           -- values that one call may unpack

-- Meters --------------------------------------------------------------------------

local TRIP = {}                    -- the error that ends a call over its budget
local used, budget, cpu_s, began = 0, 0, nil, 0
local tripped

-- After a trip every instruction of the script raises it again, so nothing that runs
-- while the stack unwinds gains a step.
local function still_tripped()
    if getinfo(2, "S").source == "=script" then error(TRIP, 0) end
end

local function trip(kind)
    tripped = kind
    sethook(still_tripped, "", 1)
    error(TRIP, 0)
end

local function look()
    used = used + STEP
    if used > budget then trip("budget") end
    if cpu_s and clock() - began > cpu_s then trip("time") end
end

-- Work inside C counts as if it were instructions.
local function charge(steps)
    used = used + steps
    if used > budget then trip("budget") end
end

local function start(instructions, seconds)
    used, budget, cpu_s, tripped = 0, instructions, seconds, nil
    if seconds then began = clock() end
    sethook(look, "", STEP)
end

local function stop()
    sethook()
    return used, tripped
end

-- Locked tables -------------------------------------------------------------------

local locked = {}                  -- proxy -> what it shows

local function lock(name, content, missing)
    local proxy = {}
    if missing then raw_setmetatable(content, {__index = missing}) end
    raw_setmetatable(proxy, {
        __index = content,
        __newindex = function()
            error(name .. " cannot be changed", 0)
        end,
    })
    locked[proxy] = content
    return proxy
end

-- Checks --------------------------------------------------------------------------

local function kind_of(value)
    return value == nil and "nil" or "a " .. type(value)
end

local function whole(where, value, default)
    if value == nil and default then return default end
    local found = math_type(value) and to_integer(value)
    if not found then
        error(where .. " takes a whole number, not " ..
            (math_type(value) and raw_tostring(value) or kind_of(value)), 0)
    end
    return found
end

local function text(where, value)
    local kind = math_type(value)
    if kind then
        -- The sign of a NaN differs between machines.
        if value ~= value then return "nan" end
        return raw_tostring(value)
    end
    if type(value) ~= "string" then
        error(where .. " takes a text, not " .. kind_of(value), 0)
    end
    if #value > LONG then
        error(where .. " takes texts of at most 65536 bytes", 0)
    end
    return value
end

local function writable(where, value)
    if type(value) ~= "table" then
        error(where .. " takes a table, not " .. kind_of(value), 0)
    end
    if locked[value] then error(where .. ": this table cannot be changed", 0) end
    return value
end

-- Metatables ----------------------------------------------------------------------

local EVENTS = {
    "__index", "__newindex", "__call", "__add", "__sub", "__mul", "__div", "__mod",
    "__pow", "__unm", "__idiv", "__band", "__bor", "__bxor", "__shl", "__shr",
    "__bnot", "__concat", "__len", "__eq", "__lt", "__le", "__tostring",
}
local REFUSED = {"__gc", "__close", "__mode", "__metatable", "__name", "__pairs"}
-- A table gets a copy of its metatable: the script holds only the original, so it
-- cannot add a finalizer later, nor a __call that is itself a table (calling such a
-- chain runs for minutes inside the VM).
local copies = raw_setmetatable({}, {__mode = "k"})      -- original -> copy
local originals = raw_setmetatable({}, {__mode = "k"})   -- copy -> original

local function safe_setmetatable(t, meta)
    writable("setmetatable", t)
    local now = raw_getmetatable(t)
    if now and not originals[now] then
        error("setmetatable: this table cannot be changed", 0)
    end
    if meta == nil then return raw_setmetatable(t, nil) end
    if type(meta) ~= "table" then
        error("setmetatable takes nil or a table, not " .. kind_of(meta), 0)
    end
    for i = 1, #REFUSED do
        if rawget(meta, REFUSED[i]) ~= nil then
            error("setmetatable: " .. REFUSED[i] .. " is not available", 0)
        end
    end
    local copy = copies[meta]
    if not copy then
        copy = {}
        copies[meta], originals[copy] = copy, meta
    end
    for i = 1, #EVENTS do
        local event = EVENTS[i]
        local value = rawget(meta, event)
        local kind = type(value)
        if value ~= nil and kind ~= "function" and (kind ~= "table" or i > 2) then
            error("setmetatable: " .. event .. " must be a function", 0)
        end
        copy[event] = value
    end
    return raw_setmetatable(t, copy)
end

local function safe_getmetatable(t)
    if type(t) ~= "table" then return nil end
    local meta = raw_getmetatable(t)
    return meta and originals[meta]
end

-- Basic functions -----------------------------------------------------------------

local function safe_tostring(value)
    local kind = math_type(value)
    if kind then return text("tostring", value) end
    kind = type(value)
    if kind == "string" then return value end
    if kind == "nil" or kind == "boolean" then return raw_tostring(value) end
    local meta = kind == "table" and raw_getmetatable(value)
    local make = meta and originals[meta] and meta.__tostring
    if not make then return kind end
    local made = make(value)
    if type(made) ~= "string" then error("__tostring must return a text", 0) end
    return made
end

local function safe_tonumber(value, base)
    if base ~= nil then
        base = whole("tonumber", base)
        if base < 2 or base > 36 then error("tonumber: base is 2 to 36", 0) end
    end
    if math_type(value) and base == nil then return value end
    if type(value) ~= "string" or #value > 128 then return nil end
    if base == nil then return raw_tonumber(value) end
    return raw_tonumber(value, base)
end

local function safe_select(n, ...)
    if n == "#" then return select("#", ...) end
    n = whole("select", n)
    if n == 0 or n < -select("#", ...) then error("select: no value there", 0) end
    return select(n, ...)
end

local function safe_rawset(t, key, value)
    return rawset(writable("rawset", t), key, value)
end

local function safe_rawget(t, key)
    return rawget(locked[t] or t, key)
end

-- Keys in order: numbers, then texts. Other keys have no order that two runs share.
local function keys_of(t)
    local numbers, texts, n, m = {}, {}, 0, 0
    for key in next, t do
        local kind = type(key)
        if kind == "number" then
            n = n + 1
            numbers[n] = key
        elseif kind == "string" then
            m = m + 1
            texts[m] = key
        else
            error("pairs: a key is " .. kind_of(key) ..
                "; only numbers and texts have an order", 0)
        end
        if n + m > MANY then error("pairs: more than 10000 keys", 0) end
    end
    charge((n + m) * 4)
    raw_sort(numbers)
    raw_sort(texts)
    for i = 1, m do numbers[n + i] = texts[i] end
    return numbers, n + m
end

local function content_of(where, t)
    if type(t) ~= "table" then
        error(where .. " takes a table, not " .. kind_of(t), 0)
    end
    return locked[t] or t
end

local function safe_pairs(t)
    local content = content_of("pairs", t)
    local keys, n = keys_of(content)
    local i = 0
    return function()
        while i < n do
            i = i + 1
            local key = keys[i]
            local value = rawget(content, key)
            if value ~= nil then return key, value end
        end
    end, t, nil
end

local function before(a, b)
    local kind_a, kind_b = type(a), type(b)
    if kind_a == kind_b then return a < b end
    return kind_a == "number"
end

-- The next key in the order of pairs. Looks at all keys: for a loop there is pairs.
local function safe_next(t, key)
    local content = content_of("next", t)
    local found
    for other in next, content do
        local kind = type(other)
        if kind ~= "number" and kind ~= "string" then
            error("next: a key is " .. kind_of(other) ..
                "; only numbers and texts have an order", 0)
        end
        if (key == nil or before(key, other))
            and (found == nil or before(other, found)) then
            found = other
        end
    end
    if found == nil then return nil end
    return found, rawget(content, found)
end

-- math ----------------------------------------------------------------------------

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

local seed_a, seed_b, seeded = 0, 0, false

local function seed(a, b)
    seed_a, seed_b, seeded = a, b, false
end

local function safe_random(low, high)
    if not seeded then
        seeded = true
        randomseed(seed_a, seed_b)
    end
    if low == nil then return random() end
    low = whole("math.random", low)
    if high == nil then low, high = 1, low else high = whole("math.random", high) end
    if low > high then error("math.random: nothing to choose from", 0) end
    return random(low, high)
end

local safe_math = {
    pi = math.pi, huge = math.huge,
    maxinteger = math.maxinteger, mininteger = math.mininteger,
    type = function(value) return math_type(value) end,
    tointeger = function(value) return math_type(value) and to_integer(value) end,
    random = safe_random,
}
for _, name in next, {
    "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod",
    "log", "max", "min", "modf", "rad", "sin", "sqrt", "tan", "ult",
} do
    safe_math[name] = of_numbers(name, math[name])
end

-- string --------------------------------------------------------------------------

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
        return spec, text("string.format", safe_tostring(value))
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
    if #form > 1024 then error("string.format takes a form of at most 1024 bytes", 0) end
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

-- table ---------------------------------------------------------------------------

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

-- The environment -----------------------------------------------------------------

local globals = {
    _VERSION = _VERSION,
    assert = assert, error = error, ipairs = ipairs, type = type,
    rawequal = rawequal,
    rawlen = function(t)
        return type(t) == "table" and rawlen(locked[t] or t) or rawlen(t)
    end,
    rawget = safe_rawget, rawset = safe_rawset,
    next = safe_next, pairs = safe_pairs, select = safe_select,
    tostring = safe_tostring, tonumber = safe_tonumber,
    setmetatable = safe_setmetatable, getmetatable = safe_getmetatable,
    math = lock("math", safe_math),
    string = lock("string", safe_string),
    table = lock("table", {
        insert = safe_insert, remove = safe_remove, concat = safe_concat,
        unpack = safe_unpack, sort = safe_sort,
        pack = function(...) return {n = select("#", ...), ...} end,
    }),
}

-- Globals can be set while the script is loaded and are fixed afterwards: what a call
-- leaves behind belongs into context, which outlives this VM.
local loading = true
local env = {}
raw_setmetatable(env, {
    __index = globals,
    __newindex = function(_, key, value)
        if not loading then
            error("global " .. safe_tostring(key) ..
                " cannot be set in a call; keep it in context", 0)
        end
        rawset(globals, key, value)
    end,
})
locked[env] = globals
globals._G = env

-- Texts have the safe functions as methods, and no arithmetic of their own.
local of_strings = raw_getmetatable("")
for name in next, of_strings do of_strings[name] = nil end
of_strings.__index = safe_string

local tools = {
    TRIP = TRIP, start = start, stop = stop, lock = lock, locked = locked, seed = seed,
    kind_of = kind_of, whole = whole, globals = globals,
    next = next, error = error, type = type, rawget = rawget, rawlen = rawlen,
    rawequal = rawequal, select = select, setmetatable = raw_setmetatable,
    math_type = math_type, unpack = raw_unpack, sort = raw_sort, sub = str.sub,
    find = str.find, getinfo = getinfo, xpcall = xpcall, tostring = safe_tostring,
    compile = function(source) return load(source, "=script", "t", env) end,
    loaded = function() loading = false end,
}

local traceback = debug.traceback
local modules = package.loaded
for name in next, modules do modules[name] = nil end
local real = _G
for name in next, real do real[name] = nil end
-- The bridge to Python looks this one up at every call.
real.debug = {traceback = traceback}

return tools
