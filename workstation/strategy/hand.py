"""The operator's hand on the rows of a strategy: override, lock, hand back, parameters.

Called by the strategy for a command between inputs. It moves rows by the table and
never touches an order: what orders do is done before.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.model.commands import HandBack, Override, SetParams
from workstation.model.errors import CommandRefused, ScriptError
from workstation.model.ports import Core
from workstation.model.records import ParamsRecord
from workstation.model.states import SymbolState
from workstation.strategy.machine import Trigger
from workstation.strategy.row import OVERRIDE, Row
from workstation.strategy.script import Script

__all__ = ["OVERRIDES", "OperatorHand"]

OVERRIDES = {
    SymbolState.WATCH: Trigger.OVERRIDE_WATCH,
    SymbolState.CLOSE_WATCH: Trigger.OVERRIDE_CLOSE_WATCH,
    SymbolState.IN_TRADE: Trigger.OVERRIDE_IN_TRADE,
}


class OperatorHand:
    """Moves and locks rows on the operator's word."""

    def __init__(self, name: str, script: Script, rows: Mapping[str, Row]) -> None:
        self._name = name
        self._script = script
        self._rows = rows
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def take_version(self, script: Script) -> None:
        """Judge parameters by another version from now on."""
        self._script = script

    def override(self, command: Override) -> None:
        """Set the state, and the lock if asked; what orders do is done before.

        Whether it can be is said before, by the plan of the override.
        """
        row = self.row(command.instrument)
        core, who = self._core, command.origin
        reason = f"override: {command.reason}"
        until_ns = command.expires_ns
        if command.lock != row.locked or until_ns != row.lock_until_ns:
            row.lock.set(core, command.lock, until_ns, command.reason, who)
        if row.state is command.state:
            return
        if command.state is SymbolState.IN_TRADE:
            row.adopted_seq = core.seq
        row.move(core, OVERRIDES[command.state], reason, who)
        if row.state is SymbolState.IN_TRADE and command.state is SymbolState.WATCH:
            # Leaves by its fills: the machine says InTrade while a position is held.
            row.override = who, reason
        elif row.state is SymbolState.CLOSE_WATCH:
            # What the script reads there, as of its own making.
            row.context["opportunity"] = {"signal": OVERRIDE, "reason": reason}
            row.answer = reason

    def hand_back(self, command: HandBack) -> None:
        """End a row's manual lock."""
        row = self.row(command.instrument)
        if not row.locked:
            raise CommandRefused(f"{row.strategy} {row.instrument.id} is not locked")
        reason = command.reason or "handed back"
        row.lock.set(self._core, False, None, reason, command.origin)

    def set_params(self, command: SetParams) -> str:
        """Give one row, or all, other parameters; return what changed in a sentence.

        Raises CommandRefused with the script's own words, or where nothing changes.
        Nothing is changed unless all of it can be.
        """
        if command.instrument is None:
            rows = list(self._rows.values())
        else:
            rows = [self.row(command.instrument)]
        wanted = []
        for row in rows:
            try:
                after = self._script.resolve({**row.market.params, **command.values})
            except ScriptError as error:
                raise CommandRefused(str(error)) from error
            changed = [n for n, v in after.items() if v != row.market.params[n]]
            if changed:
                wanted.append((row, after, changed))
        if not wanted:
            raise CommandRefused(f"{self._name} has these parameters already")
        core = self._core
        for row, after, changed in wanted:
            before = row.market.params
            row.market.params = after
            core.record(
                ParamsRecord(
                    seq=core.seq,
                    ts=core.ts,
                    strategy=row.strategy,
                    instrument=row.instrument.id,
                    before={name: before[name] for name in changed},
                    after={name: after[name] for name in changed},
                    who=command.origin,
                    reason=command.reason,
                )
            )
        names = dict.fromkeys(name for _, _, changed in wanted for name in changed)
        given = ", ".join(f"{name} {command.values[name]}" for name in names)
        where = ", ".join(row.instrument.id for row, _, _ in wanted)
        return f"{self._name} uses {given} in {where} from its next call on"

    def row(self, instrument: str) -> Row:
        """Return a row; raises CommandRefused with those there are."""
        row = self._rows.get(instrument)
        if row is None:
            raise CommandRefused(
                f"{self._name} has no row {instrument}; it has: {', '.join(self._rows)}"
            )
        return row
