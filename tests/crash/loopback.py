"""Starts the independent venue as a process and talks to its admin side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import urlopen

__all__ = ["SECRET", "Loopback"]

SECRET = "not-a-secret"


class Loopback:
    """One venue process; a context manager that ends it."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("venue.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(script), SECRET],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._process.kill()
        self._process.communicate()

    def reset(self) -> None:
        """Begin a new account; prices are gone too."""
        self._admin("reset")

    def price(self, symbol: str, price: str) -> None:
        """Set the price of a symbol; what rests within it is filled."""
        self._admin("price", symbol=symbol, price=price)

    def fault(self, kind: str, word: str) -> None:
        """Let the next call of a kind go wrong: lost, unanswered or broken."""
        self._admin("fault", fault=f"{kind} {word}")

    def fill(self, order_id: str, quantity: str) -> None:
        """Fill a part of an open order at its price."""
        self._admin("fill", id=order_id, qty=quantity)

    def deposit(self, asset: str, amount: str) -> None:
        """Let money come in, or go out, by no trade."""
        self._admin("deposit", asset=asset, amount=amount)

    def take_fees_in_kind(self, rate: str) -> None:
        """Take the fee of each purchase off what was bought, from now on."""
        self._admin("fees", rate=rate, in_kind="yes")

    def by_hand(self, symbol: str, side: str, quantity: str, price: str = "") -> None:
        """Make an order as somebody at the venue's own screen would."""
        ask = {"type": "LIMIT", "price": price} if price else {"type": "MARKET"}
        self._admin("order", symbol=symbol, side=side, quantity=quantity, **ask)

    def age(self, ms: int) -> None:
        """Let all orders so far be older by so much."""
        self._admin("age", ms=str(ms))

    def state(self) -> dict[str, Any]:
        """Return orders, trades and balances."""
        return self._admin("state")

    def wait_for(self, status: str) -> dict[str, Any]:
        """Return the first order that comes to this status, however long it takes."""
        return self._admin("wait", status=status)["orders"][0]  # type: ignore[no-any-return]

    def _admin(self, what: str, **ask: str) -> dict[str, Any]:
        with urlopen(f"{self.url}/admin/{what}?{urlencode(ask)}") as response:
            found: dict[str, Any] = json.load(response)
        return found
