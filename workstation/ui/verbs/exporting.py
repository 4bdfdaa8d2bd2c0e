"""Writing rows to the folder of exports, and the sentence that says how it went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.ui.export import export_rows
from workstation.ui.typeset import utc_clock

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp

__all__ = ["write_export"]


def write_export(
    app: WorkstationApp, what: str, title: str, rows: Sequence[Sequence[str]]
) -> tuple[bool, str]:
    """Write ``rows``, a head and what follows, to a file named after ``what``.

    Returns whether that went well, and a sentence that says where, or why not.
    """
    frame = app.bridge.frame
    stamp = utc_clock(None if frame is None else frame.ts)
    name = f"{what}-{stamp}".replace(" ", "T").replace(":", "")
    try:
        path = export_rows(app.export_folder, name.strip("·-"), rows)
    except OSError as error:
        why = error.strerror or error
        return False, f"Not exported: {why} ({app.export_folder})."
    count = len(rows) - 1 or 1
    many = "s" if count > 1 else ""
    return True, f"{count} row{many} of {title} in {path}."
