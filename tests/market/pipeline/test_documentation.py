"""The manual pages say what the catalog says, and their example runs."""

from __future__ import annotations

import re
from pathlib import Path

from tests.market.pipeline.ground import at_mid, planned
from tests.market.pipeline.test_chain import unguarded
from workstation.engine.processor_scripts import load_processor
from workstation.market.pipeline.chain import CATALOG, Plan
from workstation.market.pipeline.documentation import markdown
from workstation.market.pipeline.settings import PipelineSettings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_page_is_the_generated_text() -> None:
    assert (DOCS / "processors.md").read_text(encoding="utf-8") == markdown(), (
        "print it anew: python -m workstation.market.pipeline.documentation"
    )


def test_the_page_of_strategies_names_every_figure_with_its_unit() -> None:
    page = (DOCS / "strategies.md").read_text(encoding="utf-8")
    for processor in CATALOG.values():
        for figure in processor.gives:
            assert f"| `{figure.name}` | {figure.unit} | `{processor.name}` |" in page


def test_the_example_of_the_page_is_a_processor(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", markdown(), re.DOTALL)
    path = tmp_path / "my_spread.py"
    path.write_text(block, encoding="utf-8")
    script = load_processor(path, lambda path, source, load: load())
    plan = Plan(
        PipelineSettings(processors=("volatility", str(path))), [script], unguarded
    )
    part, core, live = planned(plan)
    core.feed(part, [at_mid(1 + s, 100.0) for s in range(5)])
    width = live.spread_bps
    assert width is not None
    assert live.figures.my_spread is not None
    assert abs(live.figures.my_spread - width) < 1e-6
