"""The worked example, the defaults and the TOML of docs/quoting.md are true."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from workstation.execution.levels import Touch
from workstation.execution.requoting import requote
from workstation.execution.settings import OrderSettings, QuotingSettings
from workstation.execution.steps import Step
from workstation.execution.working import Working
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.instruments import Instrument, Side
from workstation.model.rates import RateLimit, RequestKind

TEXT = (Path(__file__).parents[1] / "docs" / "quoting.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|")
]
STEPS = [row for row in ROWS if len(row) == 4 and row[0] not in ("working", "---")]
MARKET = Instrument(
    id="X",
    venue="v",
    symbol="X",
    base="B",
    quote="Q",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
)


def numbers(cell: str) -> tuple[Decimal, Decimal] | None:
    found = re.fullmatch(r"(?:buy )?(\d+) @ ([\d.]+)", cell)
    return (Decimal(found[2]), Decimal(found[1])) if found else None


def step_of(working: str, wanted: str) -> Step:
    there, level = numbers(working), numbers(wanted)
    orders = []
    if there is not None:
        price, quantity = there
        order = Working(order_id="a", side=Side.BUY, price=price, quantity=quantity)
        orders.append(order)
    wish = DesiredOrders(
        strategy="s",
        instrument="X",
        bids=() if level is None else (DesiredLevel(*level),),
    )
    (step,) = requote(
        wish, orders, QuotingSettings(), MARKET, Touch(), can_modify=True, now_ns=10**10
    )
    return step


@pytest.mark.parametrize("row", STEPS, ids=lambda row: " → ".join(row[:2]))
def test_the_example_steps_are_what_is_decided(row: list[str]) -> None:
    working, wanted, kind, why = row
    step = step_of(working, wanted)
    assert step.kind == kind
    assert step.text.partition(": ")[2] == why


def test_there_are_five_of_them() -> None:
    assert len(STEPS) == 5


@pytest.mark.parametrize(
    ("settings", "head"),
    [(QuotingSettings(), "`[quoting]`"), (OrderSettings(), "`[orders]`")],
)
def test_the_defaults_are_those_of_the_settings(
    settings: QuotingSettings | OrderSettings, head: str
) -> None:
    start = next(n for n, row in enumerate(ROWS) if row[0] == head) + 2
    said = {}
    for row in ROWS[start:]:
        if row[0].startswith("`["):
            break
        said[row[0].strip("`")] = row[1]
    real = structs.asdict(settings)
    if isinstance(settings, QuotingSettings):
        assert said.keys() == real.keys()
    for name, default in said.items():
        value = real[name]
        shown = "none" if value is None else value if isinstance(value, str) else None
        assert default.strip('"') == (shown or f"{value:g}")


def test_the_rates_of_the_example_are_good() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (broker,) = tomllib.loads(block)["brokers"]
    (limit,) = (RateLimit(**each) for each in broker["rates"])
    assert limit.weight_of(RequestKind.PLACE, 40) == 1
    assert limit.weight_of(RequestKind.QUERY) == 2
