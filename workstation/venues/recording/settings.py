"""Settings of feeds that play a recording of this program again."""

from __future__ import annotations

from typing import Literal

from workstation.model.settings import Name, Settings

__all__ = ["RecordingFeedSettings"]


class RecordingFeedSettings(
    Settings, frozen=True, kw_only=True, tag_field="type", tag="recording"
):
    """One recorded feed, with the instruments it had."""

    name: Name
    path: str
    """Folder of the recorded run, as ``[recording] path`` holds one for each."""
    feed: str | None = None
    """Name of the feed in the recording; none = the name of this one."""
    symbols: tuple[str, ...] = ()
    """Recorded instrument ids to take; none = all of the feed."""
    on_error: Literal["stop", "skip"] = "stop"
    """Damage ends the feed, or is said and passed over; nothing is trusted after it
    until the feed has delivered again."""
    record: bool = False
    """Record this feed too."""

    @property
    def recorded(self) -> str:
        """Return the name of the feed in the recording."""
        return self.feed or self.name
