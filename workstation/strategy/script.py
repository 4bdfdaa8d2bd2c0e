"""Python strategy scripts: loaded fresh into their own namespace, checked, hashed.

A script is trusted code. It must define ``detect_opportunity``, ``filter_commitment``
and ``manage_position``, each called with (market, context, indicators), and may
declare ``PARAMS``.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import stat
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec import Struct, structs

from workstation.model.errors import ScriptError
from workstation.strategy.lua.wire import LONGEST_STRING
from workstation.strategy.question import Function

__all__ = [
    "FUNCTIONS",
    "ParamSpec",
    "ParamValue",
    "Runner",
    "Script",
    "describe",
    "execute",
    "failed_script",
    "hash_of",
    "is_the_scripts",
    "line_of",
    "load_script",
    "load_text",
    "source_of",
]

T = TypeVar("T")

FUNCTIONS = tuple(Function)

# What an object prints of itself by default differs in every run.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LONGEST = 300

ParamValue = bool | int | float | str
# A script's answer is whatever it returns: ``actions.parse_action`` judges it.
ScriptFunction = Callable[..., Any]


class Runner(Protocol):
    """Runs what loads a script; a guard interrupts it after its budget."""

    def __call__(self, path: Path, source: bytes, load: Callable[[], T], /) -> T:
        """Return what ``load`` of the text returns; raises ScriptTimeout."""


class ParamSpec(Struct, frozen=True):
    """A parameter that a script declares in ``PARAMS``."""

    name: str
    default: ParamValue
    minimum: float | None = None
    maximum: float | None = None
    help: str = ""


class Script(Struct, frozen=True, kw_only=True):
    """A loaded script; ``failure`` says why, and at which line, it could not be.

    ``functions`` are those of a script that runs here; a host elsewhere has its own.
    ``text`` is what was loaded, whatever has become of the file.
    """

    name: str
    path: str
    hash: str
    params: tuple[ParamSpec, ...]
    functions: Mapping[Function, ScriptFunction] = {}
    text: str = ""
    failure: str = ""
    failure_line: int | None = None
    texts_cross: bool = False
    """It runs elsewhere: texts of its parameters are short and printable, whole numbers
    have at most 64 bits."""

    def resolve(self, given: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Return all parameters, given ones over defaults.

        Raises ScriptError for an unknown name, a wrong type or a value out of range.
        """
        specs = {spec.name: spec for spec in self.params}
        for name in given:
            if name not in specs:
                known = ", ".join(specs) or "none"
                raise ScriptError(
                    self.name,
                    f"unknown parameter {name!r}; it declares: {known}"
                    f"{_did_you_mean(name, specs)}",
                )
        if self.failure:
            # Nobody knows what it would allow.
            return {name: given.get(name, spec.default) for name, spec in specs.items()}
        found = {
            name: _checked(self.name, spec, given.get(name, spec.default))
            for name, spec in specs.items()
        }
        for name, value in found.items() if self.texts_cross else ():
            wanted = _kept_from_crossing(value)
            if wanted:
                raise ScriptError(
                    self.name, f"parameter {name} = {value!r} must have {wanted}"
                )
        return found

    def for_journal(self) -> Script:
        """Return what a journal keeps of it: its functions are made of its text."""
        return structs.replace(self, functions={})

    def wrong(self, given: Mapping[str, ParamValue]) -> Iterator[tuple[str, str]]:
        """Yield each parameter that is wrong, with what would be right."""
        for name, value in given.items():
            try:
                self.resolve({name: value})
            except ScriptError as error:
                yield name, str(error)


def _kept_from_crossing(value: ParamValue) -> str:
    """Return what a value must have to be told elsewhere; empty where it has it."""
    if isinstance(value, str):
        if len(value) > LONGEST_STRING or not value.isprintable():
            return f"at most {LONGEST_STRING} characters, all of them printable"
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "at most 64 bits"
    return ""


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _run_unguarded(path: Path, source: bytes, load: Callable[[], T]) -> T:
    return load()


def load_script(path: Path, run: Runner = _run_unguarded) -> Script:
    """Load a script from its file, its own code under ``run``.

    Raises ScriptError with the script's own line.
    """
    return load_text(path, source_of(path), run)


def load_text(path: Path, source: bytes, run: Runner = _run_unguarded) -> Script:
    """Load a script from its text as if it were in the file; see ``load_script``."""
    return run(path, source, lambda: _load(path, source))


def execute(
    path: Path, source: bytes, kind: str, read: Callable[[dict[str, Any]], T]
) -> tuple[dict[str, Any], T]:
    """Run a script's module in a namespace of its own; return it and what ``read`` did.

    ``read`` looks at what the script declares: a dict of the script's own kind runs its
    code then. Raises ScriptError with the script's own line.
    """
    name = path.name
    namespace: dict[str, Any] = {"__name__": f"{kind}:{path.stem}", "__file__": name}
    try:
        exec(compile(source, str(path), "exec"), namespace)
        return namespace, read(namespace)
    except ScriptError:
        raise
    except SyntaxError as error:
        raise ScriptError(name, f"{error.msg}", error.lineno) from error
    except BaseException as error:  # whatever a user's module does
        if not is_the_scripts(error):
            raise
        raise ScriptError(name, describe(error), line_of(error, path)) from error


