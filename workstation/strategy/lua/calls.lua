-- The way in and out of a call. Runs once per VM, last; returns the functions that
-- vm.py calls. Only numbers and booleans cross during calls; a text stands for itself
-- by its number, as a value in a flat table with the key's number negated, elsewhere
-- behind a false. false alone is what is not known.

local tools, settings = ...
local ABANDONED, seed = tools.ABANDONED, tools.seed
local start, stop = tools.start, tools.stop
local kind_of, globals = tools.kind_of, tools.globals
local getinfo, xpcall = tools.getinfo, tools.xpcall
local next, error, type = tools.next, tools.error, tools.type
local rawget, rawequal, tostring = tools.rawget, tools.rawequal, tools.tostring
local texts, ids, is_known, id_of = tools.texts, tools.ids, tools.is_known, tools.id_of
local begin, left, wanted_now = tools.begin, tools.left, tools.wanted
local math_type, sub, find = tools.math.type, tools.string.sub, tools.string.find
local unpack, sort = tools.table.unpack, tools.table.sort

local MAX_KEYS <const>, MAX_NEEDS <const> = settings.max_keys, settings.max_needs
local LONG <const> = settings.longest * 8  -- bytes of a message that leave the VM

local budget, cpu_s = settings.instructions, settings.cpu_s or nil

local OK <const>, NEED <const>, FAILED <const> = 0, 1, 2

local fault, fault_line            -- what the handler saw

local OURS = {"script", "sandbox", "library", "market", "calls"}

local function message_of(raised)
    if type(raised) ~= "string" then
        if math_type(raised) then return tostring(raised) end
        return "raised " .. kind_of(raised) .. " instead of a text"
    end
    local said = sub(raised, 1, LONG)
    for i = 1, #OURS do
        local _, prefix = find(said, "^" .. OURS[i] .. ":%d+: ")
        if prefix then return sub(said, prefix + 1) end
    end
    return said
end

-- Runs where the error was raised, so the script's line is still on the stack.
local function handle(raised)
    fault, fault_line = raised, nil
    for level = 2, 60 do
        local frame = getinfo(level, "Sl")
        if not frame then break end
        if frame.source == "=script" then
            fault_line = frame.currentline
            break
        end
    end
    return raised
end

-- Returns nothing when all went well, else what to return from the call.
local function run(f, ...)
    fault, fault_line = nil, nil
    local ok, result = xpcall(f, handle, ...)
    local used, tripped = stop()
    if ok then return nil, used, result end
    if tripped then return FAILED, used, fault_line, tripped, "" end
    -- The handler is not called where memory has run out.
    if fault == nil and result == "not enough memory" then
        return FAILED, used, nil, "memory", ""
    end
    if fault == nil then fault = result end
    if rawequal(fault, ABANDONED) then return NEED, used, fault_line end
    return FAILED, used, fault_line, "script", message_of(fault)
end

-- What reads the script's tables must not call its code, neither to show a value nor to
-- compare two. Should it all the same, it has a budget of its own: how much it needs
-- depends on the VM's order of keys, so it is not part of the call's.
local READING <const> = 1000000

local function read_out(f, ...)
    start(READING, cpu_s)
    local ok, out, n = xpcall(f, message_of, ...)
    local _, tripped = stop()
    if ok then return nil, out, n end
    return tripped or (out == "not enough memory" and "memory") or "script", out
end

local function key_shown(key)
    local kind = type(key)
    if kind == "string" then return '"' .. sub(key, 1, 40) .. '"' end
    if kind == "number" or kind == "boolean" then return tostring(key) end
    return kind_of(key)
end

local function refusal(what, key, value)
    if type(key) ~= "string" then
        return what .. " has the key " .. key_shown(key) .. "; keys are texts"
    end
    local place = what .. "[" .. key_shown(key) .. "]"
    local kind = type(value)
    if kind == "number" and value - value ~= 0 then
        return place .. " is " .. tostring(value)
    end
    if kind ~= "number" and kind ~= "boolean" and kind ~= "string" then
        return place .. " is " .. kind_of(value) ..
            "; it may be a number, a boolean or a text"
    end
    local told = is_known(key) and key_shown(value) or "its key"
    return place .. ": " .. told .. tools.UNKNOWN
end

