"""The ledger against fractions over the list of what happened, to the last digit.

Nothing here is shared with the ledger: the list is walked again from its first entry,
every mark is met when it comes, and each sum is a Fraction.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import NS, FakeMarket, quote
from workstation.execution.ledger import DAY_NS, Ledger
from workstation.execution.statements import Grouping, Statement
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import Fill, OrderRole

F = Fraction
GRAIN = 10**18
INITIAL = 1000
# A coarse one, and one whose products need more than the interpreter's 28 digits.
COARSE = Instrument(
    id="AAA",
    venue="test",
    symbol="AAA",
    base="A",
    quote="USDT",
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
)
FINE = Instrument(
    id="BBB",
    venue="test",
    symbol="BBB",
    base="B",
    # Equal to the account's currency, and yet a balance of its own.
    quote="USD",
    tick_size=Decimal("1e-12"),
    lot_size=Decimal("1e-12"),
)
SCALES = {"AAA": (F(1, 10), F(1, 1000)), "BBB": (F(1, 10**12), F(1, 10**12))}
QUOTES = {"AAA": "USDT", "BBB": "USD"}
BASES = {"AAA": "A", "BBB": "B"}
OWNERS = ("a", "b", "operator")


def to_grain(value: Fraction) -> Fraction:
    """The one rounding there is: to the eighteenth decimal, half to even."""
    return F(round(value * GRAIN), GRAIN)


def to_decimal(value: Fraction) -> Decimal:
    """Write a fraction of tens as a Decimal, by its digits."""
    digits, left = 0, value
    while left.denominator != 1:
        left *= 10
        digits += 1
    sign, number = (1, -left.numerator) if left < 0 else (0, left.numerator)
    return Decimal((sign, tuple(map(int, str(number))), -digits))


@st.composite
def fills(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(("AAA", "BBB")))
    tick, lot = SCALES[name]
    big = 10**17 if name == "BBB" else 20_000
    return {
        "what": "fill",
        "owner": draw(st.sampled_from(OWNERS)),
        "name": name,
        "signed": lot * draw(st.integers(-big, big).filter(bool)),
        "price": tick * draw(st.integers(1, big)),
        "fee": F(draw(st.integers(-(10**6), 5 * 10**6)), 10**8),
        "currency": draw(st.sampled_from(("USDT", "USD", "A", "B", "POINTS"))),
    }


@st.composite
def spot_fills(draw: st.DrawFn) -> dict[str, Any]:
    """Lots of one instrument with fees in what is traded, some finer than its lot."""
    lots = draw(st.integers(-4, 4).filter(bool))
    return {
        "what": "fill",
        "owner": draw(st.sampled_from(OWNERS)),
        "name": "AAA",
        "signed": F(lots, 1000),
        "price": F(draw(st.integers(990, 1010)), 10),
        "fee": F(abs(lots) * draw(st.integers(-10, 400)), 10**6),
        "currency": draw(st.sampled_from(("A", "A", "A", "USDT"))),
    }


@st.composite
def small_fills(draw: st.DrawFn) -> dict[str, Any]:
    """Few lots of one instrument, so that positions flatten, flip and divide oddly."""
    return {
        "what": "fill",
        "owner": draw(st.sampled_from(OWNERS)),
        "name": "AAA",
        "signed": F(draw(st.integers(-4, 4).filter(bool)), 1000),
        "price": F(draw(st.integers(990, 1010)), 10),
        "fee": F(draw(st.integers(-2, 5)), 1000),
        "currency": draw(st.sampled_from(("USDT", "A", "POINTS"))),
    }


GIFTS = st.fixed_dictionaries(
    {
        "what": st.just("gift"),
        "owner": st.sampled_from(OWNERS),
        "to": st.sampled_from(OWNERS),
        "name": st.sampled_from(("AAA", "AAA", "BBB")),
    }
)
MARKS = st.fixed_dictionaries(
    {
        "what": st.just("mark"),
        "name": st.sampled_from(("AAA", "AAA", "BBB")),
        # Quarters are exact as floats, and a mark is kept to half a tick of 0.1.
        "mark": st.integers(1, 800).map(lambda n: F(n, 4)),
    }
)
# Whole lots of what nobody could sell before are sold, at some price.
TIDYINGS = st.fixed_dictionaries(
    {
        "what": st.just("tidy"),
        "name": st.just("AAA"),
        "price": st.integers(990, 1010).map(lambda n: F(n, 10)),
        "fee": st.integers(0, 9).map(lambda n: F(n, 10**6)),
        "currency": st.sampled_from(("USDT", "A")),
    }
)
STORIES = st.lists(
    st.one_of(
        small_fills(), spot_fills(), spot_fills(), fills(), GIFTS, MARKS, TIDYINGS
    )
)


def at(number: int) -> int:
    """When the entry of this number happened: four of them in a day."""
    return 1 + number * DAY_NS // 4


class Recount:
    """What a list of entries comes to."""

    def __init__(self) -> None:
        self.cash = F(INITIAL)
        self.fees = F(0)
        self.held: dict[tuple[str, str], dict[str, Any]] = {}
        self.paid: dict[str, Fraction] = {}
        self.unvalued: dict[str, Fraction] = {}
        self.balances: dict[str, Fraction] = {"USDT": F(INITIAL)}
        self.marks: dict[str, Fraction] = {}
        self.trades: list[dict[str, Any]] = []
        self.booked: list[tuple[str, str, int, Fraction, Fraction, Fraction, int]] = []

    def of(self, owner: str, name: str) -> dict[str, Any]:
        flat = {"q": F(0), "cost": F(0), "avg": F(0), "realized": F(0), "fees": F(0)}
        return self.held.setdefault((owner, name), {**flat, "life": None})

    def mark(self, name: str, mark: Fraction) -> None:
        # A mark is known to half a tick: quarters of 0.1 round half to even.
        grid = SCALES[name][0] / 10
        self.marks[name] = mark = F(round(mark / grid)) * grid
        for (_, other), own in self.held.items():
            if other == name and own["life"] is not None:
                self.stand(own, mark)

    def stand(self, own: dict[str, Any], price: Fraction) -> None:
        life = own["life"]
        stood = life["pnl"] + price * own["q"] - own["cost"]
        life["mae"], life["mfe"] = min(life["mae"], stood), max(life["mfe"], stood)
        life["low"], life["high"] = min(life["low"], price), max(life["high"], price)

    def begin(self, own: dict[str, Any], price: Fraction, fee: Fraction) -> None:
        entered = abs(own["q"])
        marks = {"mae": F(0), "mfe": F(0), "low": price, "high": price}
        sums = {"in": entered, "paid": entered * price, "out": F(0), "got": F(0)}
        own["life"] = marks | sums | {"pnl": F(0), "fees": fee, "fills": 1}

    def fill(self, entry: dict[str, Any], ts: int) -> None:
        owner, name, price = entry["owner"], entry["name"], entry["price"]
        own, signed, fee = self.of(owner, name), entry["signed"], entry["fee"]
        currency, base = entry["currency"], BASES[name]
        self.paid[currency] = self.paid.get(currency, F(0)) + fee
        for asset, moved in (
            (base, signed),
            (QUOTES[name], -signed * price),
            (currency, -fee),
        ):
            self.balances[asset] = self.balances.get(asset, F(0)) + moved
        self.cash -= signed * price
        change = signed
        if currency == base:
            # What is left to hold is less, and no cash went for it.
            change -= fee
            fee *= price
        elif currency in ("USDT", QUOTES[name]):
            self.cash -= fee
        else:
            if fee:
                self.unvalued[currency] = self.unvalued.get(currency, F(0)) + fee
            fee = F(0)
        self.fees += fee
        own["fees"] += fee
        had, life = own["q"], own["life"]
        if life is not None:
            self.stand(own, price)
        rest, traded, left = F(0), had + signed, had + change
        # What a fee alone takes beyond zero is nobody's trade.
        crossed = had * traded >= 0 and had * left < 0
        little = had * change <= 0 and abs(left) < SCALES[name][1]
        if owner != "dust" and (crossed or little):
            # Too little to sell: somebody else takes it at the price of the fill.
            rest, change = left, -had
        gained = self.move(own, change, price)
        self.booked.append((owner, name, ts, gained, fee, abs(signed) * price, 1))
        if rest:
            taken = self.move(self.of("dust", name), rest, price)
            if taken:
                self.booked.append(("dust", name, ts, taken, F(0), F(0), 0))
        if owner == "dust":
            return
        if not had:
            if own["q"]:
                self.begin(own, price, fee)
        elif had * change >= 0:
            life["in"] += abs(change)
            life["paid"] += abs(change) * price
            life["fees"] += fee
            life["fills"] += 1
        else:
            closed = min(abs(change), abs(had))
            part = (
                fee if closed == abs(change) else to_grain(fee * closed / abs(change))
            )
            life["pnl"] += gained
            life["out"] += closed
            life["got"] += closed * price
            life["fees"] += part
            life["fills"] += 1
            if own["q"] * had <= 0:
                life |= {"owner": owner, "name": name, "long": had > 0, "ts": ts}
                self.trades.append(life)
                own["life"] = None
            if own["q"] * had < 0:
                self.begin(own, price, fee - part)

    def move(self, own: dict[str, Any], change: Fraction, price: Fraction) -> Fraction:
        """Change what is held at average cost; return what that realized."""
        had, gained = own["q"], F(0)
        own["q"] += change
        if not change:
            # Its fee took all that was bought: what is held cost what it had cost.
            return gained
        if had * change >= 0:
            own["cost"] += change * price
            own["avg"] = to_grain(own["cost"] / own["q"]) if own["q"] else F(0)
            return gained
        closed = min(abs(change), abs(had))
        gone = own["cost"]
        if closed < abs(had):
            gone = to_grain(own["cost"] * closed / abs(had))
        gained = price * closed * (1 if had > 0 else -1) - gone
        own["cost"] -= gone
        if own["q"] * had < 0:
            own["cost"], own["avg"] = own["q"] * price, price
        elif not own["q"]:
            own["avg"] = F(0)
        own["realized"] += gained
        return F(gained)

    def gift(self, owner: str, to: str, name: str) -> None:
        giver, taker = self.of(owner, name), self.of(to, name)
        if taker["q"]:
            taker["avg"] = to_grain(
                (taker["cost"] + giver["cost"]) / (taker["q"] + giver["q"])
            )
            for key in ("pnl", "mae", "mfe", "in", "paid", "out", "got", "fees"):
                taker["life"][key] += giver["life"][key]
            taker["life"]["fills"] += giver["life"]["fills"]
            for key, pick in (("low", min), ("high", max)):
                taker["life"][key] = pick(taker["life"][key], giver["life"][key])
        else:
            taker["avg"], taker["life"] = giver["avg"], giver["life"]
        taker["q"] += giver["q"]
        taker["cost"] += giver["cost"]
        giver |= {"q": F(0), "cost": F(0), "avg": F(0), "life": None}

    def may_give(self, entry: dict[str, Any]) -> bool:
        giver = self.of(entry["owner"], entry["name"])["q"]
        taker = self.of(entry["to"], entry["name"])["q"]
        return bool(giver) and entry["owner"] != entry["to"] and giver * taker >= 0

    def tidied(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the fill that closes the whole lots of dust; empty without any."""
        dust, lot = self.of("dust", entry["name"])["q"], SCALES[entry["name"]][1]
        lots = int(dust / lot)
        return {**entry, "owner": "dust", "signed": -lots * lot} if lots else {}

    def worth(self) -> Fraction:
        """Cash, and what is held at its mark; at cost where nothing was seen yet."""
        return self.cash + sum(
            (
                own["q"] * self.marks[name] if name in self.marks else own["cost"]
                for (_, name), own in self.held.items()
            ),
            F(0),
        )


