"""An entry that reaches the venue after its engine is dead, and after its cancel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.loopback import Loopback
from tests.crash.test_crash import SYMBOL, Engines, assert_agreed


@pytest.fixture
def engines() -> Iterator[Engines]:
    with Loopback() as venue:
        venue.price(SYMBOL, "61500")
        running = Engines(venue)
        yield running
        running.close()


def test_the_watchdog_cancels_an_entry_that_was_on_its_way_when_its_engine_was_killed(
    engines: Engines, tmp_path: Path
) -> None:
    venue = engines.venue
    # After an entry and its exit one rests: that one is held up.
    for word in ("heard", "heard", "late"):
        venue.fault("POST order", word)
    with engines.left_running(tmp_path, watchdog_s=1.0):
        order_id = venue.wait_for("LATE")["newClientOrderId"]
    # The engine is killed; "unknown order" to the first cancel lets the order arrive.
    order = venue.wait_for("CANCELED")
    assert order["clientOrderId"] == order_id
    assert_agreed(engines.run(tmp_path, seconds=12), venue.state())
