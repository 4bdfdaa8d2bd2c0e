"""What can be made of a line that books and venue say differently, and in which words.

Pure. Only what is legal for the line is offered; the engine has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec import Struct

from workstation.model.instruments import Instrument, decimals_of
from workstation.model.owners import EXTERNAL, OPERATOR
from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    PositionLine,
    Resolution,
    Subject,
    Verdict,
)
from workstation.ui.screens.both_sides import (
    Instruments,
    Line,
    amount,
    can_be_settled,
    order_words,
)
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import count
from workstation.ui.typeset import number, price, quantity

__all__ = [
    "Settlement",
    "attributable",
    "settle_sentence",
    "settle_verb",
    "subject_of",
    "takers",
    "ways",
]

ZERO = Decimal(0)
R = Resolution


class Settlement(Struct, frozen=True, kw_only=True):
    """What the fields of the dialog come to; ``price`` None is none that can be used.

    ``owner`` and, for a balance, ``instrument`` are of an attribution.
    """

    resolution: Resolution
    owner: str = ""
    instrument: str = ""
    price: Decimal | None = None
    reason: str = ""


def subject_of(line: Line) -> tuple[Subject, str]:
    """Return what the command says of a line: its kind and its name."""
    if isinstance(line, OrderLine):
        return Subject.ORDER, line.order_id
    if isinstance(line, PositionLine):
        return Subject.POSITION, line.instrument
    return Subject.BALANCE, line.currency


# --- what is legal --------------------------------------------------------------------


def ways(
    scene: Scene, line: Line, instruments: Instruments
) -> tuple[tuple[Resolution, str], ...]:
    """Return what can be made of a line, each with its word."""
    if not can_be_settled(line):
        return ()
    ignore = () if line.verdict is Verdict.IGNORED else ((R.IGNORE, "ignore"),)
    if isinstance(line, BalanceLine):
        word = "as put in" if line.difference > 0 else "as taken out"
        found = attributable(line, instruments, scene.header.currency)
        as_position = ((R.ATTRIBUTE, "as a position"),) if found else ()
        return ((R.ADOPT, word), *as_position, *ignore)
    given = ((R.ATTRIBUTE, "to a strategy"),) if takers(scene, line) else ()
    if isinstance(line, OrderLine):
        return ((R.ADOPT, "adopt"), *given, (R.CANCEL, "cancel"), *ignore)
    mine = _held(scene, OPERATOR, line.instrument) * line.quantity >= 0
    return (*(((R.ADOPT, "adopt"),) if mine else ()), *given, *ignore)


def attributable(
    line: BalanceLine, instruments: Instruments, currency: str
) -> tuple[Instrument, ...]:
    """Return the instruments in which a difference can be a position.

    Another quote than the account's, or what is not on the lot, could not be closed.
    """
    return tuple(
        each
        for each in instruments.values()
        if each.base == line.currency
        and each.quote == currency
        and each.is_on_lot(line.difference)
    )


def takers(scene: Scene, line: Line, instrument: str = "") -> tuple[str, ...]:
    """Return who can get what is attributed; an order or position: which strategies.

    A strategy that holds the other side, or has an entry already, has no use for an
    order; nor for a position of the other side.
    """
    name = instrument if isinstance(line, BalanceLine) else line.instrument
    rows = [
        row.strategy
        for row in scene.symbols or ()
        if row.instrument == name and row.state is not None
    ]
    if isinstance(line, BalanceLine):
        return (OPERATOR, *rows)
    sign = line.side.sign if isinstance(line, OrderLine) else line.quantity
    fitting = (each for each in rows if _held(scene, each, name) * sign >= 0)
    if isinstance(line, OrderLine):
        return tuple(each for each in fitting if not _opening(scene, each, name))
    return tuple(fitting)


def _opening(scene: Scene, owner: str, instrument: str) -> int:
    """Return how many orders of an owner may open a position, whoever made them."""
    return sum(
        1
        for row in scene.working(owner, instrument)
        if not row.order.reduce_only and not row.order.is_protection
    )


def _held(scene: Scene, owner: str, instrument: str) -> Decimal:
    rows = scene.held(owner, instrument)
    return sum((row.position.quantity for row in rows), ZERO)


# --- what happens ---------------------------------------------------------------------


def settle_sentence(
    scene: Scene, line: Line | None, chosen: Settlement, instruments: Instruments
) -> str:
    """Return what a settlement does to orders, positions and books, with numbers."""
    if line is None or not can_be_settled(line):
        return "There is nothing to settle here any more."
    if chosen.resolution is R.IGNORE and not chosen.reason:
        return "Changes nothing yet: to ignore something needs a reason."
    if isinstance(line, OrderLine):
        return _order(line, chosen, instruments)
    if isinstance(line, PositionLine):
        return _position(scene, line, chosen, instruments)
    return _BALANCE[chosen.resolution](scene, line, chosen, instruments)


def settle_verb(
    line: Line, chosen: Settlement, instruments: Instruments
) -> tuple[str, bool]:
    """Return the button's words, and whether it adds risk or takes something away."""
    resolution = chosen.resolution
    if isinstance(line, OrderLine):
        what, verb = "1 order", {R.CANCEL: "Cancel"}
        risky = resolution in (R.ATTRIBUTE, R.CANCEL)
    elif isinstance(line, PositionLine):
        digits = instruments[line.instrument].quantity_decimals
        size = quantity(line.quantity, digits, sign=True)
        what, verb = f"{size} {line.instrument}", {}
        risky = resolution is R.ATTRIBUTE
    else:
        name, change = line.currency, line.difference
        size = amount(abs(change), name, instruments, change)
        if resolution is R.ADOPT and change < 0:
            return f"Take {size} {name} off the books", True
        signed = amount(change, name, instruments, change, sign=True)
        what, verb = f"{signed} {name}", {R.ADOPT: "Book"}
        risky = resolution is R.ATTRIBUTE
    if resolution is R.ATTRIBUTE:
        return f"Give {what} to {chosen.owner}", risky
    words = {R.ADOPT: "Adopt", R.IGNORE: "Ignore", **verb}
    return f"{words[resolution]} {what}", risky