def tell(story: list[dict[str, Any]]) -> tuple[Ledger, Recount]:
    """Tell both of them; the equity must be the cash and the marks all along."""
    market = FakeMarket((COARSE, FINE))
    book = Ledger("USDT", Decimal(INITIAL), (COARSE, FINE), market)
    count = Recount()
    for number, entry in enumerate(story):
        ts, what, name = at(number), entry["what"], entry["name"]
        if what == "mark":
            value = float(entry["mark"])
            market.see(quote(ts / NS, value, value, instrument=name))
            count.mark(name, entry["mark"])
        elif what == "gift":
            if count.may_give(entry):
                book.transfer(entry["owner"], entry["to"], name, ts)
                count.gift(entry["owner"], entry["to"], name)
        elif what == "fill" or (entry := count.tidied(entry)):
            book.apply(made(entry, ts))
            count.fill(entry, ts)
        account = book.account()
        assert F(account.equity) == count.worth()
        assert F(account.initial) + F(account.realized) - F(account.fees) + F(
            account.unrealized
        ) == F(account.equity)
    return book, count


def made(entry: dict[str, Any], ts: int) -> Fill:
    return Fill(
        order_id="o",
        trade_id="t",
        instrument=entry["name"],
        owner=entry["owner"],
        side=Side.BUY if entry["signed"] > 0 else Side.SELL,
        quantity=to_decimal(abs(entry["signed"])),
        price=to_decimal(entry["price"]),
        fee=to_decimal(entry["fee"]),
        fee_currency=entry["currency"],
        maker=False,
        ts=ts,
        role=OrderRole.ENTRY,
    )


