"""The palette: the app's entries, found by title and help, never read as markup."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual.app import App
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon

from tests.ui.test_app import layout_of, opened
from workstation.ui.app import WorkstationApp
from workstation.ui.palette import Command, Entry, Palette


class Host(App[None]):
    """An app with three entries."""

    COMMANDS = {Palette}

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def palette_entries(self) -> Iterable[Entry]:
        """Return what can be done now."""
        for title, help in (
            ("Theme: paper-light", "switch the colours"),
            ("a[/]b", "symbol [A-Z]"),
            ("Pause ema_cross", "task.pause"),
        ):
            yield title, help, lambda title=title: self.done.append(title)  # type: ignore[misc]


async def shown(host: Host, typed: str) -> list[str]:
    """Return the prompts that the palette lists for a text."""
    screen = host.screen
    assert isinstance(screen, CommandPalette)
    screen.query_one(CommandInput).value = typed
    await host.workers.wait_for_complete()
    listing = screen.query_one(CommandList)
    return [
        str(listing.get_option_at_index(place).prompt)
        for place in range(listing.option_count)
    ]


async def test_everything_is_offered_and_text_stays_text() -> None:
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        host.action_command_palette()
        await pilot.pause()
        await host.workers.wait_for_complete()
        await pilot.pause()
        prompts = "\n".join(await shown(host, ""))
        assert "a[/]b" in prompts
        assert "symbol [A-Z]" in prompts
        assert "Pause ema_cross" in prompts


async def test_a_search_finds_titles_and_help_and_runs() -> None:
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        host.action_command_palette()
        await pilot.pause()
        await pilot.press(*"colours")
        await host.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert host.done in ([], ["Theme: paper-light"])
        if not host.done:
            await pilot.press("enter")
            await pilot.pause()
        assert host.done == ["Theme: paper-light"]


async def test_the_prompt_is_no_emoji() -> None:
    host = Host()
    async with host.run_test(size=(80, 24)) as pilot:
        host.action_command_palette()
        await pilot.pause()
        icon = host.screen.query_one(SearchIcon)
        assert icon.icon.isascii()


def found(app: WorkstationApp, query: str) -> list[Command]:
    """Return what a query finds in the app, the best first."""
    palette = Palette(layout_of(app))
    scored = [(each.score(query), each) for each in palette._commands()]
    ranked = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    return [each for _, each in ranked]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("speed", "Slower"),
        ("flatten", "Close the position at market"),
        ("amend", "Amend price or quantity"),
        ("limit", "Set the limit; a looser one is confirmed"),
        ("equity", "Panel equity"),
        ("hold", "Hold: no new entries; exits, stops and cancels go on"),
        ("kill", "Hold all new orders and open the kill ladder; again cancels entries"),
        ("layout trade", "Layout Trade"),
        ("okabe", "Theme okabe-dark"),
    ],
)
async def test_a_word_finds_the_command_it_names(query: str, first: str) -> None:
    async with opened() as (app, _, _):
        hits = found(app, query)
    assert hits[0].title == first


async def test_letters_that_are_scattered_over_a_sentence_are_no_match() -> None:
    async with opened() as (app, _, _):
        for query in ("speed", "hoe", "xyz", "kill amend"):
            assert not any("kill ladder" in hit.title for hit in found(app, query))


async def test_what_cannot_act_says_why_and_does_only_that() -> None:
    async with opened() as (app, pilot, session):
        hits = found(app, "cancel")
        one = hits[0]
        assert one.title.startswith("Cancel the order"), "and not the kill ladder"
        assert one.why_not == "c (cancel) needs: order."
        one.run()
        await pilot.pause()
        assert layout_of(app).footer.said == one.why_not
        assert session.executed == []
        (follow,) = (hit for hit in found(app, "next match"))
        assert follow.why_not == "n: nothing was searched for (/ does)."


async def test_a_panel_of_another_layout_is_shown() -> None:
    async with opened(size=(120, 40)) as (app, pilot, _):
        found(app, "denials")[0].run()
        for _ in range(4):
            await pilot.pause()
        assert app.current_mode == "3"
        assert layout_of(app).current == "denials"
