"""What crosses between the core's side and a Lua worker: messages and their bounds.

Both processes import this, so it must stay as light as the worker: msgspec and the
standard library only. ``frames.py`` makes bytes of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "API_STRINGS",
    "FARTHEST",
    "FUNCTIONS",
    "LONGEST_STRING",
    "LONGEST_TEXT",
    "MARKET_FIELDS",
    "MAX_ARGUMENTS",
    "MAX_BATCH",
    "MAX_KEYS",
    "MAX_MESSAGE",
    "MAX_NEEDS",
    "MAX_NOTES",
    "MAX_NOTE_PARTS",
    "MAX_PLOTS",
    "MAX_SOURCE",
    "MAX_STRINGS",
    "NEED_KINDS",
    "Answer",
    "Answers",
    "Ask",
    "Budget",
    "ConfinementReport",
    "Failed",
    "FailureKind",
    "Flat",
    "FromWorker",
    "Load",
    "LoadFailed",
    "Loaded",
    "Need",
    "NeedKind",
    "NeedValue",
    "Needs",
    "Param",
    "Question",
    "Scalar",
    "ToWorker",
    "Versions",
]

MAX_SOURCE = 256 * 1024
"""Bytes of a script."""
MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message, in either direction: what a worker may make the core hold."""
MAX_STRINGS = 8192
"""Different texts that may cross, those of the API included."""
LONGEST_STRING = 64
"""Characters of a text that may cross after the load."""
LONGEST_TEXT = 300
"""Characters of an error message or a parameter's help."""
MAX_KEYS = 64
"""Keys of a context, an answer, an opportunity or a script's parameters."""
MAX_NEEDS = 64
"""Values that one row may ask for."""
MAX_BATCH = 16
"""Questions of one message. With full tables of the longest texts, of four bytes each
character, one has 130 kB and its answer 90 kB: half of what a message may hold."""
FARTHEST = 1_000_000
"""Bars that a window may span, and bars that it, or a close, may lie back."""
MAX_ARGUMENTS = 8
"""Arguments of one need, by place and again by name."""
MAX_NOTES = 5
"""Lines that a call may log; more are left out, as from a Python script."""
MAX_NOTE_PARTS = 16
MAX_PLOTS = 16
"""Different names that a call may plot."""

FUNCTIONS = ("detect_opportunity", "filter_commitment", "manage_position")
"""What a script defines, in the order of ``Question.function``."""

MARKET_FIELDS = (
    "now",
    "timestamp",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "mid_price",
    "spread_bps",
    "position",
    "entry_price",
    "stop",
    "target",
    "orders",
    "bars",
    "previous_timestamp",
    "previous_open",
    "previous_high",
    "previous_low",
    "previous_close",
    "previous_volume",
)
"""The order of ``Question.market``; without ``previous_timestamp`` there is no
``market.previous``."""


class NeedKind(StrEnum):
    """What a script may ask for whose value depends on arguments."""

    INDICATOR = "indicator"
    FIGURE = "figure"
    CLOSES = "closes"
    HIGHEST = "highest"
    LOWEST = "lowest"
    AVERAGE_VOLUME = "average_volume"
    IMBALANCE = "imbalance"


NEED_KINDS = tuple(NeedKind)
"""Kinds by the number they have inside the VM."""

API_STRINGS = tuple(
    dict.fromkeys(
        (
            *FUNCTIONS,
            *MARKET_FIELDS,
            *NEED_KINDS,
            "action",
            "enter_long",
            "enter_short",
            "exit",
            "update_stop_loss",
            "update_take_profit",
            "cancel_analysis",
            "quantity",
            "price",
            "trailing_bps",
            "reason",
            "signal",
            "opportunity",
            "override",
            "symbol",
            "params",
            "previous",
            "figures",
            "back",
            "nil",
            "true",
            "false",
        )
    )
)
"""Texts that may cross without standing in the script."""

