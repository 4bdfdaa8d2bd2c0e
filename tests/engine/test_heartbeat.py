"""The engine's side of the watchdog: one process, started again when it has ended."""

from __future__ import annotations

from decimal import Decimal

from workstation.engine.heartbeat import Heartbeat
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.requests import SubmitOrder

# A long silence: nothing is ever asked of the venue, which is not there.
ACCOUNT: dict[str, object] = {
    "venue": {"base_url": "http://127.0.0.1:9"},
    "symbols": {"BTCUSDT": "BTCUSDT"},
    "silence_s": 600.0,
}


def _entry(order_id: str) -> SubmitOrder:
    return SubmitOrder(
        Order(
            id=order_id,
            instrument="BTCUSDT",
            owner="s",
            role=OrderRole.ENTRY,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=Decimal(1),
            price=Decimal(1),
        )
    )


def test_an_entry_never_leaves_beside_a_watchdog_that_has_ended() -> None:
    entries = {"a": "BTCUSDT"}
    heartbeat = Heartbeat(ACCOUNT, lambda: entries)
    heartbeat.beat()
    heartbeat.beat()
    assert heartbeat.starts == 1
    process = heartbeat._process
    assert process is not None
    process.kill()
    process.wait()
    entries["b"] = "BTCUSDT"
    heartbeat.leaving(_entry("b"))
    assert heartbeat.starts == 2
    assert heartbeat._known == entries
    heartbeat.dismiss()