def source_of(path: Path) -> bytes:
    """Return a script's text; raises ScriptError where it cannot be read."""
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            # Reading it may never come to an end.
            raise ScriptError(path.name, "cannot be read: Is a pipe or a device")
        return path.read_bytes()
    except OSError as error:
        raise ScriptError(path.name, f"cannot be read: {error.strerror}") from error


def hash_of(source: bytes) -> str:
    """Return what tells this text of a script from any other."""
    return hashlib.blake2b(source, digest_size=16).hexdigest()


def _load(path: Path, source: bytes) -> Script:
    name = path.name
    try:
        # The journal keeps it as text: a replay must load the same bytes.
        text = source.decode()
    except UnicodeDecodeError as error:
        raise ScriptError(name, f"is no UTF-8 text: {error.reason}") from error
    namespace, params = execute(
        path,
        source,
        "strategy",
        lambda namespace: tuple(_specs(name, namespace.get("PARAMS", {}))),
    )
    missing = [f for f in FUNCTIONS if not callable(namespace.get(f))]
    if missing:
        raise ScriptError(
            name,
            f"misses {', '.join(missing)}; a script defines {', '.join(FUNCTIONS)}",
        )
    return Script(
        name=name,
        path=str(path),
        hash=hash_of(source),
        functions={each: namespace[each] for each in FUNCTIONS},
        params=params,
        text=text,
    )


def is_the_scripts(error: BaseException) -> bool:
    """Tell whether a script raised it itself, be it KeyboardInterrupt or its own kind.

    What the workstation raises through a script, to end a call or the run, says so.
    """
    return getattr(type(error), "passes_scripts", False) is not True


def failed_script(
    path: Path, given: Mapping[str, ParamValue], failure: str, line: int | None = None
) -> Script:
    """Return the stand-in for a script that cannot be loaded; it is never called.

    ``failure`` says why, ``line`` where in the script.
    """

    def refuse(*_: object) -> None:
        raise ScriptError(path.name, failure)

    return Script(
        name=path.name,
        path=str(path),
        hash="",
        functions=dict.fromkeys(FUNCTIONS, refuse),
        params=tuple(ParamSpec(name, value) for name, value in given.items()),
        failure=failure,
        failure_line=line,
    )


def describe(error: BaseException) -> str:
    """Return one line: the kind of error and what it says, the same in every run."""
    kind = type(error).__name__
    try:
        text = str(error)
    except BaseException as failure:  # a script's own error may fail even at this
        if not is_the_scripts(failure):
            raise
        return kind
    text = _ADDRESS.sub("", " ".join(text.split()))[:_LONGEST]
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"{kind}: {text}" if text else kind


def line_of(error: BaseException, path: Path) -> int | None:
    """Return the script's own line that an exception passed last."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    return lines[-1] if lines else None


def _specs(script: str, declared: object) -> list[ParamSpec]:
    if not isinstance(declared, dict):
        raise ScriptError(script, "PARAMS must be a dict of name to default or table")
    specs = []
    for name, value in declared.items():
        table = value if isinstance(value, dict) else {"default": value}
        unknown = set(table) - {"default", "min", "max", "help"}
        if unknown or "default" not in table:
            raise ScriptError(
                script,
                f"PARAMS[{name!r}] must have default and may have min, max, help",
            )
        low, high, text = table.get("min"), table.get("max"), table.get("help", "")
        if not (
            isinstance(name, str)
            and isinstance(text, str)
            and all(_is_number(bound) or bound is None for bound in (low, high))
        ):
            raise ScriptError(
                script, f"PARAMS[{name!r}]: min and max are numbers, name and help text"
            )
        spec = ParamSpec(name, table["default"], low, high, text)
        _checked(script, spec, spec.default)
        specs.append(spec)
    return specs


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _checked(script: str, spec: ParamSpec, value: object) -> ParamValue:
    wanted = type(spec.default)
    if wanted not in (bool, int, float, str):
        raise ScriptError(
            script,
            f"parameter {spec.name}: a {wanted.__name__} is no number, bool or text",
        )
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ScriptError(
            script,
            f"parameter {spec.name} = {value!r} must be {wanted.__name__}, "
            f"such as {spec.default!r}",
        )
    assert isinstance(value, bool | int | float | str)
    low, high = spec.minimum, spec.maximum
    if isinstance(value, float) and not math.isfinite(value):
        raise ScriptError(script, f"parameter {spec.name} = {value} must be finite")
    if not isinstance(value, str) and (
        (low is not None and not value >= low)
        or (high is not None and not value <= high)
    ):
        raise ScriptError(
            script, f"parameter {spec.name} = {value} must be in {low} … {high}"
        )
    return value
