"""Imbalance against the reference, its signs, and when there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.pipeline.ground import BTC, S, chained, quote
from tests.market.pipeline.models import model
from workstation.market.pipeline.imbalance import (
    signed_share,
    weighted_mid,
)
from workstation.market.pipeline.settings import ImbalanceSettings
from workstation.model.market import BookSnapshot


@pytest.mark.reference
def test_shares_and_the_weighted_mid_are_those_of_the_reference() -> None:
    given_, expected = model("imbalance")
    bids = list(zip(given_["bid_price"], given_["bid_size"], strict=True))
    asks = list(zip(given_["ask_price"], given_["ask_size"], strict=True))
    assert signed_share(bids[0][1], asks[0][1]) == pytest.approx(expected["top_signed"])
    deep = signed_share(sum(given_["bid_size"]), sum(given_["ask_size"]))
    assert deep == pytest.approx(expected["deep3_signed"])
    assert weighted_mid(*bids[0], *asks[0]) == pytest.approx(expected["weighted_mid"])


@pytest.mark.reference
def test_the_processor_gives_those_of_the_reference_from_a_book() -> None:
    given_, expected = model("imbalance")
    bids = tuple(zip(given_["bid_price"], given_["bid_size"], strict=True))
    asks = tuple(zip(given_["ask_price"], given_["ask_size"], strict=True))
    # ℓ of 0.02 is two ticks of 0.01.
    for levels, wanted in ((1, "top_signed"), (3, "deep3_signed")):
        part, core, live = chained(
            "imbalance", imbalance=ImbalanceSettings(levels=levels)
        )
        core.feed(part, [BookSnapshot(BTC, S, 1, bids, asks)])
        figures = live.figures
        assert figures.imbalance == pytest.approx(expected[wanted])
        assert figures.weighted_imbalance == pytest.approx(
            expected["exp_weighted_signed"]
        )
        assert figures.weighted_mid == pytest.approx(expected["weighted_mid"])


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_it_is_odd_and_within_one(bids: float, asks: float) -> None:
    found, mirrored = signed_share(bids, asks), signed_share(asks, bids)
    if found is None or mirrored is None:
        assert found is mirrored
        return
    assert -1.0 <= found <= 1.0
    assert found == -mirrored


def test_more_bids_than_asks_is_above_zero_and_the_mid_leans_to_the_asks() -> None:
    part, core, live = chained("imbalance")
    core.feed(part, [quote(1, 99.0, 101.0, 3.0, 1.0)])
    assert live.figures.imbalance == 0.5
    assert live.figures.weighted_mid == 100.5
    core.feed(part, [quote(2, 99.0, 101.0, 1.0, 3.0)])
    assert live.figures.imbalance == -0.5
    assert live.figures.weighted_mid == 99.5


def test_the_settings_say_how_deep_and_how_fast_weights_fall() -> None:
    bids = tuple((100.0 - i / 100, 10.0) for i in range(4))
    asks = tuple((100.01 + i / 100, 10.0 if i < 2 else 30.0) for i in range(4))
    found = []
    for chosen in (
        ImbalanceSettings(),
        ImbalanceSettings(depth=2),
        ImbalanceSettings(decay_ticks=50.0),
    ):
        part, core, live = chained("imbalance", imbalance=chosen)
        core.feed(part, [BookSnapshot(BTC, S, 1, bids, asks)])
        found.append(live.figures.weighted_imbalance)
    default, shallow, flat = found
    assert shallow == 0.0
    assert default is not None
    assert flat is not None
    assert flat < default < 0.0
    weights = [math.exp(-i / 2) for i in range(4)]
    bid = sum(10.0 * w for w in weights)
    ask = sum(a[1] * w for a, w in zip(asks, weights, strict=True))
    assert default == pytest.approx((bid - ask) / (bid + ask))


def test_without_sound_prices_there_is_no_number() -> None:
    part, core, live = chained("imbalance")
    figures = live.figures
    assert figures.imbalance is None
    core.feed(part, [quote(1, 99.0, 101.0)])
    assert figures.weighted_imbalance is None
    assert figures.imbalance == 0.0
    core.feed(part, [quote(2, 101.0, 99.0)])
    assert figures.imbalance is None
    assert figures.weighted_mid is None
    core.feed(part, [quote(3, 99.0, 101.0, 0.0, 0.0)])
    assert figures.imbalance is None
    assert figures.weighted_mid is None
    core.feed(part, [quote(4, 99.0, 101.0)])
    core.advance(10 * S)
    assert figures.imbalance is None


def test_a_tick_costs_it_nothing() -> None:
    _, _, live = chained("imbalance")
    _, _, bare = chained()
    assert len(live.top_watchers) == len(bare.top_watchers)
    assert len(live.trade_watchers) == len(bare.trade_watchers)
