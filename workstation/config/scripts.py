"""Looks at the scripts of a config: whether they load and take what it gives them.

Called by the loader with whatever of the run is right, so that a mistake elsewhere
hides none here. Runs the scripts' own modules under the guard of a load, and calls
none of their functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workstation.config.document import shown_path
from workstation.config.problems import Key, Place, Problems
from workstation.engine.processor_scripts import load_processor
from workstation.engine.runaway import ScriptGuard
from workstation.engine.settings import RunSettings
from workstation.kernel import RealClock
from workstation.market.pipeline.chain import Plan
from workstation.market.pipeline.script import ProcessorScript
from workstation.model.errors import ConfigError, ScriptError
from workstation.strategy.script import Script, load_script
from workstation.strategy.settings import StrategySettings

__all__ = ["check_scripts"]

# Behind the config's own lines, each --set and what the screen has remembered.
_ORDER = 3


def check_scripts(
    run: RunSettings,
    strategies: Mapping[Key, StrategySettings],
    processors: Mapping[Key, str],
    problems: Problems,
    *,
    is_whole: bool,
) -> None:
    """Note what is wrong with the scripts of a run and with their parameters.

    ``run`` may lack what was wrong in the config. ``strategies`` and ``processors``
    are those whose script was found, by their places. ``is_whole`` tells that the
    chain of processors lacks none.
    """
    # Nothing is called here, so nobody asks at which input.
    guard = ScriptGuard(run.engine.script_budget_ms, seq=lambda: 0)
    try:
        figures = _check_chain(run, processors, guard, problems, is_whole=is_whole)
        for key, settings in strategies.items():
            try:
                script = _look_at(settings, run, guard, figures)
            except ScriptError as error:
                whose = f"strategy {settings.name}"
                where = (*key, "script")
                _add(error, settings.script, whose, where, problems)
            else:
                _check_params(script, settings, key, problems)
    finally:
        guard.close()


def _check_chain(
    run: RunSettings,
    processors: Mapping[Key, str],
    guard: ScriptGuard,
    problems: Problems,
    *,
    is_whole: bool,
) -> tuple[str, ...]:
    """Return the figures of the chain; none where it cannot be made."""
    scripts: list[ProcessorScript] = []
    for key, path in processors.items():
        try:
            scripts.append(load_processor(Path(path), guard.load))
        except ScriptError as error:
            _add(error, path, "pipeline", key, problems)
    if not is_whole or len(scripts) < len(processors):
        return ()
    try:
        return Plan(run.pipeline, scripts, guard.process).figures
    except ConfigError as error:
        said = str(error).removeprefix("pipeline: ")
        problems.add(("pipeline", "processors"), said)
        return ()


def _look_at(
    settings: StrategySettings,
    run: RunSettings,
    guard: ScriptGuard,
    figures: tuple[str, ...],
) -> Script:
    path = Path(settings.script)
    if path.suffix != ".lua":
        return load_script(path, guard.load)
    # Late: a run without Lua paints before it knows of workers.
    from workstation.engine.script_loading import ScriptLoader

    return ScriptLoader(run, guard, RealClock(), figures).look_at(settings)


def _check_params(
    script: Script, settings: StrategySettings, key: Key, problems: Problems
) -> None:
    tables: dict[Key, Mapping[str, bool | int | float | str]] = {
        (*key, "params"): settings.params
    }
    for symbol, own in settings.symbol_params.items():
        tables[*key, "symbol_params", symbol] = own
    for where, given in tables.items():
        for name, message in script.wrong(given):
            problems.add((*where, name), message)


def _add(
    error: ScriptError, script: str, whose: str, key: Key, problems: Problems
) -> None:
    """Note an error at the script's own line, else where the config names it."""
    if error.line is None:
        problems.add(key, str(error))
        return
    place = Place(_ORDER, shown_path(Path(script)), error.line)
    problems.add_at(place, "", f"{error.message} ({whose})")
