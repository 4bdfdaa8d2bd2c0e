"""The palette: the app's entries, found by title and help, never read as markup."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import App
from textual.command import CommandInput, CommandList, CommandPalette

from workstation.ui.palette import Entry, Palette


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
