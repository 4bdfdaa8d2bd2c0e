"""The engine's side of the watchdog: one process, started again when it has ended."""

from __future__ import annotations

from tests.engine.requests import submit
from workstation.engine.heartbeat import Heartbeat

# A long silence: nothing is ever asked of the venue, which is not there.
ACCOUNT: dict[str, object] = {
    "venue": {"base_url": "http://127.0.0.1:9"},
    "symbols": {"BTCUSDT": "BTCUSDT"},
    "silence_s": 600.0,
}


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
    heartbeat.leaving(submit("b"))
    assert heartbeat.starts == 2
    assert heartbeat._known == entries
    heartbeat.dismiss()
