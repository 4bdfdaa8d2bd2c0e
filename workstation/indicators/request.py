"""One indicator with its parameters, as config and screen write it: ``ema(20)``.

Made by ``parse`` from such a word, by ``of`` from a name and values. A request is one
that the registry can fulfil, and equal requests mean equal values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from workstation.indicators.definition import Indicator
from workstation.indicators.errors import BadRequest
from workstation.indicators.parameters import Value
from workstation.indicators.registry import get

__all__ = ["Request"]

_FORM = re.compile(r"\s*(\w+)\s*(?:\(([^()]*)\)\s*)?")


class Request(Struct, frozen=True):
    """An indicator's name and all its parameters in the order of its definition."""

    name: str
    params: tuple[tuple[str, Value], ...]

    @classmethod
    def of(cls, name: str, params: Mapping[str, object]) -> Request:
        """Return the request for these values, the rest at their defaults.

        Raises the errors of ``get`` and ``Indicator.resolve``.
        """
        definition = get(name)
        return cls(definition.name, tuple(definition.resolve(**params).items()))

    @classmethod
    def parse(cls, text: str) -> Request:
        """Return what ``rsi``, ``ema(20)``, ``macd(12, 26, signal=9)`` asks for.

        Raises BadRequest for another form, else as ``of``.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise BadRequest(
                f"{text!r} is not an indicator with its parameters, such as ema(20)"
            )
        name, inside = match.groups()
        known = [param.name for param in get(name).params]
        values: dict[str, object] = {}
        for place, word in enumerate((inside or "").split(",") if inside else ()):
            key, equals, value = word.partition("=")
            if not equals:
                if place >= len(known):
                    raise BadRequest(
                        f"{text!r} has {place + 1} parameters or more; {name} takes"
                        f" {len(known)}: {', '.join(known)}"
                    )
                key, value = known[place], word
            if key.strip() in values:
                raise BadRequest(f"{text!r} says {key.strip()} twice")
            values[key.strip()] = value_of(value.strip())
        return cls.of(name, values)

    def __str__(self) -> str:
        """Write it as ``parse`` reads it, without the words that are usual."""
        parts: list[str] = []
        named = False
        for param, (name, value) in zip(
            self.definition.params, self.params, strict=True
        ):
            if isinstance(value, str) and value == param.default:
                named = True
            else:
                parts.append(f"{name}={written(value)}" if named else written(value))
        return f"{self.name}({', '.join(parts)})" if parts else self.name

    @property
    def definition(self) -> Indicator:
        """Return what the registry says of the indicator."""
        return get(self.name)

    @property
    def label(self) -> str:
        """Return how a chart calls it: ``EMA 20``."""
        name = self.name.upper().replace("_", " ")
        return f"{name} {self.definition.label(dict(self.params))}".strip()


def value_of(text: str) -> Value:
    """Return a parameter's value as it was typed: a number where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def written(value: Value) -> str:
    """Return a value as ``value_of`` reads it."""
    return value if isinstance(value, str) else f"{value:.15g}"