Int64: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Short: TypeAlias = Annotated[str, Meta(max_length=LONGEST_STRING)]
Text: TypeAlias = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Scalar: TypeAlias = bool | Int64 | float | Short
Flat: TypeAlias = Annotated[dict[Short, Scalar], Meta(max_length=MAX_KEYS)]
Argument: TypeAlias = Int64 | float | Short
NeedValue: TypeAlias = tuple[float | None, ...]
"""One value per output of what was asked for; None where there is none yet."""


class Need(Struct, frozen=True):
    """One thing a script asked for; equal needs have equal values at one time.

    ``closes`` has (back,), ``highest``, ``lowest`` and ``average_volume`` (n, back),
    ``imbalance`` (n,), with n from 1 and back from 0, both to FARTHEST; an indicator
    its parameters by place, then by name in the order of the names, ``back`` among
    them.
    """

    kind: NeedKind
    name: Short = ""
    args: Annotated[tuple[Argument, ...], Meta(max_length=MAX_ARGUMENTS)] = ()
    named: Annotated[
        tuple[tuple[Short, Argument], ...], Meta(max_length=MAX_ARGUMENTS)
    ] = ()


class Budget(Struct, frozen=True, kw_only=True):
    """What one call may use before it is ended."""

    instructions: Annotated[int, Meta(ge=1_000, le=10**12)] = 20_000_000
    """VM instructions of a call; counted in steps of 200."""
    cpu_s: Annotated[float, Meta(gt=0, le=3600)] = 0.25
    """CPU time of a call in seconds; of no effect in driven runs."""
    memory: Annotated[int, Meta(ge=1 << 20, le=48 << 20)] = 16 << 20
    """Bytes that the VM may hold."""


class Load(Struct, frozen=True, kw_only=True, tag="load"):
    """Load a script; the first message to a worker."""

    name: str
    source: str
    seed: Int64
    """Of ``math.random``, with the row and the number of its call."""
    driven: bool
    """Whether calls are ended by instruction counts alone."""
    strings: tuple[str, ...] = ()
    """Further texts that may cross: symbols, text parameters, handed-over contexts."""
    indicators: tuple[Short, ...] = ()
    figures: tuple[Short, ...] = ()
    budget: Budget = Budget()


class Question(Struct, frozen=True, kw_only=True):
    """One call of a script's function for one row."""

    row: Count
    """The row's number: the same in every run, for ``math.random`` depends on it."""
    call: Count
    """The number of this row's call; the same again when asked with more needs."""
    function: Annotated[int, Meta(ge=0, lt=len(FUNCTIONS))]
    symbol: Short
    market: Annotated[
        tuple[Int64 | float | None, ...],
        Meta(min_length=len(MARKET_FIELDS), max_length=len(MARKET_FIELDS)),
    ]
    """Values in the order of MARKET_FIELDS; prices as floats, times in ns."""
    params: Flat = {}
    context: Flat = {}
    opportunity: Flat | None = None
    """What ``context.opportunity`` shows: a copy, not read back, nor in ``context``."""
    needs: Annotated[
        tuple[tuple[Need, NeedValue], ...], Meta(max_length=MAX_NEEDS)
    ] = ()


class Ask(Struct, frozen=True, tag="ask"):
    """Some questions, to be answered in one message and in this order."""

    questions: Annotated[tuple[Question, ...], Meta(max_length=MAX_BATCH)]
    first: bool = True
    """Whether these begin a post: three overruns in one post end the rest of it."""


ToWorker: TypeAlias = Load | Ask


class ConfinementReport(Struct, frozen=True, kw_only=True):
    """What a worker has given up before it loads a script."""

    no_new_privs: bool = False
    parent_death_signal: bool = False
    not_dumpable: bool = False
    address_space: bool = False
    limits: tuple[Short, ...] = ()
    """Which of nofile, fsize, nproc and core are zero, and bind this user."""
    landlock_abi: int = 0
    """0 where the kernel has no Landlock."""
    missing: tuple[Text, ...] = ()

    def line(self) -> str:
        """Return one line for the screen."""
        parts = ["process"]
        if self.limits or self.address_space:
            parts.append("rlimits")
        if self.landlock_abi:
            parts.append(f"landlock ABI {self.landlock_abi}")
        missing = f"; missing: {', '.join(self.missing)}" if self.missing else ""
        return ", ".join(parts) + missing


