"""What importing the indicators may load: a fresh interpreter's ``sys.modules``."""

from __future__ import annotations

import subprocess
import sys

LISTING_AND_STREAM = """
import sys
from types import SimpleNamespace
import workstation.indicators as indicators
for name in indicators.names():
    indicator = indicators.get(name)
    stream = indicator.stream()
    for i in range(50):
        x = float(i)
        stream.update(SimpleNamespace(open=x, high=x, low=x, close=x, volume=x))
    assert stream.copy().state() == stream.state()
import workstation.indicators.documentation as documentation
documentation.markdown()
print(*sorted(sys.modules))
"""


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_listing_and_streaming_load_no_numpy_and_nothing_else_of_the_project() -> None:
    modules = loaded(LISTING_AND_STREAM)
    assert "numpy" not in modules
    ours = {name for name in modules if name.startswith("workstation.")}
    assert "workstation.indicators.registry" in ours
    assert {name for name in ours if not name.startswith("workstation.indicators")} == (
        set()
    )


def test_a_batch_loads_numpy_so_the_test_above_can_fail() -> None:
    code = "import sys, workstation.indicators as i\n"
    batch = code + "i.get('sma').batch({'close': [1.0]})\nprint(*sys.modules)"
    assert "numpy" in loaded(batch)