@given(STORIES)
@settings(max_examples=300)
def test_positions_and_money_equal_a_recount_to_the_last_digit(
    story: list[dict[str, Any]],
) -> None:
    book, count = tell(story)
    for (owner, name), own in count.held.items():
        position = book.position(owner, name)
        assert F(position.quantity) == own["q"]
        assert F(position.cost) == own["cost"]
        assert F(position.average_price) == own["avg"]
        assert F(position.realized) == own["realized"]
        assert F(position.fees) == own["fees"]
    for name in ("AAA", "BBB"):
        net = sum((own["q"] for (_, n), own in count.held.items() if n == name), F(0))
        assert F(book.net(name)) == net
    account = book.account()
    assert F(account.realized) == sum(o["realized"] for o in count.held.values())
    assert F(account.fees) == count.fees
    assert {c: F(v) for c, v in book.fees.by_currency.items()} == count.paid
    assert {c: F(v) for c, v in book.fees.unvalued.items()} == count.unvalued


@given(STORIES)
@settings(max_examples=300)
def test_balances_equal_a_recount_by_currency(story: list[dict[str, Any]]) -> None:
    book, count = tell(story)
    assert {c: F(v) for c, v in book.balances().items()} == count.balances


@given(STORIES)
@settings(max_examples=300)
def test_all_owners_together_have_what_a_spot_account_has(
    story: list[dict[str, Any]],
) -> None:
    book, _ = tell(story)
    balances = book.balances()
    elsewhere = dict.fromkeys(BASES.values(), F(0))
    for entry in story:
        currency = entry.get("currency", "")
        if currency in elsewhere and currency != BASES[entry["name"]]:
            # A fee in what another instrument trades is in nobody's position.
            elsewhere[currency] += entry["fee"]
    for name, base in BASES.items():
        held = [p for p in book.positions() if p.instrument == name]
        whole = sum((F(p.quantity) for p in held), F(0))
        assert whole == F(book.net(name))
        assert whole - elsewhere[base] == F(balances.get(base, Decimal(0)))
        for position in held:
            size = abs(F(position.quantity))
            assert position.owner == "dust" or not 0 < size < SCALES[name][1]
            sold = F(book.closable(position.owner, name))
            assert sold % SCALES[name][1] == 0
            assert 0 <= size - sold < SCALES[name][1]
    owners = {position.owner for position in book.open_positions()}
    assert "dust" not in owners


