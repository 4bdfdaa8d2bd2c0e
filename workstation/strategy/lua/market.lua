-- What a script is called with: the market, the indicators, and the needs behind them.
-- Runs once per VM, after library.lua. A need is a value that depends on arguments; the
-- first one that was not sent ends the call, and is told instead of an answer.

local tools, settings, kinds = ...
local lock, kind_of, whole = tools.lock, tools.kind_of, tools.whole
local next, error, type, select = tools.next, tools.error, tools.type, tools.select
local rawget, tostring, setmetatable = tools.rawget, tools.tostring, tools.setmetatable
local math_type, sub, find = tools.math.type, tools.string.sub, tools.string.find
local unpack, sort = tools.table.unpack, tools.table.sort

local MAX_ARGUMENTS <const> = settings.max_arguments
local MAX_PLOTS <const> = settings.max_plots
local MAX_NOTES <const>, MAX_PARTS <const> = settings.max_notes, settings.max_note_parts
local LONGEST <const> = settings.longest * 4   -- bytes of a text that may cross
local FARTHEST <const> = settings.farthest   -- bars that anything may look back

local UNKNOWN <const> = " was made in the call, has more than 64 characters or " ..
    "cannot be printed; only texts that stand in the script may leave it"

local texts, ids = {}, {}          -- number -> text, text -> number

local function intern(id, text)
    texts[id], ids[text] = text, id
end

local function is_known(text)
    return #text <= LONGEST and ids[text]
end

local function id_of(what, text)
    local id = is_known(text)
    if not id then
        error(what .. ' "' .. sub(text, 1, 40) .. '"' .. UNKNOWN, 0)
    end
    return id
end

local ABANDONED = {}               -- the error that gives a call up for its needs
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

-- Give a need a slot: (slot, kind, name, count, value, count, key, value), with as many
-- values and pairs as counted; a text as a value is false and its number.
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
            error(where .. ": parameters by name are at most 8, such as back = 1", 0)
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
        error(where .. " takes " .. least .. " to " .. FARTHEST .. ", not " .. value, 0)
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
        error("market.log takes 1 to 16 texts, numbers and booleans", 0)
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
                error("market.log takes texts, numbers and booleans, not " ..
                    kind_of(part), 0)
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
    if not find(name, "[^ ]") then
        error("market.plot takes a name that can be read", 0)
    end
    local id = id_of("market.plot: the name", name)
    if value == nil or value ~= value then return end
    if not math_type(value) or value - value ~= 0 then
        error("market.plot: " .. name .. " must be a finite number", 0)
    end
    if plots[id] == nil then
        plot_count = plot_count + 1
        if plot_count > MAX_PLOTS then
            error("market.plot takes at most 16 names a call", 0)
        end
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
        error("no indicator " .. tostring(name) .. "; there are: " ..
            listed(closures), 0)
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

-- Make a market of the fields that a call sent; bars and values are the host's to keep.
local function begin(fields, bars, sent)
    bar_count, values, wanted = bars, sent, nil
    notes, note_count, plots, plot_count = {}, 0, {}, 0
    fields.figures = figures
    return setmetatable(fields, market_meta), indicators
end

local function left()
    return notes, note_count, plots, plot_count
end

forget()
tools.ABANDONED = ABANDONED
tools.texts, tools.ids, tools.is_known, tools.id_of = texts, ids, is_known, id_of
tools.UNKNOWN = UNKNOWN
tools.begin, tools.left = begin, left
tools.wanted = function() return wanted end
return intern, name_all, register, forget
