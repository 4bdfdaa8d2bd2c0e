"""RSI mean reversion: buys what has been sold too far, sells it once that is mended.

Watch       the RSI falls below ``oversold`` (or rises above ``overbought``, which is
            only watched: long only)
CloseWatch  enters while the RSI is still low and the price has not left the low of
            its range; gives up else
InTrade     leaves at ``middle``; from ``near`` on the stop follows the price at
            ``trail``, and never loosens
"""

PARAMS = {
    "period": {"default": 14, "min": 2, "max": 500, "help": "bars of the RSI"},
    "oversold": {"default": 30.0, "min": 1.0, "max": 50.0, "help": "watch below"},
    "overbought": {"default": 70.0, "min": 50.0, "max": 99.0, "help": "watch above"},
    "near": {"default": 40.0, "min": 1.0, "max": 99.0, "help": "RSI to trail from"},
    "middle": {"default": 50.0, "min": 1.0, "max": 99.0, "help": "RSI to leave at"},
    "window": {"default": 100, "min": 2, "max": 1000, "help": "bars of the low"},
    "rebound": {
        "default": 0.02,
        "min": 0.0005,
        "max": 0.4,
        "help": "rise above the low that is too late to buy",
    },
    "stop": {"default": 0.03, "min": 0.0005, "max": 0.4, "help": "loss that ends it"},
    "target": {"default": 0.04, "min": 0.0005, "max": 0.4, "help": "gain to take"},
    "trail": {"default": 0.01, "min": 0.0005, "max": 0.4, "help": "distance of it"},
}


def detect_opportunity(market, context, indicators):
    params = market.params
    rsi = indicators.rsi(params["period"])
    if rsi is None:
        return None
    low, high = params["oversold"], params["overbought"]
    if rsi < low:
        return {"signal": "oversold", "confidence": (low - rsi) / low}
    if rsi > high:
        return {"signal": "overbought", "confidence": (rsi - high) / (100 - high)}
    return None


def filter_commitment(market, context, indicators):
    params = market.params
    if context["opportunity"]["signal"] != "oversold":
        return {"action": "cancel_analysis", "reason": "overbought: long only"}
    rsi = indicators.rsi(params["period"])
    if rsi is None or rsi >= params["oversold"]:
        return {"action": "cancel_analysis", "reason": "no longer oversold"}
    price = market.close
    lowest = market.lowest(params["window"])
    if lowest is not None and price > lowest * (1 + params["rebound"]):
        return {"action": "cancel_analysis", "reason": "has left its low"}
    return {
        "action": "enter_long",
        "stop": price * (1 - params["stop"]),
        "target": price * (1 + params["target"]),
        "reason": "oversold",
    }


def manage_position(market, context, indicators):
    params = market.params
    rsi = indicators.rsi(params["period"])
    if rsi is None:
        return None
    if rsi >= params["middle"]:
        return {"action": "exit", "reason": "mean reached"}
    if rsi > params["near"]:
        stop = market.close * (1 - params["trail"])
        if market.stop is None or stop > market.stop:
            return {"action": "update_stop_loss", "stop": stop, "reason": "mean near"}
    return None
