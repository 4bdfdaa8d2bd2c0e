"""Verbs of the clock of a driven run: words to the driver, never inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workstation.market.errors import UnknownTimeframe
from workstation.model.orders import OrderStatus, order_number
from workstation.model.records import OrderRecord
from workstation.ui.screens.go_until import GoUntilScreen
from workstation.ui.stepping import Outcome, Stepper
from workstation.ui.wording import log_line

if TYPE_CHECKING:
    from workstation.model.records import Record
    from workstation.ui.app import WorkstationApp
    from workstation.ui.goals import Goal

__all__ = ["VERBS"]

_MOST_EVENTS = 100_000
# A quiet symbol must not keep the operator waiting for good.


def play(app: WorkstationApp) -> None:
    """Play or pause."""
    driver = app.driver
    if driver is None:
        return
    if driver.state.value == "ended":
        app.say("The run has ended: its records stay. A new run is a new start.")
        return
    if app.is_stepping:
        app.stop_stepping()
        app.say("The bar is given up; the clock stands.")
        return
    app.bridge.end_step()
    driver.toggle()
    app.bridge_now()


def event(app: WorkstationApp) -> None:
    """Deliver one event and all it causes."""
    driver = app.driver
    if driver is None:
        return
    app.stop_stepping()
    app.bridge.begin_step()
    went = driver.step()
    app.bridge_now()
    frame = app.bridge.frame
    came = [each.record for each in frame.records] if frame is not None else []
    if not went:
        app.say("The run has ended: there is no next event.")
    elif driver.awaiting:
        app.say("One event; a script has not answered yet, and goes on when it has.")
    elif not came:
        app.say("One event; nothing changed by it.")
    else:
        _say_step(app, came)


def _say_step(app: WorkstationApp, records: Sequence[Record]) -> None:
    """Count what one event has led to; an order that was refused comes first."""
    refused = [
        f"order {order_number(each.order.id)} rejected, {each.reason}"
        for each in records
        if isinstance(each, OrderRecord) and each.order.status is OrderStatus.REJECTED
    ]
    kinds = Counter(log_line(each, app.scales).kind for each in records)
    counts = [f"{number} {kind}" for kind, number in kinds.items()]
    said = ", ".join(refused or counts)
    more = f" and {len(records) - 1} more" if refused and len(records) > 1 else ""
    app.say(f"One event: {said}{more}.", "warn" if refused else "strong")


def bar(app: WorkstationApp) -> None:
    """Step until the next bar of the focused row has closed; any clock key ends it."""
    driver, focus = app.driver, app.focus_row
    if driver is None or focus is None:
        return
    if app.is_stepping:
        app.say("The next bar is on its way. space gives it up.")
        return
    session: Any = app.bridge.session
    # Any: windows are the aggregator's, of which the bridge knows nothing.
    try:
        window = session.aggregator.bars(focus.instrument, app.focus.base)
    except UnknownTimeframe:
        app.say(f"No strategy asks for bars of {focus.instrument}.")
        return
    before = window.total
    app.bridge.begin_step()

    async def go() -> None:
        stepper = Stepper(driver, app.wall)
        outcome = await stepper.until(lambda: window.total != before, most=_MOST_EVENTS)
        app.bridge_now()
        app.say(_bar_words(focus.instrument, outcome, stepper.made))

    app.step_in_slices(go())


def _bar_words(name: str, outcome: Outcome, made: int) -> str:
    events = f"{made:,} event{'' if made == 1 else 's'}"
    if outcome is Outcome.DONE:
        return f"{events} to the next bar of {name}."
    if outcome is Outcome.ENDED:
        return f"The run has ended: no bar of {name} in its last {events}."
    if outcome is Outcome.TAKEN:
        return f"Given up after {events}: no bar of {name} yet."
    return f"No bar of {name} in {events}."


def slower(app: WorkstationApp) -> None:
    """Take the next speed down."""
    _speed(app, -1)


def faster(app: WorkstationApp) -> None:
    """Take the next speed up."""
    _speed(app, 1)


def _speed(app: WorkstationApp, direction: int) -> None:
    driver = app.driver
    if driver is None:
        return
    before = driver.speed
    after = driver.change_speed(direction)
    app.bridge_now()
    if after == before:
        word = "fastest" if direction > 0 else "slowest"
        app.say(f"×{after:g} is the {word} there is.")


def until(app: WorkstationApp) -> None:
    """Ask for a goal and play to it."""
    driver, focus = app.driver, app.focus_row
    frame = app.bridge.look(GoUntilScreen.PANELS)
    if driver is None or focus is None or frame is None:
        return
    session: Any = app.bridge.session
    # Any: goals read the store and the market of the whole session, the bridge none.
    scale = app.scales.get(focus.instrument)

    def price_of(instrument: str) -> float | None:
        view = session.aggregator.instrument(instrument)
        price: float | None = view.last or view.mark
        return price

    def done(goal: Goal | None) -> None:
        if goal is not None:
            app.stop_stepping()
            app.bridge.end_step()
            driver.go_until(goal.reached, goal.text)
            app.bridge_now()

    app.push_screen(
        GoUntilScreen(
            frame,
            session.engine,
            focus.strategy,
            focus.instrument,
            price_of=price_of,
            tick=getattr(scale, "tick_size", None),
            scales=app.scales,
        ),
        done,
    )


def bookmark(app: WorkstationApp) -> None:
    """Bookmark this moment of the run."""
    frame = app.bridge.frame
    if frame is None:
        return
    app.add_bookmark(frame)
    app.say(f"Bookmark {len(app.bookmarks)} at event {frame.header.events:,}.")


def to_bookmark(app: WorkstationApp) -> None:
    """Show the log at the last bookmark; the run itself does not go back."""
    frame = app.bridge.frame
    if frame is None:
        return
    last = app.bookmarks[-1]
    app.say(
        f"The log at bookmark {len(app.bookmarks)}, event {last.events:,}; the run "
        f"stays at {frame.header.events:,}. f follows the newest again."
    )
    app.show_log_at(last.seq)


VERBS: dict[str, Any] = {
    "clock.play": play,
    "clock.event": event,
    "clock.bar": bar,
    "clock.slower": slower,
    "clock.faster": faster,
    "clock.until": until,
    "clock.bookmark": bookmark,
    "clock.to_bookmark": to_bookmark,
}
