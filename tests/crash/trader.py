"""Enters by turns at market and far below it, and leaves or gives up soon."""


def detect_opportunity(market, context, indicators):
    count = context["count"] = context.get("count", 0) + 1
    context["rests"] = count % 2 == 0
    return {"signal": "always"}


def filter_commitment(market, context, indicators):
    if context["rests"]:
        return {
            "action": "enter_long",
            "quantity": 0.01,
            "order_type": "limit",
            "price": round(market.bid * 0.99, 2),
            "reason": "rests",
        }
    return {
        "action": "enter_long",
        "quantity": 0.02,
        "stop": market.bid * 0.9,
        "target": market.ask * 1.1,
        "reason": "takes",
    }


def manage_position(market, context, indicators):
    age = context["age"] = context.get("age", 0) + 1
    if age % 3 == 0:
        if market.position:
            return {"action": "exit", "reason": "enough"}
        return {"action": "cancel_entry", "reason": "too far"}
    return None