@given(STORIES)
@settings(max_examples=300)
def test_trades_equal_a_recount_that_meets_every_mark(
    story: list[dict[str, Any]],
) -> None:
    book, count = tell(story)
    assert book.closed == len(book.trades) == len(count.trades)
    for number, (trade, life) in enumerate(
        zip(book.trades, count.trades, strict=True), start=1
    ):
        assert (trade.number, trade.owner, trade.instrument, trade.closed_ns) == (
            number,
            life["owner"],
            life["name"],
            life["ts"],
        )
        assert (trade.side is Side.BUY) == life["long"]
        assert F(trade.quantity) == life["out"] == life["in"]
        assert F(trade.entry) == to_grain(life["paid"] / life["in"])
        assert F(trade.exit) == to_grain(life["got"] / life["out"])
        assert (F(trade.pnl), F(trade.fees)) == (life["pnl"], life["fees"])
        assert (F(trade.mae), F(trade.mfe)) == (life["mae"], life["mfe"])
        assert (F(trade.lowest), F(trade.highest)) == (life["low"], life["high"])
        assert trade.fills == life["fills"]
        assert trade.mae <= 0
        assert trade.mae <= trade.pnl
        assert trade.mfe >= 0
        assert trade.mfe >= trade.pnl


@given(STORIES)
def test_statements_equal_a_recount_by_each_grouping(
    story: list[dict[str, Any]],
) -> None:
    book, count = tell(story)

    def keys(owner: str, name: str, ts: int) -> dict[Grouping, str]:
        return {
            Grouping.STRATEGY: owner,
            Grouping.SYMBOL: name,
            Grouping.DAY: str(ts - ts % DAY_NS),
        }

    for grouping in Grouping:
        sums: dict[str, list[Any]] = {}
        for owner, name, ts, gained, fee, turnover, number in count.booked:
            booked = sums.setdefault(
                keys(owner, name, ts)[grouping], [0, F(0), F(0), 0]
            )
            booked[0] += number
            booked[1] += gained
            booked[2] += fee
            booked[3] += turnover
        found = {
            line.key: [line.fills, F(line.realized), F(line.fees), F(line.turnover)]
            for line in book.statements.by(grouping)
        }
        assert found == sums
        for line in book.statements.by(grouping):
            ended = [
                life["pnl"] - life["fees"]
                for life in count.trades
                if keys(life["owner"], life["name"], life["ts"])[grouping] == line.key
            ]
            assert line.trades == len(ended)
            assert line.won == sum(net > 0 for net in ended)
            assert line.lost == sum(net < 0 for net in ended)
        assert whole(book.statements.by(grouping)) == whole([book.statements.total()])
    assert book.statements.total().realized == book.realized
    assert book.statements.total().fees == book.fees.total


def whole(lines: list[Statement]) -> list[Fraction]:
    return [
        sum((F(getattr(line, name)) for line in lines), F(0))
        for name in ("fills", "turnover", "realized", "fees", "trades", "won", "lost")
    ]
