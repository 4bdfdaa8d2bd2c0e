-- Range breakout: buys a close above the range of the bars before it, with volume.
--
-- Watch: the close leaves the range of the last `bars` bars (this one not included) by
-- `margin`. CloseWatch: enters on a bar with `volume` times the average volume; what
-- broke downward is only watched: long only. InTrade: leaves where the price falls back
-- into the range; half a range above it the stop moves to its high.

PARAMS = {
  bars = {default = 20, min = 2, max = 1000, help = "bars of the range"},
  margin = {
    default = 0.001,
    min = 0.0,
    max = 0.2,
    help = "how far the close is outside the range; 0.005 suits bars of hours",
  },
  volume = {
    default = 1.5,
    min = 0.0,
    max = 20.0,
    help = "least volume of the bar, as a multiple of the average",
  },
  reward = {
    default = 2.0,
    min = 0.1,
    max = 20.0,
    help = "ranges from the entry to the target",
  },
}

function detect_opportunity(market, context, indicators)
  local bars, margin = market.params.bars, market.params.margin
  local high = market.highest(bars, 1)
  local low = market.lowest(bars, 1)
  if high == nil or low == nil then
    return nil
  end
  if market.close > high * (1 + margin) then
    return {signal = "up", confidence = 0.75, high = high, low = low}
  end
  if market.close < low * (1 - margin) then
    return {signal = "down", confidence = 0.7, high = high, low = low}
  end
  return nil
end

function filter_commitment(market, context, indicators)
  local params = market.params
  local found = context.opportunity
  if found.signal ~= "up" then
    return {action = "cancel_analysis", reason = "broke downward: long only"}
  end
  if market.close <= found.high then
    return {action = "cancel_analysis", reason = "back in the range"}
  end
  local average = market.average_volume(params.bars, 1)
  if average == nil or market.volume < params.volume * average then
    return nil
  end
  local price = market.close
  return {
    action = "enter_long",
    stop = found.low,
    target = price + params.reward * (found.high - found.low),
    reason = "breakout with volume",
  }
end

function manage_position(market, context, indicators)
  local found = context.opportunity
  local high, low = found.high, found.low
  if market.close < high then
    return {action = "exit", reason = "back in the range"}
  end
  local half_way = market.close >= high + (high - low) / 2
  if half_way and (market.stop == nil or high > market.stop) then
    return {action = "update_stop_loss", stop = high, reason = "half way"}
  end
  return nil
end
