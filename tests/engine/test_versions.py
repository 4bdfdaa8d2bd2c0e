"""Versions: new only with what is shown, and none kept for what has ended."""

from __future__ import annotations

import msgspec
import pytest

from tests.engine.runs import (
    frame_of,
    running,
    small,
)


def test_versions_change_only_with_what_is_shown() -> None:
    session = running()
    first = frame_of(session)
    again = frame_of(session)
    for name in ("symbols", "orders", "positions"):
        assert getattr(first, name) == getattr(again, name)
    for _ in range(300):
        session.driver.step()
        later = frame_of(session)
        for name in ("symbols", "orders", "positions"):
            known = {_key(row): row for row in getattr(again, name)}
            for row in getattr(later, name):
                old = known.get(_key(row))
                if old is None:
                    continue
                same = msgspec.structs.replace(old, version=0) == (
                    msgspec.structs.replace(row, version=0)
                )
                assert (old.version == row.version) is same
        again = later
    assert again.symbols is not None
    assert again.symbols != first.symbols


def test_orders_that_ended_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workstation.engine.versions._KEPT", 3)
    session = small()
    engine = session.engine
    engine.start()
    while engine.step():
        frame = frame_of(session, 0, "orders", "symbols")
    assert frame.orders is not None
    assert len(engine.store.snapshot().orders) > 6
    assert len(session.frames._rows._versions) <= len(frame.orders) + 3 + 2


def _key(row: object) -> object:
    for name in ("key", "order", "position"):
        value = getattr(row, name, None)
        if value is not None:
            return getattr(value, "id", None) or (
                value if isinstance(value, str) else (value.owner, value.instrument)
            )
    raise AssertionError(row)
