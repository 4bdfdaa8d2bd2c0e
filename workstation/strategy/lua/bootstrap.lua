-- What a script is called with, and the way in and out of a call. Runs once per VM,
-- after sandbox.lua; returns the functions that vm.py calls. Only numbers and booleans
-- cross during calls; texts stand for themselves by their numbers (see intern), a text
-- as a value by its number with the key negated. false stands for "not known".

local tools, settings, kinds = ...
local TRIP, start, stop, lock, seed = tools.TRIP, tools.start, tools.stop, tools.lock, tools.seed
local kind_of, whole, globals = tools.kind_of, tools.whole, tools.globals
local next, error, type, rawget, rawlen = tools.next, tools.error, tools.type, tools.rawget, tools.rawlen
local rawequal, select, setmetatable = tools.rawequal, tools.select, tools.setmetatable
local math_type, unpack, sort, sub = tools.math_type, tools.unpack, tools.sort, tools.sub
local find, getinfo, xpcall, tostring = tools.find, tools.getinfo, tools.xpcall, tools.tostring

local MAX_KEYS <const>, MAX_ARGUMENTS <const> = settings.max_keys, settings.max_arguments
local MAX_NOTES <const>, MAX_PARTS <const> = settings.max_notes, settings.max_note_parts
local MAX_PLOTS <const>, LONGEST <const> = settings.max_plots, settings.longest
local FARTHEST <const> = 1000000   -- bars that anything may look back

local OK <const>, NEED <const>, FAILED <const> = 0, 1, 2

-- Texts ---------------------------------------------------------------------------

local texts, ids = {}, {}          -- number -> text, text -> number

local function intern(id, text)
    texts[id], ids[text] = text, id
end

local function id_of(what, text)
    local id = #text <= LONGEST * 4 and ids[text]
    if not id then
        error(what .. ' "' .. sub(text, 1, 40) ..
            '" was made in the call; only texts that stand in the script may leave it', 0)
    end
    return id
end

-- Errors --------------------------------------------------------------------------

local ABANDONED = {}               -- the error that gives a call up for its needs
local fault, fault_line            -- what the handler saw

local OURS = {"script", "sandbox", "bootstrap"}

local function message_of(raised)
    if type(raised) ~= "string" then
        if math_type(raised) then return tostring(raised) end
        return "raised " .. kind_of(raised) .. " instead of a text"
    end
    local said = sub(raised, 1, LONGEST * 8)
    for i = 1, #OURS do
        local _, prefix = find(said, "^%[?s?t?r?i?n?g? ?\"?" .. OURS[i] .. "\"?%]?:%d+: ")
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

-- Needs ---------------------------------------------------------------------------

local LEAF, NAMED = {}, {}         -- keys that no script has
local roots = {}                   -- kind -> name -> place 1 -> place 2 -> … -> LEAF
local values                       -- slot -> value, of this call
local wanted                       -- the need for which the call was given up

local function forget()
    for kind = 1, #kinds do roots[kind] = {} end
end

local function child(node, key)
    local found = node[key]
    if not found then
        found = {}
        node[key] = found
    end
    return found
end

-- Give a need a slot: (slot, kind, name, count, value…, count, key, value…), where a
-- value is false and a number for a text.
local function register(slot, kind, name, count, ...)
    local given, at = {...}, 0
    local function read()
        at = at + 1
        if given[at] == false then
            at = at + 1
            return texts[given[at]]
        end
        return given[at]
    end
    local node = child(roots[kind], name)
    for _ = 1, count do node = child(node, read()) end
    local named = read()
    if named > 0 then
        node = child(node, NAMED)
        for _ = 1, named do
            node = child(node, read())
            node = child(node, read())
        end
    end
    node[LEAF] = slot
end

local function want(kind, name, args, named)
    wanted = {kind, name, args, named}
    error(ABANDONED, 0)
end

local function known(node)
    local slot = node and node[LEAF]
    if not slot then return nil end
    return values[slot]
end

local function given(value)
    if type(value) ~= "table" then return value or nil end
    return unpack(value, 1, value.n)
end

local function argument(where, value)
    local kind = type(value)
    if kind == "number" then
        if value - value ~= 0 then error(where .. ": a parameter is not finite", 0) end
    elseif kind == "string" then
        id_of(where .. ": the text", value)
    else
        error(where .. ": a parameter is " .. kind_of(value) ..
            ", not a number or text", 0)
    end
    return value
end

local function named_arguments(where, named)
    local keys, n = {}, 0
    for key in next, named do
        n = n + 1
        if type(key) ~= "string" or n > MAX_ARGUMENTS then
            error(where .. ": parameters by name are at most 8 pairs such as back = 1", 0)
        end
        keys[n] = key
    end
    sort(keys)
    for i = 1, n do
        id_of(where .. ": the name", keys[i])
        argument(where, rawget(named, keys[i]))
    end
    return keys
end

