"""Signed requests of Binance's REST API: HMAC-SHA256 over the query as it is sent.

Source: Binance spot API, "Signed (TRADE and USER_DATA) endpoint security".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import quote, urlencode

__all__ = ["signed_query"]


def signed_query(secret: str, params: Sequence[tuple[str, str]]) -> str:
    """Return the query string of ``params`` in their order, with its signature last.

    Names and values are percent-encoded before they are signed, as is asked for.
    """
    query = urlencode(params, quote_via=quote, safe="")
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}" if query else f"signature={signature}"
