"""A run whose script uses the machine to the full, asked at every event."""

from __future__ import annotations

from pathlib import Path

from tests.engine.runs import finish, kept, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.replay import replay_journal
from workstation.model.records import FaultRecord, StateRecord

RESTLESS = """
n = context['n'] = context.get('n', 0) + 1
    side = 'enter_long' if market.position > 0 else 'enter_short'
    turned = 'enter_short' if market.position > 0 else 'enter_long'
    if n % 40 == 0:
        return {'action': turned, 'reverse': True, 'size': 500,
                'size_mode': 'notional', 'trailing_bps': 3}
    if n % 40 == 10 and not market.orders > 1:
        return {'action': side, 'add': True, 'size': 200, 'size_mode': 'notional'}
    if n % 40 == 20:
        away = 1.001 if market.position > 0 else 0.999
        return {'action': 'exit', 'quantity': abs(market.position) / 2,
                'price': market.mid_price * away, 'good_for_s': 2}
    market.plot('position', market.position)
    return None
"""


def test_a_restless_script_gives_the_same_run_twice_and_in_replay(
    tmp_path: Path,
) -> None:
    script = write_script(
        tmp_path,
        detect="return {'signal': 'x'}",
        filter="return {'action': 'enter_long', 'size': 500, 'size_mode': 'notional', "
        "'trailing_bps': 3, 'target': market.close * 1.01}",
        manage=RESTLESS.strip(),
    )
    path = tmp_path / "j.sqlite"
    overrides = (*with_script(script), 'strategies.0.ask.in_trade="event"')
    session = small(*overrides, journal=path)
    records = kept(session)
    first = finish(session)
    assert [r.error for r in records if isinstance(r, FaultRecord)] == []
    happened = {r.trigger for r in records if isinstance(r, StateRecord)}
    assert happened >= {
        *("opportunity", "enter_long", "enter_short", "first_fill", "exit"),
        *("trailing", "flat"),
    }
    assert finish(small(*overrides)) == first
    result = replay_journal(path)
    assert result.first_difference is None
    assert result.matches
