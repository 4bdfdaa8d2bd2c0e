"""A matching engine for the venues we play ourselves: accounts, orders, books, fills.

It knows nothing of a run, a feed or a strategy. The paper broker gives it one account
and an outside world read from market data; a practice exchange gives it many accounts
and no outside.
"""

from workstation.venues.matching.engine import MatchingEngine
from workstation.venues.matching.funds import Funds
from workstation.venues.matching.orders import SelfTrade, Terms, Working
from workstation.venues.matching.outside import NOBODY, Front, Nobody, Offer, Outside

__all__ = [
    "NOBODY",
    "Front",
    "Funds",
    "MatchingEngine",
    "Nobody",
    "Offer",
    "Outside",
    "SelfTrade",
    "Terms",
    "Working",
]
