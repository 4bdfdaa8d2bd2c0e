"""Running totals of a batch against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.indicators.arrays.totals import totals

terms = st.lists(
    st.tuples(
        st.sampled_from((1e16, -1e16, 1.0, 0.1, -0.1, 1e-9)),
        st.floats(0.5, 1.0),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=200,
)


@settings(max_examples=60, deadline=None)
@given(terms, st.booleans())
def test_what_rounding_takes_from_a_total_is_kept_beside_it(
    drawn: list[tuple[float, float, int]], with_starts: bool
) -> None:
    values = np.array([size * share for size, share, _ in drawn])
    starts = np.array([dice == 0 for *_, dice in drawn]) if with_starts else None
    found, lost = totals(values, starts)
    exact, amount = Fraction(0), 0.0
    for i, value in enumerate(values.tolist()):
        if starts is not None and starts[i]:
            exact, amount = Fraction(0), 0.0
        exact += Fraction(value)
        amount += abs(value)
        error = abs(Fraction(float(found[i])) + Fraction(float(lost[i])) - exact)
        # 2⁻⁵³ squared, for each of the terms: what two floats together can hold.
        assert error <= amount * len(values) * 2.0**-105
