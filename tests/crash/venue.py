"""A small venue of its own: a process on loopback that outlives the engine it serves.

It speaks the few calls of Binance's spot REST API that trading needs and shares no code
with the package, so that its books can be held against the engine's. Market orders
trade at the price that is set, limit orders rest until the price reaches them.

``/admin`` is for tests: ``price`` sets a price and fills what it reaches, ``fault``
loses answers or requests, or lets an order arrive only after its cancel, ``fees`` sets
the fee and takes that of a purchase off what is bought, ``state`` shows everything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

FEE = Decimal("0.001")
DAY_MS = 86_400_000


class Refusal(Exception):
    """The venue's no: code and words as Binance has them."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Books:
    """Orders, trades and balances of one account; every method under one lock."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.reset()

    def reset(self) -> None:
        """Begin a new account."""
        self.prices: dict[str, Decimal] = {}
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.balances: dict[str, Decimal] = {"USDT": Decimal(100_000)}
        self.faults: list[str] = []
        self.refused: list[str] = []
        self.late: list[dict[str, Any]] = []
        self.missed: set[str] = set()
        self.requests = 0
        self.fee, self.in_kind = FEE, False

    def having(self, status: str) -> list[dict[str, Any]]:
        """Return orders of a status; LATE is of those that are still on their way."""
        if status == "LATE":
            return self.late
        return [order for order in self.orders if order["status"] == status]

    def open_order(self, client_id: str) -> dict[str, Any] | None:
        for order in self.orders:
            if order["clientOrderId"] == client_id and order["open"]:
                return order
        return None

    def last_order(self, client_id: str) -> dict[str, Any] | None:
        found = [o for o in self.orders if o["clientOrderId"] == client_id]
        return found[-1] if found else None

    def place(self, ask: dict[str, str]) -> dict[str, Any]:
        if self.open_order(ask["newClientOrderId"]) is not None:
            raise Refusal(-2010, "Duplicate order sent.")
        price = self.prices.get(ask["symbol"])
        if price is None:
            raise Refusal(-1121, "Invalid symbol.")
        order: dict[str, Any] = {
            "symbol": ask["symbol"],
            "orderId": len(self.orders) + 1,
            "clientOrderId": ask["newClientOrderId"],
            "side": ask["side"],
            "type": ask["type"],
            "price": Decimal(ask.get("price", "0")),
            "origQty": Decimal(ask["quantity"]),
            "executedQty": Decimal(0),
            "stopPrice": Decimal(ask.get("stopPrice", "0")),
            "isWorking": not ask["type"].startswith("STOP_LOSS"),
            "status": "NEW",
            "open": True,
            "time": now_ms(),
            "updateTime": now_ms(),
        }
        if not order["isWorking"] and self.wakes(order, price):
            raise Refusal(-2010, "Order would trigger immediately.")
        if order["side"] == "SELL" and order["origQty"] > self.free(order["symbol"]):
            text = "Account has insufficient balance for requested action."
            raise Refusal(-2010, text)
        reached = self.reaches(order, price)
        if ask["type"] == "LIMIT_MAKER" and reached:
            raise Refusal(-2010, "Order would immediately match and take.")
        self.orders.append(order)
        fills = []
        if ask["type"] == "MARKET" or reached:
            fills.append(self.fill(order, order["origQty"], price, maker=False))
        elif order["isWorking"] and ask.get("timeInForce") in ("IOC", "FOK"):
            order.update(status="EXPIRED", open=False)
        answer = dict(plain(order), transactTime=now_ms(), fills=[])
        for trade in fills:
            answer["fills"].append(
                {
                    "price": str(trade["price"]),
                    "qty": str(trade["qty"]),
                    "commission": str(trade["commission"]),
                    "commissionAsset": trade["commissionAsset"],
                    "tradeId": trade["id"],
                }
            )
        return answer

    def free(self, symbol: str) -> Decimal:
        """Return what there is to sell that no order sells yet."""
        held = self.balances.get(symbol.removesuffix("USDT"), Decimal(0))
        for order in self.orders:
            if order["open"] and (order["symbol"], order["side"]) == (symbol, "SELL"):
                held -= order["origQty"] - order["executedQty"]
        return held

    def reaches(self, order: dict[str, Any], price: Decimal) -> bool:
        if not order["isWorking"]:
            return False
        if order["type"] in ("MARKET", "STOP_LOSS"):
            return True
        if order["side"] == "BUY":
            return bool(price <= order["price"])
        return bool(price >= order["price"])

    def wakes(self, order: dict[str, Any], price: Decimal) -> bool:
        if order["side"] == "BUY":
            return bool(price >= order["stopPrice"])
        return bool(price <= order["stopPrice"])

    def fill(
        self, order: dict[str, Any], quantity: Decimal, price: Decimal, *, maker: bool
    ) -> dict[str, Any]:
        base = order["symbol"].removesuffix("USDT")
        buys = order["side"] == "BUY"
        asset = base if self.in_kind and buys else "USDT"
        commission = quantity * self.fee * (1 if asset == base else price)
        trade = {
            "id": len(self.trades) + 1,
            "symbol": order["symbol"],
            "orderId": order["orderId"],
            "clientOrderId": order["clientOrderId"],
            "side": order["side"],
            "price": price,
            "qty": quantity,
            "commission": commission,
            "commissionAsset": asset,
            "time": now_ms(),
            "isBuyer": buys,
            "isMaker": maker,
        }
        self.trades.append(trade)
        sign = 1 if buys else -1
        held = self.balances
        held[base] = held.get(base, Decimal(0)) + sign * quantity
        held["USDT"] -= sign * quantity * price
        held[asset] -= commission
        order["executedQty"] += quantity
        order["updateTime"] = now_ms()
        done = order["executedQty"] >= order["origQty"]
        order.update(status="FILLED" if done else "PARTIALLY_FILLED", open=not done)
        return trade

    def cancel(self, client_id: str) -> dict[str, Any]:
        order = self.open_order(client_id)
        if order is None:
            self.missed.add(client_id)
            self.changed.notify_all()
            raise Refusal(-2011, "Unknown order sent.")
        order.update(status="CANCELED", open=False, updateTime=now_ms())
        self.changed.notify_all()
        return dict(plain(order), origClientOrderId=client_id, transactTime=now_ms())

    def cancel_all(self, symbol: str) -> list[dict[str, Any]]:
        found = [o for o in self.orders if o["open"] and o["symbol"] == symbol]
        if not found:
            raise Refusal(-2011, "Unknown order sent.")
        return [self.cancel(order["clientOrderId"]) for order in found]

    def set_price(self, symbol: str, price: Decimal) -> None:
        self.prices[symbol] = price
        for order in self.orders:
            working = order["open"] and order["symbol"] == symbol
            if working and not order["isWorking"] and self.wakes(order, price):
                order.update(isWorking=True, updateTime=now_ms())
            if working and self.reaches(order, price):
                left = order["origQty"] - order["executedQty"]
                at = order["price"] or price
                self.fill(order, left, at, maker=bool(order["price"]))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def plain(value: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in value.items()}


class Handler(BaseHTTPRequestHandler):
    """One request; the fault that is set for its kind of call is used up by it."""

    books: Books
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        ask = dict(parse_qsl(url.query + self.rfile.read(length).decode()))
        books = self.books
        if url.path == "/admin/wait":
            with books.changed:
                found = books.changed.wait_for(lambda: books.having(ask["status"]), 100)
                self.reply(200, {"orders": [plain(each) for each in found]})
            return
        if url.path.startswith("/admin/"):
            with books.lock:
                self.reply(200, self.admin(url.path.removeprefix("/admin/"), ask))
            return
        kind = f"{self.command} {url.path.rpartition('/')[2]}"
        with books.lock:
            books.requests += 1
            fault = next((f for f in books.faults if f.startswith(kind)), "")
            if fault:
                books.faults.remove(fault)
            word = fault.removeprefix(kind).strip()
            if word == "lost":
                self.close_connection = True
                self.connection.close()
                return
            if word == "late":
                # Whoever sent it has gone meanwhile.
                books.late.append(ask)
                books.changed.notify_all()
                missed = ask["newClientOrderId"]
                books.changed.wait_for(lambda: missed in books.missed, 100)
                books.place(ask)
                self.close_connection = True
                return
            try:
                status, body = 200, self.serve(kind, ask, url.query)
            except Refusal as refusal:
                if kind == "POST order":
                    books.refused.append(str(refusal))
                status, body = 400, {"code": refusal.code, "msg": str(refusal)}
        if word == "unanswered":
            self.close_connection = True
            self.connection.close()
        elif word == "broken":
            self.reply(503, {"code": -1000, "msg": "An unknown error occurred."})
        else:
            self.reply(status, body)

    def serve(self, kind: str, ask: dict[str, str], query: str) -> Any:
        books = self.books
        if kind == "GET time":
            return {"serverTime": now_ms()}
        self.check(ask, query)
        if kind == "POST order":
            return books.place(ask)
        if kind == "DELETE order":
            return books.cancel(ask["origClientOrderId"])
        if kind == "DELETE openOrders":
            return books.cancel_all(ask["symbol"])
        if kind == "GET order":
            order = books.last_order(ask["origClientOrderId"])
            if order is None:
                raise Refusal(-2013, "Order does not exist.")
            return plain(order)
        if kind == "GET openOrders":
            symbol = ask.get("symbol")
            return [
                plain(o)
                for o in books.orders
                if o["open"] and symbol in (None, o["symbol"])
            ]
        if kind == "GET allOrders":
            since = int(ask.get("startTime", 0))
            until = int(ask.get("endTime", since + DAY_MS if since else now_ms()))
            first = int(ask.get("orderId", 0))
            if since and until > since + DAY_MS:
                text = "More than 24 hours between startTime and endTime."
                raise Refusal(-1127, text)
            most = int(ask.get("limit", 500))
            found = [
                plain(o)
                for o in books.orders
                if o["symbol"] == ask["symbol"]
                and since <= o["time"] <= until
                and o["orderId"] >= first
            ]
            return found[:most] if since or first else found[-most:]
        if kind == "GET myTrades":
            wanted, first = int(ask.get("orderId", 0)), int(ask.get("fromId", 0))
            found = [
                plain(t)
                for t in books.trades
                if t["id"] >= first and (not wanted or t["orderId"] == wanted)
            ]
            most = int(ask.get("limit", 500))
            # As every list: without a start, the newest ones.
            return found[:most] if "fromId" in ask else found[-most:]
        if kind == "GET account":
            return {
                "balances": [
                    {"asset": name, "free": str(amount), "locked": "0"}
                    for name, amount in books.balances.items()
                ]
            }
        raise Refusal(-1020, "This operation is not supported.")

    def check(self, ask: dict[str, str], query: str) -> None:
        signed, _, given = query.rpartition("&signature=")
        secret = self.books.secret.encode()
        right = hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
        if given != right:
            raise Refusal(-1022, "Signature for this request is not valid.")
        age = now_ms() - int(ask["timestamp"])
        if age > int(ask["recvWindow"]) or age < -1000:
            text = "Timestamp for this request is outside of the recvWindow."
            raise Refusal(-1021, text)

    def admin(self, what: str, ask: dict[str, str]) -> Any:
        books = self.books
        if what == "reset":
            books.reset()
        elif what == "price":
            books.set_price(ask["symbol"], Decimal(ask["price"]))
        elif what == "fault":
            books.faults.append(ask["fault"])
        elif what == "deposit":
            held = books.balances
            held[ask["asset"]] = held.get(ask["asset"], Decimal(0)) + Decimal(
                ask["amount"]
            )
        elif what == "order":
            books.place({**ask, "newClientOrderId": f"web_{len(books.orders) + 1}"})
        elif what == "fees":
            books.fee, books.in_kind = Decimal(ask["rate"]), bool(ask["in_kind"])
        elif what == "age":
            for each in books.orders:
                each["time"] -= int(ask["ms"])
        elif what == "fill":
            found = books.open_order(ask["id"])
            if found is not None:
                books.fill(found, Decimal(ask["qty"]), found["price"], maker=True)
        return {
            "orders": [plain(order) for order in books.orders],
            "trades": [plain(trade) for trade in books.trades],
            "balances": {k: str(v) for k, v in books.balances.items()},
            "requests": books.requests,
            "refused": books.refused,
        }

    def reply(self, status: int, body: Any) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def main(secret: str) -> None:
    Handler.books = Books(secret)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
