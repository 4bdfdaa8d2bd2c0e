"""Steps in slices: what is counted while a script elsewhere does not answer."""

from __future__ import annotations

import os
import signal

from tests.engine.runs import small, with_script
from tests.engine.test_lua_runs import EMA, worker_pid
from workstation.engine.drivers import Until, run_backtest
from workstation.kernel import RealClock
from workstation.ui.stepping import Outcome, Stepper


async def test_a_step_that_waits_for_a_script_is_not_counted_again_and_again() -> None:
    session = small(*with_script(EMA))
    try:
        engine = session.engine
        run_backtest(engine, Until(events=300))
        engine.waits = False
        os.kill(worker_pid(session), signal.SIGSTOP)
        before = engine.pulled
        stepper = Stepper(session.driver, RealClock())
        looked = 0

        def done() -> bool:
            nonlocal looked
            looked += engine.awaiting
            return looked > 20

        assert await stepper.until(done) is Outcome.DONE
        assert engine.awaiting
        assert stepper.made == engine.pulled - before
    finally:
        session.close()