def _order(line: OrderLine, chosen: Settlement, instruments: Instruments) -> str:
    what = order_words(line, instruments)
    side = line.here or line.venue
    assert side is not None
    digits = instruments[line.instrument].quantity_decimals
    left = quantity(side.quantity - side.filled, digits)
    stays = ""
    if side.filled:
        stays = f" The {quantity(side.filled, digits)} it has filled stay external's."
    if chosen.resolution is R.CANCEL:
        return (
            f"Cancels {what}, at the venue. Nobody here knows what it was for: if it "
            f"protects something, that is unprotected then.{stays}"
        )
    if chosen.resolution is R.IGNORE:
        return (
            f"{what} stays external's and works on; it is no more to settle. What it "
            "fills is a position nobody here manages."
        )
    if chosen.resolution is R.ADOPT:
        return (
            f"{what} becomes the operator's, and so does what it still fills, {left}: "
            f"without a stop.{stays}"
        )
    return (
        f"{what} becomes the entry of {chosen.owner}: its row goes to InTrade, and "
        f"what is still filled, {left}, is managed by its script. No stop is held for "
        f"it until the script sets one.{stays}"
    )


def _position(
    scene: Scene, line: PositionLine, chosen: Settlement, instruments: Instruments
) -> str:
    one, name = instruments[line.instrument], line.instrument
    held = quantity(line.quantity, one.quantity_decimals, sign=True)
    what = f"{held} {name} @ {price(line.average_price, one.price_decimals)}"
    if chosen.resolution is R.IGNORE:
        return (
            f"{what} stays external's: nobody here manages or protects it. Once its "
            "size changes it is to settle again."
        )
    taker = OPERATOR if chosen.resolution is R.ADOPT else chosen.owner
    whose = "the operator's" if taker == OPERATOR else f"{taker}'s"
    had = _held(scene, taker, name)
    parts = [f"{what} becomes {whose}, at this entry price"]
    if had:
        total = quantity(had + line.quantity, one.quantity_decimals, sign=True)
        parts[0] += f": {total} in all"
    left = _opening(scene, EXTERNAL, name)
    if left:
        stay = "stays" if left == 1 else "stay"
        parts.append(
            f"{count(left, 'order')} made at the venue in it {stay} external's"
        )
    if scene.protection(taker, name):
        parts.append("What protects the position there protects all of it then")
    elif taker == OPERATOR:
        parts.append("No stop is held for it")
    else:
        parts.append(
            "Its row goes to InTrade and its script manages it; no stop is held for "
            "it until the script sets one"
        )
    return ". ".join(parts) + "."