class Versions(Struct, frozen=True):
    """What runs the script."""

    lua: Short
    lupa: Short
    python: Short


class Param(Struct, frozen=True):
    """One parameter of the script's PARAMS; ``10`` is an int, ``10.0`` a float."""

    name: Short
    default: bool | Int64 | float | Short
    minimum: Int64 | float | None = None
    maximum: Int64 | float | None = None
    help: Text = ""


class Loaded(Struct, frozen=True, kw_only=True, tag="loaded"):
    """The script is ready for questions."""

    params: Annotated[tuple[Param, ...], Meta(max_length=MAX_KEYS)]
    """In the order of their names: a Lua table has none of its own."""
    functions: Annotated[dict[Short, Count], Meta(max_length=len(FUNCTIONS))]
    """The line at which each of FUNCTIONS begins."""
    strings: Annotated[tuple[Short, ...], Meta(max_length=MAX_STRINGS)]
    """Every text that may cross from now on."""
    confinement: ConfinementReport
    versions: Versions


class FailureKind(StrEnum):
    """Why a call or a load did not end well."""

    SCRIPT = "script"
    """An error of the script: raised, or a wrong answer or context."""
    BUDGET = "budget"
    """Too many instructions; the VM was made anew."""
    TIME = "time"
    """Too much CPU time; the VM was made anew."""
    MEMORY = "memory"
    """Too much memory; the VM was made anew."""
    SKIPPED = "skipped"
    """Not called: others of the same post ran over their budgets."""
    QUESTION = "question"
    """The question itself was wrong, such as a text that may not cross."""


class LoadFailed(Struct, frozen=True, tag="load_failed"):
    """The script cannot be used; the worker takes another Load."""

    kind: FailureKind
    message: Text
    line: Count | None = None


NotePart: TypeAlias = Int64 | float | Short


class Answer(Struct, frozen=True, kw_only=True, tag="answer"):
    """A call that ended well."""

    answer: Flat | None = None
    context: Flat | None = None
    """The whole new context, keys in order; None where it did not change."""
    notes: Annotated[
        tuple[Annotated[tuple[NotePart, ...], Meta(max_length=MAX_NOTE_PARTS)], ...],
        Meta(max_length=MAX_NOTES),
    ] = ()
    """Lines for the log, in parts; see ``rendered``."""
    plots: Annotated[tuple[tuple[Short, float], ...], Meta(max_length=MAX_PLOTS)] = ()
    instructions: Count = 0
    cpu_ns: Count = 0


class Needs(Struct, frozen=True, kw_only=True, tag="needs"):
    """A call that was given up, without effect: it asked for what was not sent."""

    needs: Annotated[tuple[Need, ...], Meta(min_length=1, max_length=MAX_NEEDS)]
    line: Count | None = None
    """Where the script asked: an error about the need belongs there."""
    instructions: Count = 0
    cpu_ns: Count = 0


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """A call without an answer; the context is as it was, nothing is logged."""

    kind: FailureKind
    message: Text
    line: Count | None = None
    instructions: Count = 0
    cpu_ns: Count = 0


class Answers(Struct, frozen=True, kw_only=True, tag="answers"):
    """The replies to one Ask, in its order."""

    replies: Annotated[tuple[Answer | Needs | Failed, ...], Meta(max_length=MAX_BATCH)]
    memory: Count = 0
    """Bytes that the VM holds."""
    rebuilds: Count = 0
    """How often this process had to make its VM anew."""


FromWorker: TypeAlias = Loaded | LoadFailed | Answers
