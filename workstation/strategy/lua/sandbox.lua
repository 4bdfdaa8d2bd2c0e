-- The world of an untrusted script: what it may call, and the meters on its calls.
-- Runs once per VM, first; empties the real globals and returns the tools with which
-- library.lua, market.lua and calls.lua are made. None of these hands the script a
-- function that can catch an error, load code, run long outside the VM's instructions,
-- or show an address.

local error, type, next = error, type, next
local rawget, rawset, rawlen, rawequal = rawget, rawset, rawlen, rawequal
local raw_getmetatable, raw_setmetatable = getmetatable, setmetatable
local select, raw_tostring, raw_tonumber, load = select, tostring, tonumber, load
local math_type, to_integer, raw_sort = math.type, math.tointeger, table.sort
local clock, sethook, getinfo = os.clock, debug.sethook, debug.getinfo

local STEP <const> = 200           -- instructions between two looks at the meters
local LONG <const> = 65536         -- bytes that one call of a string function may read
local MANY <const> = 10000         -- keys of a table that is put in order

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

-- What is locked can be read and cannot be written, by no road.
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

-- Texts have no arithmetic of their own; library.lua gives them their methods.
local of_strings = raw_getmetatable("")
for name in next, of_strings do of_strings[name] = nil end

local function copy_of(t)
    local copy = {}
    for key, value in next, t do copy[key] = value end
    return copy
end

local tools = {
    start = start, stop = stop, charge = charge,
    lock = lock, writable = writable, content_of = content_of,
    kind_of = kind_of, whole = whole, text = text,
    globals = globals, of_strings = of_strings,
    next = next, error = error, type = type, select = select, xpcall = xpcall,
    rawget = rawget, rawset = rawset, rawlen = rawlen, rawequal = rawequal,
    setmetatable = raw_setmetatable, getinfo = getinfo, tostring = safe_tostring,
    math = copy_of(math), string = copy_of(string), table = copy_of(table),
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
