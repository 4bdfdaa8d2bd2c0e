"""The paper account: exact to the last digit, as the ledger is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.execution.fakes import BTC, FakeMarket
from workstation.execution.ledger import Ledger
from workstation.model.fees import VenueFees
from workstation.model.instruments import Side
from workstation.model.orders import Fill, OrderRole
from workstation.venues.paper.account import Account

D = Decimal
CASH = D("1000000.123456789")
# As fine as crypto is quoted at Alpaca, with a fee of as many decimals.
FINE = st.decimals("0.000000001", "99999", places=9)
FEES = VenueFees(D("0.000151234567"), D("0.000457512345"))


@given(st.lists(st.tuples(st.sampled_from(Side), FINE, FINE, st.booleans())))
def test_balances_are_what_the_ledger_says_whatever_the_digits(
    trades: Sequence[tuple[Side, Decimal, Decimal, bool]],
) -> None:
    ledger = Ledger("USDT", CASH, (BTC,), FakeMarket())
    account = Account({"USDT": CASH}, {BTC.id: BTC}, {BTC.id: FEES}, lambda *_: D(1))
    for number, (side, quantity, price, maker) in enumerate(trades):
        fee = account.settle(BTC.id, side, quantity, price, maker=maker)
        ledger.apply(
            Fill(
                order_id="o",
                trade_id=str(number),
                instrument=BTC.id,
                owner="s",
                side=side,
                quantity=quantity,
                price=price,
                fee=fee,
                fee_currency=BTC.quote,
                maker=maker,
                ts=number,
                role=OrderRole.ENTRY,
            )
        )
    held = ledger.balances()
    for currency, amount in account.balances.items():
        assert amount == held.get(currency, D(0)), currency
