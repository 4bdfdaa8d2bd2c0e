"""Hashes: equal for equal records and state, different for any other."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from workstation.engine.hashing import DecisionHash, digest_of, encode
from workstation.model.records import NoteRecord

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=5)


def _hash(texts: list[str]) -> DecisionHash:
    made = DecisionHash()
    for seq, text in enumerate(texts):
        made.update(
            encode(NoteRecord(seq=seq, ts=0, strategy="s", instrument="i", text=text))
        )
    return made


@given(TEXTS, TEXTS)
def test_equal_records_give_equal_hashes_and_no_others_do(
    one: list[str], other: list[str]
) -> None:
    same = _hash(one).state_hash([]) == _hash(other).state_hash([])
    assert same is (one == other)


def test_reading_the_hash_does_not_change_it() -> None:
    made = _hash(["a"])
    first = made.digest()
    assert made.digest() == first
    assert made.state_hash(["x"]) != made.state_hash(["y"])
    made.update(b"more")
    assert made.digest() != first


def test_a_tick_of_money_and_a_last_digit_of_a_float_are_told_apart() -> None:
    assert digest_of(Decimal("1.10")) != digest_of(Decimal("1.11"))
    assert digest_of(0.1 + 0.2) != digest_of(0.3)
    assert digest_of([1, [2]]) != digest_of([[1], 2])
    assert digest_of(1) != digest_of(1.0)


def test_the_canonical_form_is_pinned() -> None:
    record = NoteRecord(seq=1, ts=2, strategy="s", instrument="i", text="ä")
    assert digest_of(record).hex() == digest_of(record).hex()
    assert encode(record) == (
        b"\x86\xa4type\xa4note\xa3seq\x01\xa2ts\x02\xa8strategy\xa1s"
        b"\xaainstrument\xa1i\xa4text\xa2\xc3\xa4"
    )
