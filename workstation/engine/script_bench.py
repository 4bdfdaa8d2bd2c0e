"""The bench: a version of a script is loaded beside what runs, and tried in the shadow.

All that may take time gives way again and again, so that ``Reloading`` can spread it
over many ticks of the screen. A Python script is called under a guard of its own: what
it interrupts is no input of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial

from msgspec import Struct

from workstation.engine.runaway import ScriptGuard
from workstation.engine.script_loading import ScriptLoader, is_lua
from workstation.engine.shadow import Intent, Respond, ShadowRun
from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.positions import AccountView
from workstation.strategy.host import ScriptHost
from workstation.strategy.lua.lua_host import LuaHost
from workstation.strategy.python_host import PythonHost
from workstation.strategy.script import Script
from workstation.strategy.settings import StrategySettings

__all__ = ["Bench", "Ready", "Scene", "Trial"]


class Scene(Struct, frozen=True):
    """What a shadow run of a strategy plays in."""

    settings: StrategySettings
    instruments: tuple[Instrument, ...]
    bars: Mapping[str, Sequence[Bar]]
    account: AccountView


class Trial(Struct, frozen=True):
    """What a version would have wanted, and what it did wrong."""

    intents: tuple[Intent, ...]
    errors: tuple[str, ...]
    bars: int


class Ready(Struct, frozen=True):
    """A version that can take over; ``use`` lets a worker answer, ``drop`` ends it."""

    script: Script
    use: Callable[[], None]
    drop: Callable[[], None]


class Bench:
    """Loads and tries versions of one run's scripts."""

    def __init__(
        self,
        loader: ScriptLoader,
        budget_ms: int,
        order_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._loader = loader
        self._budget_ms = budget_ms
        self._order_of = order_of

    def load(
        self, settings: StrategySettings, source: bytes
    ) -> Generator[None, None, Ready]:
        """Load a version; raises ScriptError."""
        if is_lua(settings.script):
            prepared = self._loader.prepare(settings, source)
            script = prepared.script(
                (yield from self._loader.edge.hear(prepared.worker))
            )
            use = partial(self._loader.edge.use, settings.name, prepared)
            return Ready(script, use, prepared.worker.close)
        return Ready(self._loader.load(settings, source), _nothing, _nothing)

    def trial(self, scene: Scene, source: bytes) -> Generator[None, None, Trial]:
        """Load a version and run it in the shadow; raises ScriptError."""
        settings = scene.settings
        if not is_lua(settings.script):
            guard = ScriptGuard(self._budget_ms, seq=lambda: 0)
            try:
                script = self._loader.load(settings, source)
                return (yield from self._play(scene, script, PythonHost(script, guard)))
            finally:
                guard.close()
        prepared = self._loader.prepare(settings, source)
        try:
            script = prepared.script(
                (yield from self._loader.edge.hear(prepared.worker))
            )
            rows = tuple(each.id for each in scene.instruments)
            host = LuaHost(script.name, rows)
            respond = partial(self._loader.edge.respond, prepared.worker)
            return (yield from self._play(scene, script, host, respond))
        finally:
            prepared.worker.close()

    def _play(
        self,
        scene: Scene,
        script: Script,
        host: ScriptHost,
        respond: Respond | None = None,
    ) -> Generator[None, None, Trial]:
        run = ShadowRun(
            scene.settings,
            script,
            host,
            scene.instruments,
            scene.bars,
            scene.account,
            self._order_of,
            respond,
        )
        yield from run.steps()
        return Trial(run.intents, tuple(run.errors), run.bars)


def _nothing() -> None:
    pass
