"""Owners of orders and positions that are no strategy."""

from __future__ import annotations

__all__ = ["DUST", "EXTERNAL", "OPERATOR"]

OPERATOR = "operator"
"""Owner of what the operator enters by a ticket, or takes over."""
EXTERNAL = "external"
"""Owner of orders that were not made here, and of what they fill."""
DUST = "dust"
"""Owner of what is less than a lot: nobody can sell it by itself."""
