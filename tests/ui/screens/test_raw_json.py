"""JSON that a person typed: no word of it is lost, and nothing wild passes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.rehearsal import HandOrder, Transfer
from workstation.ui.screens.raw_json import RawError, decode_strictly

D = Decimal
ORDER = '{"type":"place_order","instrument":"BTCUSDT","side":"sell","quantity":"0.3"%s}'


def test_what_is_right_is_decoded() -> None:
    order = decode_strictly(ORDER % ',"reduce_only":true', (PlaceOrder,))
    assert order == PlaceOrder(
        instrument="BTCUSDT", side=Side.SELL, quantity=D("0.3"), reduce_only=True
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (',"reduceonly":true', "no field 'reduceonly'; there are "),
        (',"price":"NaN"', "price NaN is no figure below 10^15 with 18"),
        (',"price":"1e400"', "price 1.000e+400 is no figure below 10^15"),
        (',"price":"x"', "price"),
        (',"price":', "not JSON: "),
    ],
)
def test_what_is_wrong_is_said(more: str, said: str) -> None:
    with pytest.raises(RawError) as caught:
        decode_strictly(ORDER % more, (PlaceOrder,))
    assert said in str(caught.value)


def test_the_tag_chooses_the_type() -> None:
    types = (Transfer, HandOrder)
    found = decode_strictly('{"type":"transfer","currency":"USDT","amount":"5"}', types)
    assert found == Transfer(currency="USDT", amount=D(5))
    with pytest.raises(RawError, match="type: found 'x'; there are transfer, hand"):
        decode_strictly('{"type":"x"}', types)
    with pytest.raises(RawError, match="expected an object"):
        decode_strictly("[]", types)


@given(st.text(max_size=60))
def test_any_text_is_an_order_or_an_error(text: str) -> None:
    try:
        decode_strictly(text, (PlaceOrder,))
    except RawError:
        return
