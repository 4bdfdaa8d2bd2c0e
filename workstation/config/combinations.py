"""Which feeds and brokers go with which mode: one table, read by check and reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workstation.config.problems import Problems

__all__ = ["LATER", "LEGAL", "TABLE", "check_combination"]

LATER = ("binance", "alpaca")
"""Types of feeds and brokers that a config may name but this version lacks."""

LEGAL: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "simulation": (("simulated",), ("paper",)),
    "recording": (("file", "recording"), ("paper",)),
    "paper": (LATER, ("paper",)),
    "live": (LATER, LATER),
}
"""Mode to the types of its feeds and of its brokers; live: both the same."""

TABLE = """legal combinations:
  mode        feeds               broker
  simulation  simulated           paper
  recording   file or recording   paper
  paper       binance or alpaca*  paper
  live        binance or alpaca*  the feed's own*
  * not available in this version"""


def check_combination(data: Mapping[str, Any], problems: Problems) -> None:
    """Refuse feeds and brokers whose type does not go with the mode."""
    mode = data.get("mode", "simulation")
    if not isinstance(mode, str) or mode not in LEGAL:
        return
    feeds, brokers = LEGAL[mode]
    before = len(problems)
    feed_types = _check(data, "feeds", mode, feeds, problems)
    if mode == "live":
        brokers = tuple(word for word in LATER if word in feed_types) or LATER
    _check(data, "brokers", mode, brokers, problems)
    if len(problems) > before:
        problems.note(TABLE)


def _check(
    data: Mapping[str, Any],
    section: str,
    mode: str,
    legal: Sequence[str],
    problems: Problems,
) -> list[str]:
    known = {word for pair in LEGAL.values() for words in pair for word in words}
    found: list[str] = []
    tables = data.get(section, [])
    for index, table in enumerate(tables if isinstance(tables, list) else []):
        word = table.get("type") if isinstance(table, dict) else None
        if not isinstance(word, str) or word not in known:
            continue
        found.append(word)
        if word not in legal:
            allowed = " or ".join(f'"{name}"' for name in legal)
            problems.add(
                (section, index, "type"),
                f'found "{word}", which does not go with mode "{mode}"; '
                f"allowed there: {allowed}",
            )
    return found