local function indicator(kind, name, text)
    local where = "indicators." .. text
    return function(...)
        local count = select("#", ...)
        local args, named = {...}, nil
        if type(args[count]) == "table" then
            named, args[count] = args[count], nil
            count = count - 1
        end
        if count > MAX_ARGUMENTS then error(where .. ": too many parameters", 0) end
        local node = roots[kind][name]
        for i = 1, count do
            local value = argument(where, args[i])
            node = node and node[value]
        end
        local keys
        if named and next(named) ~= nil then
            keys = named_arguments(where, named)
            node = node and node[NAMED]
            for i = 1, #keys do
                node = node and node[keys[i]]
                node = node and node[rawget(named, keys[i])]
            end
        end
        local value = known(node)
        if value ~= nil then return given(value) end
        local pairs_given = {}
        for i = 1, keys and #keys or 0 do
            pairs_given[2 * i - 1], pairs_given[2 * i] = keys[i], rawget(named, keys[i])
        end
        args.n = count
        want(kind, name, args, pairs_given)
    end
end

local function listed(set)
    local names = {}
    for name in next, set do names[#names + 1] = name end
    sort(names)
    local line = ""
    for i = 1, #names do line = line .. (i > 1 and ", " or "") .. names[i] end
    return line == "" and "none" or line
end

-- The market ----------------------------------------------------------------------

local kind_number = {}
for number = 1, #kinds do kind_number[kinds[number]] = number end

local function looked_up(kind, a, b)
    local node = roots[kind][0]
    node = node and node[a]
    if b then node = node and node[b] end
    local value = known(node)
    if value ~= nil then return given(value) end
    want(kind, 0, {n = b and 2 or 1, a, b}, {})
end

local function bounded(where, value, default, least)
    value = whole(where, value, default)
    if value < least or value > FARTHEST then
        error(where .. " takes " .. least .. " to 1000000, not " .. value, 0)
    end
    return value
end

local function of_window(name)
    local kind, where = kind_number[name], "market." .. name
    return function(n, back)
        return looked_up(kind, bounded(where, n, nil, 1), bounded(where, back, 0, 0))
    end
end

local notes, note_count            -- numbers and (false, text) pairs, with counts
local plots, plot_count

local function note(...)
    local count = select("#", ...)
    if count == 0 or count > MAX_PARTS then
        error("market.log takes 1 to 16 texts and numbers", 0)
    end
    local parts = {count, n = 1}
    for i = 1, count do
        local part = (select(i, ...))
        local kind = type(part)
        local n = parts.n
        if kind == "number" then
            parts[n + 1], parts.n = part, n + 1
        else
            if kind == "nil" or kind == "boolean" then
                part = tostring(part)
            elseif kind ~= "string" then
                error("market.log takes texts and numbers, not " .. kind_of(part), 0)
            end
            parts[n + 1], parts[n + 2] = false, id_of("market.log: the text", part)
            parts.n = n + 2
        end
    end
    -- More lines are left out, as from a Python script.
    if note_count < MAX_NOTES then
        note_count = note_count + 1
        notes[note_count] = parts
    end
end

local function plot(name, value)
    if type(name) ~= "string" then
        error("market.plot takes a name and a number, not " .. kind_of(name), 0)
    end
    local id = id_of("market.plot: the name", name)
    if value == nil or value ~= value then return end
    if not math_type(value) or value - value ~= 0 then
        error("market.plot: " .. name .. " must be a finite number", 0)
    end
    if plots[id] == nil then
        plot_count = plot_count + 1
        if plot_count > MAX_PLOTS then error("market.plot takes at most 16 names a call", 0) end
    end
    plots[id] = value + 0.0
end

local bar_count
local methods = {
    bars = function() return bar_count end,
    closes = function(back)
        return looked_up(kind_number.closes, bounded("market.closes", back, nil, 0))
    end,
    highest = of_window("highest"), lowest = of_window("lowest"),
    average_volume = of_window("average_volume"),
    imbalance = function(n)
        return looked_up(kind_number.imbalance, bounded("market.imbalance", n, 5, 1))
    end,
    log = note, plot = plot,
}
local FIELDS = {
    symbol = true, now = true, timestamp = true, open = true, high = true, low = true,
    close = true, volume = true, bid = true, ask = true, bid_size = true,
    ask_size = true, mid_price = true, spread_bps = true, position = true,
    entry_price = true, stop = true, target = true, orders = true, params = true,
    previous = true, figures = true,
}
local market_meta = {
    __index = function(_, name)
        local method = methods[name]
        if method or FIELDS[name] then return method end
        error("market has no " .. tostring(name) .. "; it has " .. listed(FIELDS) ..
            ", " .. listed(methods), 0)
    end,
}

local indicators, figures

-- The names that this run knows, each by its number.
local function name_all(...)
    local closures, allowed = {}, {}
    for i = 1, select("#", ...), 2 do
        local kind, id = select(i, ...)
        local text = texts[id]
        if kind == kind_number.indicator then
            closures[text] = indicator(kind, id, text)
        else
            allowed[text] = id
        end
    end
    indicators = lock("indicators", closures, function(_, name)
        error("no indicator " .. tostring(name) .. "; there are: " .. listed(closures), 0)
    end)
    local figure = kind_number.figure
    local function value_of(name)
        local value = known(roots[figure][allowed[name]])
        if value ~= nil then return given(value) end
        want(figure, allowed[name], {n = 0}, {})
    end
    local names = {
        get = function(name)
            if allowed[name] then return value_of(name) end
        end,
        names = function()
            local found = {}
            for name in next, allowed do found[#found + 1] = name end
            sort(found)
            return found
        end,
    }
    figures = lock("market.figures", names, function(_, name)
        if allowed[name] then return value_of(name) end
        error("no figure " .. tostring(name) .. " in this run; there are: " ..
            listed(allowed), 0)
    end)
end

-- Reading what a call left --------------------------------------------------------

local function key_shown(key)
    return type(key) == "string" and '"' .. sub(key, 1, 40) .. '"' or tostring(key)
end

local function is_known(text)
    return #text <= LONGEST * 4 and ids[text]
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
        return place .. " is " .. kind_of(value) .. "; it may be a number, a boolean or a text"
    end
    local told = is_known(key) and key_shown(value) or "its key"
    return place .. ": " .. told ..
        " was made in the call; only texts that stand in the script may leave it"
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
                if worst == nil or shown < worst_shown then worst, worst_shown = key, shown end
            end
        end
    end
    if worst ~= nil then error(refusal(what, worst, rawget(t, worst)), 0) end
    return n, count
end

-- Calls ---------------------------------------------------------------------------

local functions, names_of, lines = {}, {}, {}
local budget, cpu_s = settings.instructions, settings.cpu_s or nil

local function read_flat(args, at)
    local t = {}
    local count = args[at]
    for i = at + 1, at + 2 * count, 2 do
        local key, value = args[i], args[i + 1]
        if key < 0 then t[texts[-key]] = texts[value] else t[texts[key]] = value end
    end
    return t, at + 1 + 2 * count
end

local function same(context, sent, skipped)
    for key, value in next, context do
        local before = sent[key]
        if key ~= skipped and
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
    local skipped = opportunity and "opportunity"
    if skipped and rawget(context, "opportunity") ~= opportunity then
        error("context.opportunity belongs to the workstation and cannot be replaced", 0)
    end
    n = n + 1
    if same(context, sent, skipped) then
        out[n] = -1
    else
        local place = n
        n, count = append(out, n, "context", context, skipped)
        out[place] = count
    end
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
    local params, context, sent, opportunity, count
    params, at = read_flat(args, at)
    sent = read_flat(args, at)
    context, at = read_flat(args, at)
    if args[at] >= 0 then
        opportunity, at = read_flat(args, at)
        context.opportunity = opportunity
    else
        at = at + 1
    end
    values, count = {}, args[at]
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
    bar_count = bars or 0
    notes, note_count, plots, plot_count, wanted = {}, 0, {}, 0, nil
    seed(seed_a, seed_b)
    local market = setmetatable({
        symbol = texts[symbol], now = now or nil, timestamp = timestamp or nil,
        open = open or nil, high = high or nil, low = low or nil, close = close or nil,
        volume = volume or nil, bid = bid or nil, ask = ask or nil,
        bid_size = bid_size or nil, ask_size = ask_size or nil,
        mid_price = mid_price or nil, spread_bps = spread_bps or nil,
        position = position or nil, entry_price = entry_price or nil,
        stop = stop_price or nil, target = target or nil, orders = orders or nil,
        params = params, figures = figures,
        previous = previous_timestamp and {
            timestamp = previous_timestamp, open = previous_open or nil,
            high = previous_high or nil, low = previous_low or nil,
            close = previous_close or nil, volume = previous_volume or nil,
        } or nil,
    }, market_meta)
    start(budget, cpu_s)
    local status, used, answer, kind, text = run(functions[which], market, context, indicators)
    if status == NEED then return abandoned(used, answer or lines[which]) end
    -- A tail call leaves no line of the script on the stack, nor does lack of memory.
    if status then return status, used, answer or lines[which], kind, text end
    local ok, out, n = xpcall(leave, message_of, which, answer, context, sent, opportunity)
    if not ok then
        local full = out == "not enough memory"
        return FAILED, used, lines[which], full and "memory" or "script", out
    end
    out[2] = used
    return unpack(out, 1, n)
end

-- The load ------------------------------------------------------------------------

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
    if help ~= nil and (type(help) ~= "string" or #help > LONGEST * 4) then
        error(where .. ".help must be a text of at most " .. LONGEST * 4 .. " bytes", 0)
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
    if not chunk then return FAILED, 0, -1, "script", sub(refused, 1, LONGEST * 8) end
    seed(seed_a, -1)
    start(budget, cpu_s)
    local status, used, line, kind, text = run(chunk)
    if status then
        return status, used, line or 0, kind or "script", text or "asks before it is called"
    end
    tools.loaded()
    local ok, message = xpcall(missing_functions, message_of, names)
    if not ok then return FAILED, used, 0, "script", message end
    local n
    ok, message, n = xpcall(read_params, message_of)
    if not ok then return FAILED, used, 0, "script", message end
    return OK, used, lines[1], lines[2], lines[3], unpack(message, 1, n)
end

forget()
return intern, name_all, register, forget, dispatch, load_script
