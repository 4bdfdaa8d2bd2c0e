"""What a journal holds: its tables, and the inputs that cannot be had again.

The writer and the reader of journals share it; it opens no file.
"""

from __future__ import annotations

from typing import cast

import msgspec

from workstation.model.commands import Command
from workstation.model.reports import Report
from workstation.strategy.inputs import Asked
from workstation.strategy.replies import ScriptAnswered

__all__ = [
    "COLUMNS",
    "DONE",
    "FAILED",
    "SUFFIX",
    "InputRow",
    "Interrupt",
    "as_journalled",
    "decode_input",
    "encode_input",
]

SUFFIX = ".sqlite"
COLUMNS = {
    "inputs": "seq, pulled, kind, blob",
    "records": "seq, ts, blob",
    "scripts": "strategy, hash, blob",
    "meta": "key, value",
}
"""The tables whose rows are proven, in this order of their columns."""
DONE = b"done"
"""The mark of ``end`` in the table of proofs, once the file was closed."""
FAILED = b"fail"
"""The same where rows of the run could not be written: more was done than it tells."""


class Interrupt(msgspec.Struct, frozen=True, tag="interrupt"):
    """A script call that ran over its budget was interrupted.

    ``asked`` are the indicators it had asked for by then; they stay.
    """

    strategy: str
    instrument: str
    line: int | None = None
    asked: tuple[Asked, ...] = ()


class InputRow(msgspec.Struct, frozen=True):
    """One journalled input; ``pulled`` source events had been read before it."""

    seq: int
    pulled: int
    value: Command | Interrupt | ScriptAnswered | Report


def as_journalled(command: Command) -> Command:
    """Return the command as a replay will read it: a whole number as a price too."""
    return cast(Command, decode_input(encode_input(command)))


encode_input = msgspec.msgpack.Encoder(decimal_format="string").encode
"""Return an input as it is kept."""
decode_input = msgspec.msgpack.Decoder(
    Command | Interrupt | ScriptAnswered | Report
).decode
"""Return an input that was kept; raises MsgspecError where it is none."""
