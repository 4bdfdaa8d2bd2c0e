"""Prints the order machine's table as it stands in docs/orders.md.

``python -m docs.order_table`` after a change of the table; a test compares the two.
"""

from __future__ import annotations

from workstation.execution.order_machine import TABLE, Target

_TARGETS = {
    Target.OPEN: "accepted, or partially_filled",
    Target.PRIOR: "what it was before",
}


def table() -> str:
    """Return the table in Markdown: one line for each status and where it leads."""
    lines = ["| in status | on | becomes |", "|---|---|---|"]
    for status, row in TABLE.items():
        if not row:
            lines.append(f"| {status.value} | – | it is final |")
        leads: dict[str, list[str]] = {}
        for event, target in row.items():
            after = _TARGETS.get(target) if isinstance(target, Target) else target.value
            leads.setdefault(str(after), []).append(event.value)
        for after, events in leads.items():
            stays = "stays" if after == status.value else after
            lines.append(f"| {status.value} | {', '.join(events)} | {stays} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
