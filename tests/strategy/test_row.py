"""Rows: whatever a script keeps has a digest."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.strategy.fakes import Stand


@pytest.mark.parametrize(
    "keep",
    [
        "context['me'] = context",
        "context['big'] = 1 << 200",
        "context['half'] = '\\ud800'",
        "context['object'] = object()",
        "context['set'] = {'a', 'b'}",
        "context[('a', object())] = 1",
        "context['nan'] = float('nan')",
        "context['bytes'] = b'x'",
        "import numpy; context['np'] = numpy.float64(1.5)",
    ],
)
def test_whatever_a_script_keeps_has_the_same_digest_twice(
    tmp_path: Path, keep: str
) -> None:
    digests = []
    for _ in range(2):
        stand = Stand.of(tmp_path, detect=f"{keep}; return None")
        stand.bar()
        digests.append(msgspec.msgpack.encode(stand.strategy.digest()))
    assert digests[0] == digests[1]


def test_the_digest_tells_contexts_apart(tmp_path: Path) -> None:
    digests = set()
    for value in ("1", "2", "'1'"):
        stand = Stand.of(tmp_path, detect=f"context['x'] = {value}; return None")
        stand.bar()
        row_digest = stand.row.digest()
        digests.add(msgspec.msgpack.encode(row_digest))
    assert len(digests) == 3
