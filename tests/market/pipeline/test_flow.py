"""Order flow imbalance against the reference, its window and its signs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.pipeline.ground import BTC, S, chained, quote
from tests.market.pipeline.models import model
from workstation.market.pipeline.flow import STEPS, Flow, flow_events
from workstation.market.pipeline.settings import FlowSettings
from workstation.model.market import BookDelta, BookSnapshot

TOPS = st.lists(
    st.tuples(
        st.integers(0, 900_000_000),
        st.integers(99, 101),
        st.integers(1, 50),
        st.integers(101, 103),
        st.integers(1, 50),
    ),
    min_size=2,
    max_size=60,
)


@pytest.mark.reference
def test_every_event_is_that_of_the_reference() -> None:
    inputs, expected = model("ofi")
    tops = [tuple(row) for row in inputs["rows"]]
    assert flow_events(tops) == expected["e_n"]
    assert sum(flow_events(tops)) == expected["OFI"]


@pytest.mark.reference
def test_the_stream_sums_them_in_mean_best_queues() -> None:
    inputs, expected = model("ofi")
    part, core, live = chained("flow")
    rows = inputs["rows"]
    core.feed(
        part,
        [
            quote(1 + index / 10, bid, ask, bid_size, ask_size)
            for index, (bid, bid_size, ask, ask_size) in enumerate(rows)
        ],
    )
    queues = [size for row in rows[1:] for size in (row[1], row[3])]
    mean = sum(queues) / len(queues)
    assert live.figures.ofi == pytest.approx(expected["OFI"] / mean)


@settings(max_examples=100, deadline=None)
@given(TOPS)
def test_the_stream_is_the_batch_over_the_steps_of_the_window(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    part, core, live = chained("flow", flow=FlowSettings(window_s=2.0))
    step = 2 * S // STEPS
    ts, made = S, []
    for wait, *top in rows:
        ts += wait
        bid, bid_size, ask, ask_size = map(float, top)
        made.append((ts, (bid, bid_size, ask, ask_size)))
        core.feed(part, [quote(ts / S, bid, ask, bid_size, ask_size)])
    begin = ts - ts % step - (STEPS - 1) * step
    events = flow_events([top for _, top in made])
    counted = [
        (event, top)
        for event, (at, top) in zip(events, made[1:], strict=True)
        if at >= begin
    ]
    queues = [size for _, top in counted for size in (top[1], top[3])]
    wanted = sum(event for event, _ in counted) / (sum(queues) / len(queues))
    assert live.figures.ofi == pytest.approx(wanted, abs=1e-9)


def test_buying_that_eats_the_asks_or_adds_bids_is_above_zero() -> None:
    for after in (
        quote(2, 99.0, 101.0, 5.0, 1.0),
        quote(2, 99.0, 102.0, 5.0, 5.0),
        quote(2, 100.0, 101.0, 5.0, 5.0),
        quote(2, 99.0, 101.0, 9.0, 5.0),
    ):
        part, core, live = chained("flow")
        core.feed(part, [quote(1, 99.0, 101.0, 5.0, 5.0), after])
        assert live.figures.ofi is not None
        assert live.figures.ofi > 0.0


@given(TOPS)
def test_the_mirrored_book_has_the_opposite_flow(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    tops = [(float(b), float(q), float(a), float(r)) for _, b, q, a, r in rows]
    mirrored = [(-a, r, -b, q) for b, q, a, r in tops]
    assert flow_events(mirrored) == [-event for event in flow_events(tops)]


def test_sizes_of_another_unit_give_the_same_number() -> None:
    found = []
    for unit in (1.0, 1_000.0):
        part, core, live = chained("flow")
        core.feed(
            part,
            [quote(1 + i, 99.0, 101.0, unit * (1 + i % 3), unit * 2) for i in range(5)],
        )
        found.append(live.figures.ofi)
    assert found[0] == pytest.approx(found[1])


def test_nothing_counts_across_a_gap_a_resync_or_a_crossed_quote() -> None:
    part, core, live = chained("flow")
    flow = live.figures.processor("flow")
    assert isinstance(flow, Flow)
    core.feed(part, [quote(1, 99.0, 101.0, 5.0, 5.0), quote(2, 99.0, 101.0, 6.0, 5.0)])
    known = flow.ofi
    part.mark_untrusted(BTC, "paused")
    assert live.figures.ofi is None
    core.feed(part, [quote(3, 150.0, 151.0, 900.0, 1.0)])
    assert flow.ofi == known
    core.feed(part, [quote(4, 151.0, 150.0, 1.0, 1.0), quote(5, 99.0, 101.0, 5.0, 5.0)])
    assert flow.ofi == known

    part, core, live = chained("flow")
    flow = live.figures.processor("flow")
    assert isinstance(flow, Flow)
    bid, ask = (99.0, 5.0), (101.0, 5.0)
    core.feed(
        part,
        [
            BookSnapshot(BTC, S, 1, (bid,), (ask,)),
            BookDelta(BTC, 2 * S, 2, 2, ((99.0, 6.0),), ()),
            BookDelta(BTC, 3 * S, 9, 9, ((100.0, 60.0),), ()),
            BookSnapshot(BTC, 4 * S, 10, ((100.0, 60.0),), (ask,)),
        ],
    )
    assert flow.ofi == pytest.approx(1.0 / 5.5)


def test_old_flow_leaves_the_window_and_an_idle_one_has_no_number() -> None:
    part, core, live = chained("flow", flow=FlowSettings(window_s=1.0))
    core.feed(part, [quote(1, 99.0, 101.0, 1.0, 1.0), quote(1.1, 99.0, 101.0, 9.0, 1)])
    assert live.figures.ofi == pytest.approx(8.0 / 5.0)
    core.feed(part, [quote(3, 99.0, 101.0, 9.0, 1.0)])
    assert live.figures.ofi == 0.0
    assert chained("flow")[2].figures.ofi is None


def test_the_window_is_the_running_step_and_the_nineteen_before() -> None:
    for at, wanted in ((2.95, 8.0 / 5.0), (3.05, 0.0)):
        part, core, live = chained("flow", flow=FlowSettings(window_s=2.0))
        core.feed(part, [quote(1, 99, 101, 1, 1), quote(1.05, 99, 101, 9, 1)])
        core.feed(part, [quote(at, 99, 101, 9, 1)])
        assert live.figures.ofi == pytest.approx(wanted)