def _adopt(
    scene: Scene, line: BalanceLine, chosen: Settlement, instruments: Instruments
) -> str:
    name, change = line.currency, line.difference
    size = amount(abs(change), name, instruments, change)
    before = amount(line.here, name, instruments, change)
    after = amount(line.here + change, name, instruments, change)
    if change > 0:
        said = f"Books {size} {name} as put in: {before} becomes {after}"
    else:
        said = f"Takes {size} {name} off the books, as taken out: {before} to {after}"
    if name == scene.header.currency:
        way = "rises" if change > 0 else "falls"
        worth = f"Equity {way} by {size}; it is no profit or loss of the day"
    else:
        worth = f"It is in no position: equity counts {scene.header.currency} alone"
    return f"{said}. {worth}."


def _as_position(
    scene: Scene, line: BalanceLine, chosen: Settlement, instruments: Instruments
) -> str:
    one = instruments.get(chosen.instrument)
    if one is None or chosen.price is None:
        return "Changes nothing yet: a position needs the price it is booked at."
    change, owner = line.difference, chosen.owner
    who = f"the {owner}" if owner == OPERATOR else owner
    size = quantity(abs(change), one.quantity_decimals)
    value = number(abs(change) * chosen.price, 2)
    at = price(chosen.price, max(one.price_decimals, decimals_of(chosen.price)))
    verb, paid = ("buys", "put in for it")
    if change < 0:
        verb, paid = ("sells", "taken out with it")
    had = _held(scene, owner, one.id)
    total = quantity(had + change, one.quantity_decimals, sign=True)
    said = (
        f"Books that {who} {verb} {size} {one.id} @ {at}, with {value} {one.quote} "
        f"{paid}; {who} then holds {total if had + change else 'nothing'}"
    )
    if had * change < 0:
        closed = quantity(min(abs(had), abs(change)), one.quantity_decimals)
        return f"{said}. That closes {closed} at this price; nothing is sent."
    adds = f"adds {value} {one.quote} of exposure"
    if scene.protection(owner, one.id):
        return f"{said}. It {adds}; what protects the position protects all of it."
    return f"{said}. It {adds}, and no stop is held for it."


def _ignore(
    scene: Scene, line: BalanceLine, chosen: Settlement, instruments: Instruments
) -> str:
    name, change = line.currency, line.difference
    here = amount(line.here, name, instruments, change)
    off = amount(change, name, instruments, change, sign=True)
    return (
        f"The books stay at {here} {name}, and the venue {off} off them: entries in "
        f"{name} are allowed again. Once the difference is another it is to settle "
        "again."
    )


_Words = Callable[[Scene, BalanceLine, Settlement, Instruments], str]
_BALANCE: Mapping[Resolution, _Words] = {
    R.ADOPT: _adopt,
    R.ATTRIBUTE: _as_position,
    R.IGNORE: _ignore,
}
