"""The glyphs of the screen, in Unicode and in ASCII, and which of the two to use.

Widgets paint in Unicode and pass each text through ``GlyphSet.show``; in the ASCII set
every other character is replaced by one of the same width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from rich.cells import cell_len

_ASCII = {
    # Symbol states; letters, as ASCII has no circles.
    "○": "W",
    "◐": "C",
    "●": "T",
    "⊘": "M",
    # Direction, verdicts, pointers.
    "▲": "^",
    "▼": "v",
    "↑": "^",
    "↓": "v",
    "✓": "+",
    "✗": "x",
    "▸": ">",
    "◂": "<",
    "◆": "=",
    "→": ">",
    "←": "<",
    # Typesetting.
    "−": "-",
    "·": ".",
    "…": "~",
    "×": "x",
    "–": "-",
    "—": "-",
    "≤": "<",
    "≥": ">",
    "∞": "*",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "µ": "u",
    "±": "+",
    "√": "v",
    "²": "2",
    "⁴": "4",
    "Δ": "d",
    "Σ": "S",
    "σ": "s",
    "ℓ": "l",
    # Rules.
    "─": "-",
    "━": "=",
    "╸": ">",
    "┬": "+",
    "┴": "+",
    "├": "+",
    "┤": "+",
    "┼": "+",
    # Boxes of the states; the heavy one is where a row is.
    "┌": "+",
    "┐": "+",
    "└": "+",
    "┘": "+",
    "┏": "#",
    "┓": "#",
    "┗": "#",
    "┛": "#",
    "┈": "-",
    "╌": "_",
    "┊": ":",
    # Lines of indicators.
    "⠉": "-",
    "⠒": "-",
    "⠤": "-",
    "⣀": "_",
    # Candles; "│" is also the divider.
    "│": "|",
    "╷": ".",
    "╵": "'",
    "┃": "#",
    "╻": "#",
    "╹": "#",
    "╽": "#",
    "╿": "#",
    "║": "O",
    # Trails.
    "▁": "_",
    "▂": ".",
    "▃": "-",
    "▄": "=",
    "▅": "+",
    "▆": "*",
    "▇": "%",
    # Bars.
    "▏": ".",
    "▎": ":",
    "▍": "-",
    "▌": "=",
    "▋": "=",
    "▊": "#",
    "▉": "#",
    "█": "#",
    "▐": "#",
}
_TABLE = str.maketrans(_ASCII)


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """One glyph per meaning. ``ascii`` sets hold what ``show`` would make of them."""

    name: str
    ascii: bool
    watch: str
    close_watch: str
    in_trade: str
    manual: str
    up: str
    down: str
    warn: str
    passed: str
    failed: str
    cursor: str
    pointer: str
    own: str
    mark: str
    sort_up: str
    sort_down: str
    rule: str
    rule_focus: str
    junction: str
    divider: str
    tick: str
    done: str
    head: str
    thumb: str
    eighths: str
    steps: str

    def show(self, text: str) -> str:
        """Return ``text`` in this set, cell for cell."""
        if not self.ascii or text.isascii():
            return text
        text = text.translate(_TABLE)
        if text.isascii():
            return text
        return "".join(c if c.isascii() else "?" * cell_len(c) for c in text)

    def bar(self, share: float, cells: int) -> str:
        """Draw ``share`` (0 to 1) as a bar of exactly ``cells``, in eighths of a cell.

        Anything above zero leaves a trace.
        """
        share = min(1.0, max(0.0, share))
        eighths = round(share * cells * 8)
        if share > 0:
            eighths = max(1, eighths)
        full, rest = divmod(eighths, 8)
        bar = self.eighths[-1] * full + (self.eighths[rest - 1] if rest else "")
        return bar.ljust(cells)[:cells]

    def trail(self, values: Sequence[float | None]) -> str:
        """Draw values as steps between the least and the greatest, ``·`` for none."""
        known = [value for value in values if value is not None and isfinite(value)]
        if not known:
            return "·" * len(values)
        low, high = min(known), max(known)
        most = len(self.steps) - 1
        span = high - low
        drawn = []
        for value in values:
            if value is None or not isfinite(value):
                drawn.append("·")
            elif span > 0:
                drawn.append(self.steps[round((value - low) / span * most)])
            else:
                drawn.append(self.steps[most // 2])
        return "".join(drawn)


UNICODE = GlyphSet(
    name="unicode",
    ascii=False,
    watch="○",
    close_watch="◐",
    in_trade="●",
    manual="⊘",
    up="▲",
    down="▼",
    warn="!",
    passed="✓",
    failed="✗",
    cursor="▸",
    pointer="◂",
    own="◆",
    mark="*",
    sort_up="↑",
    sort_down="↓",
    rule="─",
    rule_focus="━",
    junction="┬",
    divider="│",
    tick="┤",
    done="━",
    head="╸",
    thumb="▐",
    eighths="▏▎▍▌▋▊▉█",
    steps="▁▂▃▄▅▆▇█",
)


def _ascii() -> GlyphSet:
    values = {
        name: getattr(UNICODE, name).translate(_TABLE)
        for name in GlyphSet.__slots__
        if name not in ("name", "ascii")
    }
    return GlyphSet(name="ascii", ascii=True, **values)


ASCII = _ascii()

SETTINGS = ("auto", "unicode", "ascii")

_POOR_TERMINALS = ("dumb", "linux", "vt100", "vt102", "vt220", "ansi", "cons25")
# Their fonts or character sets lack half of what we draw.


def choose(setting: str, encoding: str | None, term: str | None) -> GlyphSet:
    """Return the set for ``[ui] glyphs``, deciding ``auto`` from encoding and TERM."""
    if setting == "unicode":
        return UNICODE
    if setting == "ascii":
        return ASCII
    if setting != "auto":
        raise ValueError(f"glyphs = {setting!r}: use one of {', '.join(SETTINGS)}")
    name = (encoding or "").lower().replace("-", "").replace("_", "")
    if not name.startswith("utf"):
        return ASCII
    return ASCII if (term or "").lower() in _POOR_TERMINALS else UNICODE
