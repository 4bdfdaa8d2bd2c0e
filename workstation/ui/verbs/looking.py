"""Verbs that only look: find, zoom, pin, layouts, alerts, copy, export, sort, lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workstation.paths import log_file, user_folder
from workstation.ui.panels.base import Choice, Panel
from workstation.ui.panels.sums import SumsPanel
from workstation.ui.screens.alerts import AlertsScreen
from workstation.ui.screens.help_screen import HelpScreen
from workstation.ui.screens.jump import JumpScreen, JumpTarget
from workstation.ui.screens.unlock import UnlockScreen
from workstation.ui.verbs.account import reconciliation
from workstation.ui.verbs.detail import detail_screen
from workstation.ui.verbs.exporting import write_export
from workstation.ui.verbs.leaving import begin_quit

if TYPE_CHECKING:
    from workstation.engine.frames import Alert
    from workstation.ui.app import WorkstationApp
    from workstation.ui.screens.layout import LayoutScreen

__all__ = ["VERBS", "jump_to", "show_panel"]


def _place(app: WorkstationApp) -> tuple[LayoutScreen, Panel] | None:
    layout = app.layout_screen()
    if layout is None or layout.panel is None:
        return None
    return layout, layout.panel


def quit_app(app: WorkstationApp) -> None:
    """Leave, by the ritual where anything is exposed."""
    begin_quit(app)


def palette(app: WorkstationApp) -> None:
    """Open the palette."""
    app.action_command_palette()


def redraw(app: WorkstationApp) -> None:
    """Draw everything again."""
    app.refresh(repaint=True, layout=True)
    app.say("Drawn again.")


def interrupt(app: WorkstationApp) -> None:
    """Say how to leave."""
    app.say("ctrl+c does nothing here: ctrl+q quits, ctrl+k kills.")


def open_help(app: WorkstationApp) -> None:
    """Show all keys."""
    frame = app.bridge.look(frozenset())
    if frame is None:
        app.say("The engine is starting.")
        return
    panel = app.panel
    app.push_screen(
        HelpScreen(
            frame,
            None if panel is None else panel.scope,
            keymap=app.keymap,
            log_path=str(log_file()),
            themes=sorted(app.available_themes),
            theme=app.theme,
        )
    )


def find_filter(app: WorkstationApp) -> None:
    """Open the filter of the panel."""
    place = _place(app)
    if place is None:
        return
    layout, panel = place
    text = panel.filter_text
    if text is None:
        app.say(f"{panel.title} has no rows to filter.")
        return
    layout.add_class("-filtering")
    bar = layout.filter_bar
    bar.add_class("-open")
    bar.value = text
    bar.cursor_position = len(text)
    bar.focus()


def _find(app: WorkstationApp, step: int) -> None:
    place = _place(app)
    if place is None:
        return
    _, panel = place
    count = panel.find(app.search, step)
    if count is None:
        app.say(f"{panel.title} has nothing to find in.")
    elif count == 0:
        app.say(f"No row of {panel.title} matches “{app.search}”.")
    else:
        app.say(f"“{app.search}”: {count} in {panel.title}.")


def find_next(app: WorkstationApp) -> None:
    """Go to the next match."""
    _find(app, 1)


def find_previous(app: WorkstationApp) -> None:
    """Go to the match before."""
    _find(app, -1)


def back(app: WorkstationApp) -> None:
    """Go back one thing: message, crosshair, filter, zoom, marks, focus."""
    place = _place(app)
    if place is None:
        return
    layout, panel = place
    if panel.step_back():
        return
    if panel.filter_text:
        panel.set_filter("")
    elif layout.zoomed:
        layout.zoom()
    elif panel.marked_count:
        panel.clear_marks()
    elif layout.current != layout.order[0]:
        layout.focus_panel(layout.order[0])
    else:
        app.say("Nothing to go back from. ctrl+q quits.")


def panel_next(app: WorkstationApp) -> None:
    """Focus the next panel."""
    layout = app.layout_screen()
    if layout is not None:
        layout.turn(1)


def panel_previous(app: WorkstationApp) -> None:
    """Focus the panel before."""
    layout = app.layout_screen()
    if layout is not None:
        layout.turn(-1)


def panel_jump(app: WorkstationApp) -> None:
    """Put a letter on every panel; the next key goes there."""
    layout = app.layout_screen()
    if layout is None:
        return
    targets: list[JumpTarget] = []
    for name in layout.order:
        panel = layout.panels[name]
        at = panel.region if panel in layout.visible_panels() else layout.region
        row = at.y if panel in layout.visible_panels() else len(targets)
        targets.append(JumpTarget(id=name, title=panel.title, x=at.x, y=row))

    def done(name: str | None) -> None:
        if name is not None:
            layout.focus_panel(name)

    app.push_screen(JumpScreen(targets), done)


def panel_zoom(app: WorkstationApp) -> None:
    """Give the panel the whole screen, or take it back."""
    layout = app.layout_screen()
    if layout is not None:
        layout.zoom()


def panel_pin(app: WorkstationApp) -> None:
    """Keep the panel on its symbol, or let it follow again."""
    place = _place(app)
    if place is None:
        return
    _, panel = place
    if not panel.follows_focus:
        app.say(f"{panel.title} shows all symbols: there is nothing to pin.")
    elif panel.pinned is not None:
        panel.pinned = None
        app.say(f"{panel.title} follows the cursor again.")
    else:
        panel.pinned = panel.focus_of(app.focus_row)
        name = "" if panel.pinned is None else panel.pinned.instrument
        app.say(f"{panel.title} stays on {name}. w lets it follow again.")
    app.bridge_now()


def alerts_open(app: WorkstationApp) -> None:
    """List the alerts."""
    frame = app.bridge.look(frozenset())
    if frame is None:
        app.say("The engine is starting.")
        return

    def done(alert: Alert | None) -> None:
        if alert is not None:
            _to_cause(app, alert)

    locked = "L unlocks this screen first." if app.locked else ""
    if app.read_only:
        locked = "Not from this screen: it is read-only."
    app.push_screen(
        AlertsScreen(
            app.alerts.merged(frame),
            app.acknowledge,
            is_seen=app.alerts.is_acknowledged,
            locked=locked,
        ),
        done,
    )


def _to_cause(app: WorkstationApp, alert: Alert) -> None:
    if (alert.kind, alert.subject) == ("control", "recovery"):
        reconciliation(app)
        return
    if alert.kind == "difference":
        reconciliation(app, f"balance/{alert.subject}")
        return
    # A strategy's rejections are counted by row, which is where they lead.
    if alert.kind in ("order", "rejected") and " " not in alert.subject:
        screen = detail_screen(app, Choice(order_id=alert.subject))
        if screen is not None:
            app.push_screen(screen, app.answered)
        return
    if alert.kind == "denied":
        show_panel(app, "3", "denials")
        return
    strategies = {strategy.name for strategy in app.config.run.strategies}
    if alert.subject not in strategies:
        jump_to(app, alert.instrument or alert.subject)
        return
    # What a script did wrong stands in its detail, with the line of the script.
    choice = Choice(strategy=alert.subject)
    app.focus.on(Choice(alert.instrument, alert.subject))
    app.focus.on(choice)
    screen = detail_screen(app, choice)
    if screen is not None:
        app.push_screen(screen)


def show_panel(app: WorkstationApp, digit: str, name: str) -> None:
    """Focus a panel, in the layout that is seen or else in that of ``digit``."""
    layout = app.layout_screen()
    if layout is not None and name in layout.panels:
        layout.focus_panel(name)
        app.bridge_now()
        return

    def focus() -> None:
        shown = app.layout_screen()
        if shown is not None and name in shown.panels:
            shown.focus_panel(name)
            app.bridge_now()

    app.show_layout(digit)
    # A layout that is shown for the first time is composed, and takes the focus, first.
    app.call_after_refresh(app.call_after_refresh, focus)


def jump_to(app: WorkstationApp, key: str) -> None:
    """Put the cursor on what an alert or a log line is about."""
    layout = app.layout_screen()
    if layout is None:
        return
    for name in layout.order:
        panel = layout.panels[name]
        if panel.jump_to(key):
            layout.focus_panel(name)
            choice = panel.choice
            if choice is not None:
                app.focus.on(choice)
            return
    app.say(f"{key} is in no panel of this layout.")


def alerts_acknowledge(app: WorkstationApp) -> None:
    """Acknowledge all alerts."""
    waiting = app.alerts.waiting(app.bridge.frame)
    app.acknowledge(frozenset(alert.id for alert in waiting))
    count = len(waiting)
    app.say(f"{count} alert{'' if count == 1 else 's'} acknowledged.")


def table_mark(app: WorkstationApp) -> None:
    """Say why nothing was marked: tables take the key themselves."""
    place = _place(app)
    if place is not None:
        app.say(f"{place[1].title} has no rows to mark.")


def table_select(app: WorkstationApp) -> None:
    """Say why nothing opened: tables take the key themselves."""
    place = _place(app)
    if place is not None:
        app.say(f"{place[1].title} has no row to open.")


def view_copy(app: WorkstationApp) -> None:
    """Copy the row, or the marked ones, to the terminal's clipboard."""
    place = _place(app)
    if place is None:
        return
    _, panel = place
    text = panel.copy_text()
    if not text:
        app.say(f"{panel.title} has no row to copy.")
        return
    app.copy_to_clipboard(text)
    lines = text.count("\n") + 1
    what = "1 row" if lines == 1 else f"{lines} rows"
    app.say(f"{what} of {panel.title} sent to the terminal's clipboard.")


