"""Range breakout: buys a close above the range of the bars before it, with volume.

Watch: the close leaves the range of the last ``bars`` bars (this one not included) by
``margin``. CloseWatch: enters on a bar with ``volume`` times the average volume; what
broke downward is only watched: long only. InTrade: leaves where the price falls back
into the range; half a range above it the stop moves to its high.
"""

PARAMS = {
    "bars": {"default": 20, "min": 2, "max": 1000, "help": "bars of the range"},
    "margin": {
        "default": 0.001,
        "min": 0.0,
        "max": 0.2,
        "help": "how far the close is outside the range; 0.005 suits bars of hours",
    },
    "volume": {
        "default": 1.5,
        "min": 0.0,
        "max": 20.0,
        "help": "least volume of the bar, as a multiple of the average",
    },
    "reward": {
        "default": 2.0,
        "min": 0.1,
        "max": 20.0,
        "help": "ranges from the entry to the target",
    },
}


def detect_opportunity(market, context, indicators):
    bars, margin = market.params["bars"], market.params["margin"]
    high = market.highest(bars, back=1)
    low = market.lowest(bars, back=1)
    if high is None or low is None:
        return None
    if market.close > high * (1 + margin):
        return {"signal": "up", "confidence": 0.75, "high": high, "low": low}
    if market.close < low * (1 - margin):
        return {"signal": "down", "confidence": 0.7, "high": high, "low": low}
    return None


def filter_commitment(market, context, indicators):
    params = market.params
    found = context["opportunity"]
    if found["signal"] != "up":
        return {"action": "cancel_analysis", "reason": "broke downward: long only"}
    if market.close <= found["high"]:
        return {"action": "cancel_analysis", "reason": "back in the range"}
    average = market.average_volume(params["bars"], back=1)
    if average is None or market.volume < params["volume"] * average:
        return None
    price = market.close
    return {
        "action": "enter_long",
        "stop": found["low"],
        "target": price + params["reward"] * (found["high"] - found["low"]),
        "reason": "breakout with volume",
    }


def manage_position(market, context, indicators):
    found = context["opportunity"]
    high, low = found["high"], found["low"]
    if market.close < high:
        return {"action": "exit", "reason": "back in the range"}
    half_way = market.close >= high + (high - low) / 2
    if half_way and (market.stop is None or high > market.stop):
        return {"action": "update_stop_loss", "stop": high, "reason": "half way"}
    return None
