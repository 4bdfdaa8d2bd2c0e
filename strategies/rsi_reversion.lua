-- RSI mean reversion: buys what has been sold too far, sells it once that is mended.
--
-- Watch       the RSI falls below `oversold` (or rises above `overbought`, which is
--             only watched: long only)
-- CloseWatch  enters while the RSI is still low and the price has not left the low of
--             its range; gives up else
-- InTrade     leaves at `middle`; from `near` on the stop follows the price at `trail`,
--             and never loosens

PARAMS = {
  period = {default = 14, min = 2, max = 500, help = "bars of the RSI"},
  oversold = {default = 30.0, min = 1.0, max = 50.0, help = "watch below"},
  overbought = {default = 70.0, min = 50.0, max = 99.0, help = "watch above"},
  near = {default = 40.0, min = 1.0, max = 99.0, help = "RSI to trail from"},
  middle = {default = 50.0, min = 1.0, max = 99.0, help = "RSI to leave at"},
  window = {default = 100, min = 2, max = 1000, help = "bars of the low"},
  rebound = {
    default = 0.02,
    min = 0.0005,
    max = 0.4,
    help = "rise above the low that is too late to buy",
  },
  stop = {default = 0.03, min = 0.0005, max = 0.4, help = "loss that ends it"},
  target = {default = 0.04, min = 0.0005, max = 0.4, help = "gain to take"},
  trail = {default = 0.01, min = 0.0005, max = 0.4, help = "distance of it"},
}

function detect_opportunity(market, context, indicators)
  local params = market.params
  local rsi = indicators.rsi(params.period)
  if rsi == nil then
    return nil
  end
  local low, high = params.oversold, params.overbought
  if rsi < low then
    return {signal = "oversold", confidence = (low - rsi) / low}
  end
  if rsi > high then
    return {signal = "overbought", confidence = (rsi - high) / (100 - high)}
  end
  return nil
end

function filter_commitment(market, context, indicators)
  local params = market.params
  if context.opportunity.signal ~= "oversold" then
    return {action = "cancel_analysis", reason = "overbought: long only"}
  end
  local rsi = indicators.rsi(params.period)
  if rsi == nil or rsi >= params.oversold then
    return {action = "cancel_analysis", reason = "no longer oversold"}
  end
  local price = market.close
  local lowest = market.lowest(params.window)
  if lowest ~= nil and price > lowest * (1 + params.rebound) then
    return {action = "cancel_analysis", reason = "has left its low"}
  end
  return {
    action = "enter_long",
    stop = price * (1 - params.stop),
    target = price * (1 + params.target),
    reason = "oversold",
  }
end

function manage_position(market, context, indicators)
  local params = market.params
  local rsi = indicators.rsi(params.period)
  if rsi == nil then
    return nil
  end
  if rsi >= params.middle then
    return {action = "exit", reason = "mean reached"}
  end
  if rsi > params.near then
    local stop = market.close * (1 - params.trail)
    if market.stop == nil or stop > market.stop then
      return {action = "update_stop_loss", stop = stop, reason = "mean near"}
    end
  end
  return nil
end