-- Append a flat table as (key, value) pairs; returns the new length and the count. Of
-- several faults the one that comes first in the order of keys is told: the VM's own
-- order differs between runs.
local function append(out, n, what, t, skipped)
    local count, worst, worst_shown = 0, nil, nil
    for key, value in next, t do
        if key ~= skipped then
            count = count + 1
            if count > MAX_KEYS then error(what .. " has more than 64 keys", 0) end
            local id = type(key) == "string" and is_known(key)
            local kind = type(value)
            local sound = id
            if kind == "string" then
                value = is_known(value)
                sound = id and value
                id = id and -id
            elseif kind == "number" then
                sound = id and value - value == 0
            elseif kind ~= "boolean" then
                sound = nil
            end
            if sound then
                out[n + 1], out[n + 2] = id, value
                n = n + 2
            else
                local shown = key_shown(key)
                if worst == nil or shown < worst_shown then
                    worst, worst_shown = key, shown
                end
            end
        end
    end
    if worst ~= nil then error(refusal(what, worst, rawget(t, worst)), 0) end
    return n, count
end

local functions, names_of, lines = {}, {}, {}

local function read_flat(args, at)
    local t = {}
    local count = args[at]
    for i = at + 1, at + 2 * count, 2 do
        local key, value = args[i], args[i + 1]
        if key < 0 then t[texts[-key]] = texts[value] else t[texts[key]] = value end
    end
    return t, at + 1 + 2 * count
end

local function same(context, sent)
    for key, value in next, context do
        local before = sent[key]
        if key ~= "opportunity" and
            (before ~= value or math_type(before) ~= math_type(value)) then
            return false
        end
    end
    for key in next, sent do
        if rawget(context, key) == nil then return false end
    end
    return true
end

local function leave(which, answer, context, sent, opportunity)
    local out, name = {OK, 0}, names_of[which]
    local n, count = 2, nil
    if answer == nil then
        out[3], n = -1, 3
    elseif type(answer) == "table" then
        n, count = append(out, 3, name .. "'s answer", answer)
        out[3] = count
    else
        error(name .. " must return nil or a table, not " .. kind_of(answer), 0)
    end
    if not rawequal(rawget(context, "opportunity"), opportunity) then
        error("context.opportunity is the workstation's and cannot be set", 0)
    end
    n = n + 1
    if same(context, sent) then
        out[n] = -1
    else
        local place = n
        n, count = append(out, n, "context", context, "opportunity")
        out[place] = count
    end
    local notes, note_count, plots, plot_count = left()
    n = n + 1
    out[n] = note_count
    for i = 1, note_count do
        local parts = notes[i]
        for j = 1, parts.n do out[n + j] = parts[j] end
        n = n + parts.n
    end
    n = n + 1
    out[n] = plot_count
    for id, value in next, plots do
        out[n + 1], out[n + 2] = id, value
        n = n + 2
    end
    return out, n
end

