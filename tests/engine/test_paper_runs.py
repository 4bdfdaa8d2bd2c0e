"""Whole runs on paper whose orders rest: same seed, same fills, and the replay."""

from __future__ import annotations

from pathlib import Path

from tests.engine.runs import finish, small, with_script
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.orders import Fill

# Rests at the best bid, and leaves at the market.
SCRIPT = """
def detect_opportunity(market, context, indicators):
    return {"signal": "quote"}


def filter_commitment(market, context, indicators):
    return {
        "action": "enter_long",
        "quantity": 0.01,
        "price": market.bid,
        "good_for_s": 20,
    }


def manage_position(market, context, indicators):
    return {"action": "exit"}
"""
DRAWN = (
    "brokers.0.place_ms=[5, 30, 80, 200, 500]",
    "brokers.0.report_ms=[1, 15, 50, 150, 300]",
)


def _session(folder: Path, *overrides: str, journal: Path | None = None) -> Session:
    script = folder / "resting.py"
    script.write_text(SCRIPT)
    return small(*with_script(script), *DRAWN, *overrides, journal=journal)


def _fills(session: Session) -> list[Fill]:
    return [*session.engine.store.fills]


def test_the_same_seed_gives_the_same_fills_and_another_does_not(
    tmp_path: Path,
) -> None:
    seen = []
    for seed in ("7", "7", "8"):
        session = _session(tmp_path, f"seed={seed}")
        digest = finish(session)
        seen.append((digest, _fills(session)))
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]
    assert any(fill.maker for fill in seen[0][1])
    assert any(not fill.maker for fill in seen[0][1])


def test_a_run_of_resting_orders_replays(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    digest = finish(_session(tmp_path, journal=path))
    result = replay_journal(path)
    assert result.matches
    assert result.state_hash == digest


def test_the_fill_model_and_the_latency_decide_the_run(tmp_path: Path) -> None:
    runs = [
        (),
        ('brokers.0.fill_model="touch"',),
        ('brokers.0.fill_model="through"',),
        ("brokers.0.place_ms=[400]",),
    ]
    fills = []
    for overrides in runs:
        session = _session(tmp_path, *overrides)
        finish(session)
        fills.append([(f.ts, f.order_id, f.price) for f in _fills(session)])
    assert all(a != b for n, a in enumerate(fills) for b in fills[n + 1 :])
