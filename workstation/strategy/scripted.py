"""A strategy driven by a user's script: its rows, and when they are asked.

A ``model.Strategy``. ``Questions`` asks the script at bars and events, ``Following``
moves rows by orders and fills, not wishes, and ``OperatorHand`` does what the operator
wants. It sees orders and the ledger only through the views it is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from workstation.model.commands import HandBack, Override, SetParams
from workstation.model.errors import CommandRefused, ScriptError
from workstation.model.events import (
    AskDue,
    BarClosed,
    DataBroke,
    Killed,
    OrderDenied,
    OrderUpdated,
    PositionChanged,
)
from workstation.model.instruments import Instrument
from workstation.model.ports import (
    Core,
    FollowedMarketView,
    InstrumentView,
    OrdersView,
    PositionView,
)
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_MS, Timeframe
from workstation.strategy.following import Following
from workstation.strategy.hand import OperatorHand
from workstation.strategy.host import PENDING, DistantHost, ScriptHost
from workstation.strategy.inputs import Indicators, Market
from workstation.strategy.machine import Trigger
from workstation.strategy.question import Function
from workstation.strategy.questions import Questions
from workstation.strategy.replies import ScriptAnswered, ScriptReply
from workstation.strategy.row import OPERATOR, Row
from workstation.strategy.script import ParamValue, Script
from workstation.strategy.settings import StrategySettings
from workstation.strategy.tally import Stop

__all__ = ["ScriptedStrategy", "WithheldCall"]

WithheldCall = str
"""The instrument whose call was withheld."""


class ScriptedStrategy:
    """One script on its rows.

    ``follows`` is what it hears also when stopped or failed: its rows must say what
    the ledger holds, whoever closes it. ``withheld`` are the rows that a step would ask
    next, oldest first: each once, for a script can only be asked about the newest bar.
    """

    follows = (
        OrderUpdated,
        OrderDenied,
        PositionChanged,
        DataBroke,
        Killed,
        ScriptAnswered,
        ScriptReply,
    )

    def __init__(
        self,
        settings: StrategySettings,
        script: Script,
        host: ScriptHost,
        instruments: Sequence[Instrument],
        market: FollowedMarketView,
        positions: PositionView,
        orders: OrdersView,
        order_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self.name = settings.name
        self.settings = settings
        self.script = script
        self.timeframe = Timeframe.parse(settings.timeframe)
        self.params = script.resolve(settings.params)
        self.paused = False
        self.stopped = False
        self.withheld: deque[WithheldCall] = deque()
        self.lost = 0
        """Withheld calls that were never made: a newer bar came, or the pause ended."""
        self.rows: dict[str, Row] = {}
        self.host = host
        # Replies of rows that were asked together, in the order of asking.
        self._outcomes: dict[str, tuple[ScriptReply, object]] = {}
        self._market = market
        self._followed: dict[str, Callable[[], None]] = {}
        self._questions = Questions(settings, script.name, host, positions)
        self._hand = OperatorHand(self.name, script, self.rows)
        self._following = Following(self.name, self.rows)
        self.subscriptions: tuple[type, ...] = tuple(self.handlers())
        self._core: Core
        # The row that was stepped, and the input in which that was done.
        self._stepped: tuple[Row, int] | None = None
        follow = self._follow
        for instrument in instruments:
            inputs = Market(
                instrument.symbol,
                market.instrument(instrument.id),
                market.bars(instrument.id, self.timeframe),
            )
            given = settings.params_of(instrument.id, instrument.symbol)
            inputs.params = script.resolve(given)
            row = self.rows[instrument.id] = Row(
                settings,
                instrument,
                inputs,
                Indicators(market, instrument.id, self.timeframe, order_of),
                positions,
                orders,
            )
            row.moved = follow

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self._questions.attach(core)
        self._hand.attach(core)
        self._following.attach(core)
        for row in self.rows.values():
            self._follow(row)

    @property
    def calls(self) -> int:
        """Return how often the script was called."""
        return self._questions.calls

    @property
    def waits(self) -> bool:
        """Tell whether a row waits for an answer of the script."""
        return any(row.asked is not None for row in self.rows.values())

    @property
    def stepping(self) -> bool:
        """Tell whether the entry that a step asked for is just being handled."""
        if self._stepped is None:
            return False
        row, seq = self._stepped
        # What the step emits is dispatched within its input, and nothing else is.
        return seq == self._core.seq and row.committing

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each event type."""
        return {
            BarClosed: self._on_bar,
            **self._following.handlers(),
            ScriptAnswered: self._on_answered,
            ScriptReply: self._on_reply,
            AskDue: self._on_ask_due,
        }

    def handle_event(self, event: object) -> None:
        """Take one event of a subscribed type."""
        self.handlers()[type(event)](event)

    def digest(self) -> object:
        """Return the canonical state of all rows."""
        return [
            self.name,
            self.script.hash,
            list(self.params.items()),
            [row.digest() for row in self.rows.values()],
        ]

    def take_answer(self, instrument: str, function: Function, answer: object) -> None:
        """Apply the answer of a host that let it wait; an error of it is raised.

        ``answer`` is a plain value or a ScriptError. It is dropped where the row, or
        the strategy, has gone on meanwhile: the script would decide on what was.
        """
        row = self.rows[instrument]
        gone = ""
        if self.stopped:
            gone = "the strategy has stopped"
        elif self.paused and not self.stepping:
            gone = "the strategy is paused"
        elif row.locked:
            gone = "the row is locked in manual"
        self._questions.apply(row, function, answer, gone)

    def _on_answered(self, event: ScriptAnswered) -> None:
        """Apply answers once none of those asked together is missing.

        A row whose script turned out to need more is asked again, and those behind it
        wait: rows decide in the order in which they were asked, whatever they need.
        """
        if event.strategy != self.name:
            return
        # Nobody else answers so; to ask the protocol would cost 7 µs each time.
        host = cast(DistantHost, self.host)
        for reply in event.replies:
            outcome = host.take(self.rows[reply.instrument], reply)
            self._outcomes[reply.instrument] = (reply, outcome)
        if event.fault:
            self._outcomes.clear()
            for row in self.rows.values():
                if row.asked is not None:
                    row.asked = None
                    row.answer = f"script error: {event.fault}"
            raise ScriptError(self.script.name, event.fault)
        if all(outcome is not PENDING for _, outcome in self._outcomes.values()):
            for reply, _ in self._outcomes.values():
                self._core.emit(reply)

    def _on_reply(self, reply: ScriptReply) -> None:
        """Apply one row's answer by itself: an error must not hide the next."""
        if reply.strategy == self.name:
            _, outcome = self._outcomes.pop(reply.instrument)
            self.take_answer(reply.instrument, reply.function, outcome)

    def check_version(self, script: Script) -> dict[str, dict[str, ParamValue]]:
        """Return the parameters of every row under another version of the script.

        What was set stays set, what had its default follows the new one. Raises
        ScriptError where a parameter that is set is not declared any more, or may not
        have that value.
        """
        return {
            name: script.resolve(self.set_params_of(row))
            for name, row in self.rows.items()
        }

    def set_params_of(self, row: Row) -> dict[str, ParamValue]:
        """Return the parameters of a row that the config or the operator has set."""
        return self._set(row.market.params, self._given(row))

    def _given(self, row: Row) -> dict[str, ParamValue]:
        """Return what the config gives a row."""
        instrument = row.instrument
        return self.settings.params_of(instrument.id, instrument.symbol)

    def _set(
        self, params: Mapping[str, ParamValue], given: Mapping[str, ParamValue]
    ) -> dict[str, ParamValue]:
        """Return what the config gives and what has another value than its default."""
        if self.script.failure:
            # Nobody knows its defaults: what stands there may be another row's.
            began = self.script.resolve(given)
            changed = {k: value for k, value in params.items() if value != began[k]}
            return {**given, **changed}
        defaults = {spec.name: spec.default for spec in self.script.params}
        return {
            k: value
            for k, value in params.items()
            if k in given or value != defaults[k]
        }

    def take_version(self, script: Script, host: ScriptHost) -> None:
        """Go on with another version: contexts, states and orders are untouched.

        Called between inputs, when no row waits for an answer. Raises ScriptError,
        having changed nothing.
        """
        params = self.check_version(script)
        given = self.settings.params
        self.params = script.resolve(self._set(self.params, given))
        self.script = script
        self.host = host
        self._questions.take_version(script.name, host)
        self._hand.take_version(script)
        for name, row in self.rows.items():
            row.market.params = params[name]

    # The operator's hand.

    def step(self) -> WithheldCall:
        """Make the oldest withheld call and return its row's instrument.

        Raises CommandRefused when there is none, or the strategy has stopped.
        """
        if self.stopped:
            raise CommandRefused(f"{self.name} has stopped; restart it first")
        if not self.withheld:
            raise CommandRefused(
                f"{self.name} has no withheld call; it is asked at the close of each "
                f"{self.settings.timeframe} bar"
            )
        instrument = self.withheld.popleft()
        row = self.rows[instrument]
        self._stepped = row, self._core.seq
        self._questions.ask(row)
        return instrument

    def drop_undue(self) -> None:
        """Forget the oldest withheld calls whose rows have gone on since."""
        rows, withheld = self.rows, self.withheld
        while withheld and self._questions.due(rows[withheld[0]]) is None:
            withheld.popleft()
            self.lost += 1

    def drop_withheld(self) -> None:
        """Forget the withheld calls and count them as lost."""
        self.lost += len(self.withheld)
        self.withheld.clear()

    def row(self, instrument: str) -> Row:
        """Return a row; raises CommandRefused with those there are."""
        return self._hand.row(instrument)

    def override(self, command: Override) -> None:
        """Set the state, and the lock if asked; what orders do is done before."""
        self._hand.override(command)
        if command.lock and command.instrument in self.withheld:
            # The script is not asked about it, stepped or not.
            self.withheld.remove(command.instrument)

    def hand_back(self, command: HandBack) -> None:
        """End a row's manual lock."""
        self._hand.hand_back(command)

    def set_params(self, command: SetParams) -> str:
        """Give one row, or all, other parameters; raises CommandRefused."""
        return self._hand.set_params(command)

    def is_locked(self, instrument: str) -> bool:
        """Tell whether the row is locked in manual."""
        row = self.rows.get(instrument)
        return row is not None and row.locked

    def reset(self) -> None:
        """Forget the scripts' contexts and withheld calls; states follow the ledger.

        Called when no row waits for an answer, which would bring its context along.
        What was watched closely goes with the context: the script would not know why.
        """
        self.drop_withheld()
        for row in self.rows.values():
            row.context.clear()
            if row.state is SymbolState.CLOSE_WATCH:
                row.move(self._core, Trigger.CANCEL, "restarted", OPERATOR)

    # Events.

    def _on_bar(self, event: BarClosed) -> None:
        bar = event.bar
        if bar.timeframe != self.timeframe:
            return
        row = self.rows.get(event.instrument)
        if row is None:
            return
        row.bar = bar
        row.bars_seen += 1
        if self.stopped:
            row.tally.count(Stop.STOPPED)
        elif row.locked:
            row.tally.count(Stop.LOCKED)
            row.answer = "locked in manual"
        elif self.paused:
            row.tally.count(Stop.PAUSED)
            if self._questions.due(row) is not None:
                self._withhold(event.instrument)
        else:
            self._questions.ask(row)

    def _withhold(self, instrument: str) -> None:
        if instrument in self.withheld:
            self.lost += 1
        else:
            self.withheld.append(instrument)

    def _on_ask_due(self, event: AskDue) -> None:
        if event.strategy == self.name:
            row = self.rows[event.instrument]
            if self._may_be_asked(row):
                self._questions.ask(row, at_bar=False)

    def _may_be_asked(self, row: Row) -> bool:
        return not (self.stopped or self.paused or row.locked)

    def _follow(self, row: Row) -> None:
        """Hear of every tick of the row while its state asks for it."""
        name = row.instrument.id
        wanted = self.settings.ask.occasion(row.state) == "event"
        if wanted and name not in self._followed:
            self._followed[name] = self._market.follow(name, partial(self._tick, row))
        elif not wanted and name in self._followed:
            self._followed.pop(name)()

    def _tick(self, row: Row, view: InstrumentView, _: object) -> None:
        # Called on the hot path, before held stops are looked at: the script is asked
        # after that, in the event this emits.
        ts = view.ts_recv
        if ts < row.event_due_ns or not self._may_be_asked(row):
            return
        row.event_due_ns = ts + self.settings.ask.event_ms * NS_PER_MS
        self._core.emit(AskDue(self.name, row.instrument.id))