local function abandoned(used, line)
    local wanted = wanted_now()
    local out = {NEED, used, line, wanted[1], wanted[2], wanted[3].n}
    local n = 6
    local function put(value)
        if type(value) == "string" then
            out[n + 1], out[n + 2] = false, ids[value]
            n = n + 2
        else
            out[n + 1], n = value, n + 1
        end
    end
    for i = 1, wanted[3].n do put(wanted[3][i]) end
    put(#wanted[4] // 2)
    for i = 1, #wanted[4] do put(wanted[4][i]) end
    return unpack(out, 1, n)
end

local function dispatch(
    which, seed_a, seed_b, symbol, now, timestamp, open, high, low, close, volume, bid,
    ask, bid_size, ask_size, mid_price, spread_bps, position, entry_price, stop_price,
    target, orders, bars, previous_timestamp, previous_open, previous_high,
    previous_low, previous_close, previous_volume, ...)
    local args, at = {...}, 1
    local params, context, sent, opportunity, failed
    params, at = read_flat(args, at)
    sent = read_flat(args, at)
    context, at = read_flat(args, at)
    if args[at] >= 0 then
        opportunity, at = read_flat(args, at)
        context.opportunity = opportunity
    else
        at = at + 1
    end
    local values, count = {}, args[at]
    for _ = 1, count do
        local slot, n = args[at + 1], args[at + 2]
        at = at + 2
        if n == 1 then
            values[slot] = args[at + 1]
        else
            local outputs = {n = n}
            for i = 1, n do outputs[i] = args[at + i] or nil end
            values[slot] = outputs
        end
        at = at + n
    end
    seed(seed_a, seed_b)
    local market, indicators = begin({
        symbol = texts[symbol], now = now or nil, timestamp = timestamp or nil,
        open = open or nil, high = high or nil, low = low or nil, close = close or nil,
        volume = volume or nil, bid = bid or nil, ask = ask or nil,
        bid_size = bid_size or nil, ask_size = ask_size or nil,
        mid_price = mid_price or nil, spread_bps = spread_bps or nil,
        position = position or nil, entry_price = entry_price or nil,
        stop = stop_price or nil, target = target or nil, orders = orders or nil,
        params = params,
        previous = previous_timestamp and {
            timestamp = previous_timestamp, open = previous_open or nil,
            high = previous_high or nil, low = previous_low or nil,
            close = previous_close or nil, volume = previous_volume or nil,
        } or nil,
    }, bars or 0, values)
    start(budget, cpu_s)
    local status, used, answer, kind, text =
        run(functions[which], market, context, indicators)
    if status == NEED then
        local line = answer or lines[which]
        if count < MAX_NEEDS then return abandoned(used, line) end
        return FAILED, used, line, "script",
            "asks for more than 64 different values; they are kept for each symbol"
    end
    -- A tail call leaves no line of the script on the stack, nor does lack of memory.
    if status then return status, used, answer or lines[which], kind, text end
    local out, n
    failed, out, n = read_out(leave, which, answer, context, sent, opportunity)
    if failed then return FAILED, used, lines[which], failed, out end
    out[2] = used
    return unpack(out, 1, n)
end

local function missing_functions(names)
    local missing, all = "", ""
    for i = 1, #names do
        local f = rawget(globals, names[i])
        all = all .. (i > 1 and ", " or "") .. names[i]
        if type(f) ~= "function" then
            missing = missing .. (missing ~= "" and ", " or "") .. names[i]
        else
            local info = getinfo(f, "S")
            functions[i], names_of[i] = f, names[i]
            lines[i] = info.source == "=script" and info.linedefined or 0
        end
    end
    if missing ~= "" then
        error("misses " .. missing .. "; a script defines " .. all, 0)
    end
end

local PARAM_KEYS = {default = true, min = true, max = true, help = true}

local function one_param(out, n, name, declared)
    if type(name) ~= "string" then
        error("PARAMS has the key " .. key_shown(name) .. "; names are texts", 0)
    end
    id_of("PARAMS: the name", name)
    local where = 'PARAMS.' .. name
    local t = type(declared) == "table" and declared or {default = declared}
    for key in next, t do
        if not PARAM_KEYS[key] then
            error(where .. " has default, min, max and help, nothing else", 0)
        end
    end
    local default, help = rawget(t, "default"), rawget(t, "help")
    local kind = type(default)
    if kind ~= "number" and kind ~= "boolean" and kind ~= "string" then
        error(where .. " needs a default that is a number, a boolean or a text", 0)
    end
    if kind == "number" and default - default ~= 0 then
        error(where .. " has a default that is not finite", 0)
    end
    if kind == "string" then id_of(where .. ": the default", default) end
    if help ~= nil and (type(help) ~= "string" or #help > LONG) then
        error(where .. ".help must be a text of at most " .. LONG .. " bytes", 0)
    end
    local bounds = {rawget(t, "min") or false, rawget(t, "max") or false}
    for i = 1, 2 do
        if bounds[i] and (not math_type(bounds[i]) or bounds[i] - bounds[i] ~= 0) then
            error(where .. ": min and max are finite numbers", 0)
        end
    end
    out[n + 1], out[n + 2], out[n + 3] = name, default, bounds[1]
    out[n + 4], out[n + 5] = bounds[2], help or ""
end

local function read_params()
    local declared = rawget(globals, "PARAMS")
    local out, n, names = {}, 0, {}
    if declared == nil then return out, 0 end
    if type(declared) ~= "table" then
        error("PARAMS must be a table of name to default or table", 0)
    end
    for name in next, declared do
        if #names >= MAX_KEYS then error("PARAMS has more than 64 names", 0) end
        names[#names + 1] = name
    end
    sort(names, function(a, b) return key_shown(a) < key_shown(b) end)
    for i = 1, #names do
        one_param(out, n, names[i], rawget(declared, names[i]))
        n = n + 5
    end
    return out, n
end

-- Returns status, instructions, then the functions' lines and five values for each
-- parameter, or the line, kind and message of the failure.
local function load_script(source, seed_a, names)
    local chunk, refused = tools.compile(source)
    if not chunk then return FAILED, 0, -1, "script", sub(refused, 1, LONG) end
    seed(seed_a, -1)
    start(budget, cpu_s)
    local status, used, line, kind, text = run(chunk)
    if status then
        return status, used, line or 0, kind, text
    end
    tools.loaded()
    local failed, out, n = read_out(missing_functions, names)
    if not failed then failed, out, n = read_out(read_params) end
    if failed then return FAILED, used, 0, failed, out end
    return OK, used, lines[1], lines[2], lines[3], unpack(out, 1, n)
end

return dispatch, load_script