def view_export(app: WorkstationApp) -> None:
    """Write the panel to a file."""
    place = _place(app)
    if place is None:
        return
    _, panel = place
    rows = panel.export_rows()
    if len(rows) < 1 or (len(rows) == 1 and len(rows[0]) > 1):
        app.say(f"{panel.title} has nothing to export.")
        return
    written, text = write_export(app, panel.panel_id, panel.title, rows)
    app.say(text, "strong" if written else "bad")


def table_sort(app: WorkstationApp) -> None:
    """Sort by the next column."""
    place = _place(app)
    if place is None:
        return
    _, panel = place
    order = panel.cycle_sort()
    app.say(
        f"{panel.title} cannot be sorted."
        if order is None
        else f"{panel.title} sorted by {order}."
    )


def follow(app: WorkstationApp) -> None:
    """Follow the newest line or bar, or stop."""
    place = _place(app)
    if place is None:
        return
    _, panel = place
    following = panel.follow()
    if following is None:
        app.say(f"{panel.title} always shows what is newest.")
    else:
        app.say(
            f"{panel.title} {'follows the newest' if following else 'stands still'}."
        )


def lock(app: WorkstationApp) -> None:
    """Lock the screen, or ask for the account to unlock it."""
    if app.read_only:
        app.say("This screen was started with --read-only and stays locked.")
        return
    if not app.locked:
        app.locked = True
        app.panel_changed()
        app.bridge_now()
        app.say("Locked: keys that act are absent. L unlocks, ctrl+k still kills.")
        return
    frame = app.bridge.look(frozenset())
    if frame is None:
        app.locked = False
        app.panel_changed()
        return

    def done(unlocked: bool | None) -> None:
        if unlocked:
            app.locked = False
            app.panel_changed()
            app.bridge_now()
            app.say("Unlocked.")

    app.push_screen(UnlockScreen(frame), done)


