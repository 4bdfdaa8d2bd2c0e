"""The bench: a version of a script is loaded beside what runs, and tried in the shadow.

All that may take time gives way again and again, so that ``Reloading`` can spread it
over many ticks of the screen. A Python script is called under a guard of its own: what
it interrupts is no input of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, structs

from workstation.engine.runaway import ScriptGuard
from workstation.engine.script_loading import ScriptLoader, is_lua
from workstation.engine.shadow import Intent, Respond, ShadowRun, Steps
from workstation.model.errors import ScriptError
from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.positions import AccountView
from workstation.strategy.host import ScriptHost
from workstation.strategy.lua.lua_host import LuaHost
from workstation.strategy.python_host import PythonHost
from workstation.strategy.script import Script, load_text
from workstation.strategy.settings import StrategySettings

__all__ = ["Bench", "Compared", "Ready", "Scene", "Trial"]


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


class Compared(Struct, frozen=True):
    """Two versions over the same bars, and the newer one ready to take over."""

    before: Trial
    after: Trial
    ready: Ready


_NO_TRIAL = Trial((), (), 0)


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

    def load(self, settings: StrategySettings, source: bytes) -> Steps[Ready]:
        """Load a version; raises ScriptError."""
        if is_lua(settings.script):
            prepared = self._loader.prepare(settings, source)
            try:
                script = prepared.script(
                    (yield from self._loader.edge.hear(prepared.worker))
                )
            except BaseException:
                prepared.worker.close()
                raise
            use = partial(self._loader.edge.use, settings.name, prepared)
            return Ready(script, use, prepared.worker.close)
        return Ready(self._loader.load(settings, source), _nothing, _nothing)

    def compare(self, scene: Scene, before: Script, source: bytes) -> Steps[Compared]:
        """Try a version in the shadow beside the one before it, and make it ready.

        Raises ScriptError where it does not load, or does wrong where the one before
        did not.
        """
        if is_lua(scene.settings.script):
            return (yield from self._compare_lua(scene, before, source))
        settings = scene.settings
        path = Path(settings.script)
        # The screen stands still while a module is loaded: no longer than for a call.
        guard = ScriptGuard(self._budget_ms, seq=lambda: 0, load_budgets=1)
        try:
            script = load_text(path, source, guard.load)
            yield True
            after = yield from self._play(scene, script, PythonHost(script, guard))
            old = _NO_TRIAL
            if not before.failure:
                # Loaded anew: the one that runs must not feel it.
                same = load_text(path, before.text.encode(), guard.load)
                yield True
                old = yield from self._play(scene, same, PythonHost(same, guard))
        finally:
            guard.close()
        _judge(script, old, after)
        ready = yield from self.load(settings, source)
        return Compared(old, after, ready)

    def _compare_lua(
        self, scene: Scene, before: Script, source: bytes
    ) -> Steps[Compared]:
        settings, edge = scene.settings, self._loader.edge
        prepared = self._loader.prepare(settings, source)
        worker, new = prepared.worker, prepared.load
        respond = partial(edge.respond, worker)
        rows = tuple(each.id for each in scene.instruments)
        try:
            script = prepared.script((yield from edge.hear(worker)))
            host = LuaHost(script.name, rows)
            after = yield from self._play(scene, script, host, respond)
            old = _NO_TRIAL
            if not before.failure:
                worker.post_load(structs.replace(new, source=before.text))
                prepared.script((yield from edge.hear(worker)))
                host = LuaHost(script.name, rows)
                old = yield from self._play(scene, before, host, respond)
            _judge(script, old, after)
            if worker.fault is not None:
                # The one before has ended it: all the more is the newer one wanted.
                prepared = self._loader.prepare(settings, source)
                worker = prepared.worker
                prepared.script((yield from edge.hear(worker)))
            # Loaded once more: what the shadow's calls have left behind is forgotten.
            worker.post_load(new)
            script = prepared.script((yield from edge.hear(worker)))
        except BaseException:
            worker.close()
            raise
        use = partial(edge.use, settings.name, prepared)
        return Compared(old, after, Ready(script, use, worker.close))

    def _play(
        self,
        scene: Scene,
        script: Script,
        host: ScriptHost,
        respond: Respond | None = None,
    ) -> Steps[Trial]:
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


def _judge(script: Script, before: Trial, after: Trial) -> None:
    if after.errors and not before.errors:
        raise ScriptError(script.name, f"in the shadow: {after.errors[0]}")


def _nothing() -> None:
    pass
