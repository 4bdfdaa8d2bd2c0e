"""EMA crossover, long only: the fast average crosses the slow one upward.

Watch       a cross of the fast EMA over the slow one is an opportunity
CloseWatch  commits on a bullish cross unless volume dries up
InTrade     exits when the fast EMA falls below the slow one; stop and target are
            kept by the engine from the moment of the fill
"""

PARAMS = {
    "fast": {"default": 10, "min": 2, "max": 500, "help": "bars of the fast EMA"},
    "slow": {"default": 20, "min": 3, "max": 1000, "help": "bars of the slow EMA"},
    "stop": {"default": 0.02, "min": 0.0005, "max": 0.4, "help": "loss that ends it"},
    "target": {"default": 0.05, "min": 0.0005, "max": 0.4, "help": "gain to take"},
    "volume": {
        "default": 0.5,
        "min": 0.0,
        "max": 10.0,
        "help": "least volume of the bar, as a share of the 20-bar average",
    },
}


def detect_opportunity(market, context, indicators):
    fast, slow = market.params["fast"], market.params["slow"]
    fast_now, slow_now = indicators.ema(fast), indicators.ema(slow)
    fast_before = indicators.ema(fast, back=1)
    slow_before = indicators.ema(slow, back=1)
    if slow_before is None or fast_before is None:
        return None
    if fast_before <= slow_before and fast_now > slow_now:
        return {"signal": "bullish_cross", "confidence": 0.8}
    if fast_before >= slow_before and fast_now < slow_now:
        return {"signal": "bearish_cross", "confidence": 0.7}
    return None


def filter_commitment(market, context, indicators):
    signal = context["opportunity"]["signal"]
    if signal != "bullish_cross":
        return {"action": "cancel_analysis", "reason": "long only"}
    average = market.average_volume(20, back=1)
    if average and market.volume < market.params["volume"] * average:
        return {"action": "cancel_analysis", "reason": "volume dried up"}
    price = market.close
    return {
        "action": "enter_long",
        "stop": price * (1 - market.params["stop"]),
        "target": price * (1 + market.params["target"]),
        "reason": signal,
    }


def manage_position(market, context, indicators):
    fast = indicators.ema(market.params["fast"])
    slow = indicators.ema(market.params["slow"])
    if fast is not None and slow is not None and fast < slow:
        return {"action": "exit", "reason": "fast EMA below slow"}
    return None
