"""Verbs of the clock of a driven run: words to the driver, never inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workstation.ui.screens.go_until import GoUntilScreen

if TYPE_CHECKING:
    from workstation.engine.engine import Engine
    from workstation.ui.app import WorkstationApp
    from workstation.ui.goals import Goal

__all__ = ["VERBS"]


def play(app: WorkstationApp) -> None:
    """Play or pause."""
    driver = app.driver
    if driver is None:
        return
    if driver.state.value == "ended":
        app.say("The run has ended: its records stay. A new run is a new start.")
        return
    app.bridge.end_step()
    driver.toggle()
    app.bridge_now()


def event(app: WorkstationApp) -> None:
    """Deliver one event and all it causes."""
    driver = app.driver
    if driver is None:
        return
    app.bridge.begin_step()
    went = driver.step()
    app.bridge_now()
    count = len(app.bridge.step)
    if not went:
        app.say("The run has ended: there is no next event.")
    elif not count:
        app.say("One event; nothing changed by it.")


def bar(app: WorkstationApp) -> None:
    """Step until the next bar of the focused symbol has closed."""
    driver = app.driver
    if driver is None:
        return
    focus = app.focus_row
    name = "" if focus is None else focus.instrument
    base_ns = app.focus.base_ns
    app.bridge.begin_step()

    def closed(engine: Engine) -> int:
        # Bars close on round times; that of this timeframe is all there is to count.
        return engine.clock.now() // base_ns

    made = driver.step_bar(closed)
    app.bridge_now()
    app.say(f"{made:,} events to the next bar{f' of {name}' if name else ''}.")


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
    """Go to the next bookmark ahead; one behind needs a new run."""
    frame = app.bridge.frame
    if frame is None:
        return
    last = app.bookmarks[-1]
    app.say(
        f"Bookmark {len(app.bookmarks)} is event {last.events:,}, now is "
        f"{frame.header.events:,}: going back needs a new run. Its log is shown."
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
