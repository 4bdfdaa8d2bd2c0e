"""What a script sees of its market and its indicators."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.fakes import Stand


def test_indicators_are_asked_by_name_and_are_none_before_their_time(
    tmp_path: Path,
) -> None:
    detect = (
        "context['v'] = [indicators.sma(2), indicators.sma(period=2, back=1)]; "
        "return None"
    )
    stand = Stand.of(tmp_path, detect=detect)
    stand.bar(1.0)
    assert stand.row.context["v"] == [None, None]
    assert stand.row.indicators.asked()[0][0] == "sma"
    with pytest.raises(TypeError, match="has 2 parameters"):
        stand.row.indicators.sma(2, 3)
    with pytest.raises(ValueError, match="back = 2"):
        stand.row.indicators.sma(2, back=2)
