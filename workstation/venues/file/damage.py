"""What a format says of a row it cannot use; the lane adds file and line.

Never leaves the package: feeds raise ``DataError``.
"""

from __future__ import annotations

__all__ = ["Damaged"]


class Damaged(Exception):
    """A row, message or container that is not what the format promises.

    ``remedy`` is said where it is another than mending the row or skipping it.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy
