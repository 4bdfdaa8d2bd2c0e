"""Rows of CSV files: splitting, checked numbers, and columns found by their names.

The CSV formats build on it. Fields are bytes; a number that is not finite, or written
as no exchange writes it, is damage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from workstation.venues.file.damage import Damaged

__all__ = [
    "TIME_NAMES",
    "Columns",
    "boolean",
    "counting_number",
    "fields",
    "is_header",
    "positive",
    "zero_or_more",
]

TIME_NAMES = ("timestamp", "time", "date", "datetime", "ts", "open_time")

_INFINITY = float("inf")
_MOST_ID = 2**63 - 1
_TRUTH = {b"true": True, b"True": True, b"false": False, b"False": False}


def fields(line: bytes) -> list[bytes]:
    """Return the fields of a line; quotes around one are taken off."""
    row = line.rstrip(b"\r").split(b",")
    if b'"' in line:
        row = [_unquoted(field.strip()) for field in row]
    return row


def is_header(line: bytes) -> bool:
    """Tell whether a dump's first line names columns: its first field is no number."""
    first = line.partition(b",")[0].strip().strip(b'"')
    return first[:1].isalpha()


def positive(field: bytes, name: str) -> float:
    """Return a finite number > 0."""
    value = _number(field, name)
    if 0.0 < value < _INFINITY:
        return value
    raise Damaged(f"{name} {field.decode(errors='replace')} is not more than 0")


def zero_or_more(field: bytes, name: str) -> float:
    """Return a finite number ≥ 0."""
    value = _number(field, name)
    if 0.0 <= value < _INFINITY:
        return value
    raise Damaged(f"{name} {field.decode(errors='replace')} is not 0 or more")


def counting_number(field: bytes, name: str) -> int:
    """Return an id or count: digits only, within 63 bits."""
    if field.isdigit() and len(field) <= 19:
        value = int(field)
        if value <= _MOST_ID:
            return value
    raise Damaged(f"{name} {field[:40].decode(errors='replace')!r} is not a count")


def boolean(field: bytes, name: str) -> bool:
    """Return a truth value as dumps write it."""
    try:
        return _TRUTH[field]
    except KeyError:
        shown = field[:40].decode(errors="replace")
        raise Damaged(f"{name} {shown!r} is neither true nor false") from None


class Columns:
    """Where the columns are that the first line of a file names.

    ``aliases`` maps each wanted column to the names it may have, lower case; those
    not in ``required`` may be missing (``get`` returns None). ``given`` are names that
    the user says instead; they must be there.
    """

    def __init__(
        self,
        head: Sequence[bytes],
        aliases: Mapping[str, Sequence[str]],
        required: Sequence[str],
        given: Mapping[str, str] | None = None,
    ) -> None:
        given = given or {}
        self._header = [
            field.decode(errors="replace").strip()
            for field in fields(head[0] if head else b"")
        ]
        names = [name.lower() for name in self._header]
        self.names = frozenset(names)
        """All names of the header, lower case."""
        self.count = len(names)
        self._index: dict[str, int] = {}
        if unknown := [wanted for wanted in given if wanted not in aliases]:
            raise Damaged(
                f"columns has {', '.join(unknown)}",
                f"name only {', '.join(aliases)} there",
            )
        for wanted, allowed in aliases.items():
            if wanted in given:
                self._index[wanted] = self._given(wanted, given[wanted])
                continue
            found = [i for i, name in enumerate(names) if name in allowed]
            if len(found) > 1:
                raise Damaged(
                    f"header has {wanted} twice: {', '.join(self._header)}",
                    f'say which with columns = {{ {wanted} = "…" }}',
                )
            if found:
                self._index[wanted] = found[0]
        missing = [name for name in required if name not in self._index]
        if missing:
            raise Damaged(
                f"header lacks {', '.join(missing)}; it has {', '.join(self._header)}"
                f"{_did_you_mean(missing[0], self._header)}",
                f'name it with columns = {{ {missing[0]} = "…" }}, or give the file '
                "a first line of names with commas between",
            )

    def _given(self, wanted: str, name: str) -> int:
        """Return where a column of this name is; the case matters if it must."""
        found = [i for i, held in enumerate(self._header) if held == name.strip()]
        if not found:
            folded = name.strip().lower()
            found = [i for i, held in enumerate(self._header) if held.lower() == folded]
        if len(found) == 1:
            return found[0]
        what = "has more than one column" if found else "has no column"
        raise Damaged(
            f"header {what} {name!r}, which columns.{wanted} names; it has "
            f"{', '.join(self._header)}"
            f"{'' if found else _did_you_mean(name, self._header)}",
            f"mend columns.{wanted}",
        )

    def get(self, name: str) -> int | None:
        """Return the index of a column, or None where there is none."""
        return self._index.get(name)

    def __getitem__(self, name: str) -> int:
        """Return the index of a required column."""
        return self._index[name]

    def row(self, line: bytes) -> list[bytes]:
        """Return the fields of a data line; as many as the header has."""
        row = fields(line)
        if len(row) != self.count:
            raise Damaged(f"{len(row)} columns where the header has {self.count}")
        return row


def _did_you_mean(word: str, names: Sequence[str]) -> str:
    folded = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), folded, n=1)
    return f"; did you mean {folded[close[0]]}?" if close else ""


def _unquoted(field: bytes) -> bytes:
    if len(field) > 1 and field[:1] == field[-1:] == b'"':
        field = field[1:-1]
    if b'"' in field:
        raise Damaged("quotes inside a field, or a comma between quotes")
    return field


def _number(field: bytes, name: str) -> float:
    try:
        if b"_" in field:
            raise ValueError
        return float(field)
    except ValueError:
        shown = field[:40].decode(errors="replace")
        raise Damaged(f"{name} {shown!r} is not a number") from None
