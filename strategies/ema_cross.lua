-- EMA crossover, long only: the fast average crosses the slow one upward.
--
-- Watch       a cross of the fast EMA over the slow one is an opportunity
-- CloseWatch  commits on a bullish cross unless volume dries up
-- InTrade     exits when the fast EMA falls below the slow one; stop and target are
--             kept by the engine from the moment of the fill

PARAMS = {
  fast = {default = 10, min = 2, max = 500, help = "bars of the fast EMA"},
  slow = {default = 20, min = 3, max = 1000, help = "bars of the slow EMA"},
  stop = {default = 0.02, min = 0.0005, max = 0.4, help = "loss that ends it"},
  target = {default = 0.05, min = 0.0005, max = 0.4, help = "gain to take"},
  volume = {
    default = 0.5,
    min = 0.0,
    max = 10.0,
    help = "least volume of the bar, as a share of the 20-bar average",
  },
}

function detect_opportunity(market, context, indicators)
  local fast, slow = market.params.fast, market.params.slow
  local fast_now, slow_now = indicators.ema(fast), indicators.ema(slow)
  local fast_before = indicators.ema(fast, {back = 1})
  local slow_before = indicators.ema(slow, {back = 1})
  if slow_before == nil or fast_before == nil then
    return nil
  end
  if fast_before <= slow_before and fast_now > slow_now then
    return {signal = "bullish_cross", confidence = 0.8}
  end
  if fast_before >= slow_before and fast_now < slow_now then
    return {signal = "bearish_cross", confidence = 0.7}
  end
  return nil
end

function filter_commitment(market, context, indicators)
  local signal = context.opportunity.signal
  if signal ~= "bullish_cross" then
    return {action = "cancel_analysis", reason = "long only"}
  end
  local average = market.average_volume(20, 1)
  if average ~= nil and market.volume < market.params.volume * average then
    return {action = "cancel_analysis", reason = "volume dried up"}
  end
  local price = market.close
  return {
    action = "enter_long",
    stop = price * (1 - market.params.stop),
    target = price * (1 + market.params.target),
    reason = signal,
  }
end

function manage_position(market, context, indicators)
  local fast = indicators.ema(market.params.fast)
  local slow = indicators.ema(market.params.slow)
  if fast ~= nil and slow ~= nil and fast < slow then
    return {action = "exit", reason = "fast EMA below slow"}
  end
  return nil
end