def _layout(digit: str) -> Any:
    # Any: a function of one app, as all the others are.
    def switch(app: WorkstationApp) -> None:
        app.show_layout(digit)

    return switch


def book_scale(step: int) -> Any:
    """Return the verb that gathers the book into coarser (+1) or finer steps."""

    def scale(app: WorkstationApp) -> None:
        place = _place(app)
        row = None if place is None else place[1].focus_of(app.focus_row)
        if place is None or row is None:
            return
        scaled = app.focus.scale_book(row, step)
        if place[1].pinned is not None:
            place[1].pinned = scaled
        if scaled.group == row.group:
            end = "one tick" if step < 0 else f"{row.group:,} ticks"
            app.say(f"A step of the book is {end} already.")
        app.bridge_now()

    return scale


def sums_group(app: WorkstationApp) -> None:
    """Sum the bookings in the next way."""
    place = _place(app)
    if place is not None and isinstance(place[1], SumsPanel):
        app.say(f"Sums by {place[1].next_grouping().value}.")


VERBS: dict[str, Any] = {
    "app.quit": quit_app,
    "app.palette": palette,
    "app.redraw": redraw,
    "app.interrupt": interrupt,
    "app.help": open_help,
    "find.filter": find_filter,
    "find.next": find_next,
    "find.previous": find_previous,
    "view.back": back,
    "panel.next": panel_next,
    "panel.previous": panel_previous,
    "panel.jump": panel_jump,
    "layout.monitor": _layout("1"),
    "layout.feeds": _layout("2"),
    "layout.trade": _layout("3"),
    "layout.strategies": _layout("4"),
    "layout.log": _layout("7"),
    "panel.zoom": panel_zoom,
    "panel.pin": panel_pin,
    "alerts.open": alerts_open,
    "alerts.acknowledge": alerts_acknowledge,
    "table.mark": table_mark,
    "table.select": table_select,
    "view.copy": view_copy,
    "view.export": view_export,
    "table.sort": table_sort,
    "screen.lock": lock,
    "chart.follow": follow,
    "book.finer": book_scale(-1),
    "book.coarser": book_scale(1),
    "book.follow": follow,
    "log.follow": follow,
    "sums.group": sums_group,
}

EXPORT_FOLDER = user_folder("config").parent / "exports"
"""Where exports go unless the app says otherwise."""
