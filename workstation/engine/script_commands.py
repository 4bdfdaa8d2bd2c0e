"""Commands about scripts: a strategy goes on with another version of its own.

``Control`` calls the handler between inputs. A replay has the versions from its
journal, a run from ``Reloading``, which has tried them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.engine.engine import Engine
from workstation.engine.script_loading import Version
from workstation.kernel import TaskState
from workstation.model.commands import ReloadScript
from workstation.model.errors import CommandRefused, ScriptError
from workstation.strategy.host import DistantHost, ScriptHost
from workstation.strategy.script import Script
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["HostOf", "ScriptCommands", "VersionOf"]

VersionOf = Callable[[ScriptedStrategy, str], Version]
"""Return a version of a strategy's script by its hash; raises ScriptError."""
HostOf = Callable[[Script, tuple[str, ...]], ScriptHost]
"""Return what calls a script for these instruments."""


class ScriptCommands:
    """The operator's hand, and the file system's, on the scripts of all strategies."""

    def __init__(
        self,
        engine: Engine,
        strategies: Mapping[str, ScriptedStrategy],
        version_of: VersionOf,
        host_of: HostOf,
    ) -> None:
        self._engine = engine
        self._strategies = strategies
        self._version_of = version_of
        self._host_of = host_of

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of each command."""
        return {ReloadScript: self._reload}

    def _reload(self, command: ReloadScript) -> str:
        strategy = self._strategies.get(command.strategy)
        if strategy is None:
            raise CommandRefused(f"no strategy {command.strategy}")
        before = strategy.script
        if command.failure:
            raise CommandRefused(f"{command.failure}; {_runs(before)}")
        if strategy.waits:
            raise CommandRefused(f"{strategy.name} waits for an answer of its script")
        try:
            version = self._version_of(strategy, command.version)
            script = version.script
            host = self._host_of(script, tuple(strategy.rows))
            strategy.take_version(script, host)
        except ScriptError as error:
            raise CommandRefused(f"{error}; {_runs(before)}") from error
        # Before anything is due that may ask it.
        version.use()
        if isinstance(host, DistantHost):
            host.attach(self._engine.core.scripts.ask)
        if before.failure:
            self._begin(strategy)
        cause = f" ({command.reason})" if command.reason else ""
        return f"{strategy.name} runs {script.name} {script.hash[:8]}{cause}"

    def _begin(self, strategy: ScriptedStrategy) -> None:
        """Start a strategy whose first version could not be loaded."""
        registry = self._engine.registry
        handle = registry.get(strategy.name)
        if handle.state is TaskState.FAILED:
            registry.set_state(handle, TaskState.INITIALIZING, "its script is mended")
            strategy.stopped = False
            registry.set_state(handle, TaskState.RUNNING, "its script is mended")


def _runs(script: Script) -> str:
    if script.failure:
        return "there is no version that runs"
    return f"{script.hash[:8]} goes on"
