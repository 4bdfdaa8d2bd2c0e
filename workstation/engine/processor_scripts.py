"""Loads the users' scripts of the chain of processors, under the guard of a load.

A script declares ``FIGURES`` (name to unit), may declare ``NEEDS`` (figures that must
come before it), and defines one or more of ``on_quote``, ``on_trade``, ``on_bar``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workstation.market.pipeline.figures import Figure
from workstation.market.pipeline.script import FUNCTIONS, ProcessorScript
from workstation.market.pipeline.settings import PipelineSettings, is_script
from workstation.model.errors import ScriptError
from workstation.strategy.script import Runner, execute, hash_of, source_of

__all__ = ["load_processor", "load_processors"]


def load_processors(
    settings: PipelineSettings, run: Runner
) -> tuple[ProcessorScript, ...]:
    """Return the loaded scripts of the list; raises ScriptError."""
    return tuple(
        load_processor(Path(entry), run)
        for entry in settings.processors
        if is_script(entry)
    )


def load_processor(path: Path, run: Runner) -> ProcessorScript:
    """Load one script; raises ScriptError with what is wrong and where."""
    source = source_of(path)
    return run(path, source, lambda: _load(path, source))


def _load(path: Path, source: bytes) -> ProcessorScript:
    name = path.name
    namespace, (figures, needs) = execute(
        path, source, "processor", lambda found: (_figures(name, found), _needs(found))
    )
    functions = {
        each: function
        for each in FUNCTIONS
        if callable(function := namespace.get(each))
    }
    if not functions:
        raise ScriptError(
            name, f"has no function to call; it defines one of {', '.join(FUNCTIONS)}"
        )
    if needs is None:
        raise ScriptError(
            name, 'NEEDS must be a list of figures, such as ["volatility_bps"]'
        )
    return ProcessorScript(
        name=name,
        path=str(path),
        hash=hash_of(source),
        gives=figures,
        needs=needs,
        **functions,
    )


def _figures(name: str, namespace: dict[str, Any]) -> tuple[Figure, ...]:
    declared = namespace.get("FIGURES")
    if not isinstance(declared, dict) or not declared:
        raise ScriptError(
            name, 'must declare FIGURES, names to units, such as {"my_spread": "bps"}'
        )
    figures = []
    for figure, unit in declared.items():
        if not (
            isinstance(figure, str)
            and figure.isidentifier()
            and not figure.startswith("_")
        ):
            raise ScriptError(
                name,
                f"FIGURES: {figure!r} cannot be read as market.figures.name; a name is "
                "of letters, digits and _",
            )
        if not isinstance(unit, str):
            raise ScriptError(name, f"FIGURES[{figure!r}] must be its unit, a text")
        figures.append(
            Figure(figure, unit, f"of {name}", "the script has not set it, or failed")
        )
    return tuple(figures)


def _needs(namespace: dict[str, Any]) -> tuple[str, ...] | None:
    declared = namespace.get("NEEDS", ())
    if not isinstance(declared, list | tuple):
        return None
    if not all(isinstance(each, str) for each in declared):
        return None
    return tuple(declared)
