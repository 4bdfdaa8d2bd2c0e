"""Signatures of Binance's REST API, against the vectors that the venue publishes."""

from __future__ import annotations

import pytest

from workstation.venues.binance.signing import signed_query

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


@pytest.mark.parametrize(
    ("symbol", "signature"),
    [
        ("LTCBTC", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        (
            "１２３４５６",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
    ],
)
def test_a_query_is_signed_as_in_the_venues_own_examples(
    symbol: str, signature: str
) -> None:
    params = [
        ("symbol", symbol),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "1"),
        ("price", "0.1"),
        ("recvWindow", "5000"),
        ("timestamp", "1499827319559"),
    ]
    assert signed_query(SECRET, params).endswith(f"&signature={signature}")


def test_values_are_encoded_before_they_are_signed() -> None:
    assert signed_query("s", [("a", "x/y z")]).startswith("a=x%2Fy%20z&signature=")
