"""Builds an engine from its components and refuses what cannot work.

At least one connector, exactly one aggregator, at least one strategy and executor;
handlers that are coroutines are refused, since the core never awaits.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Self

from workstation.engine.engine import Engine
from workstation.engine.settings import EngineSettings
from workstation.kernel import DuplicateComponent, MissingComponent, SchedulerError
from workstation.model.roles import (
    Aggregator,
    Broker,
    Connector,
    Executor,
    Part,
    Strategy,
)

__all__ = ["EngineBuilder"]


class EngineBuilder:
    """Collects components, then builds."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self._settings = settings
        self._connectors: list[Connector] = []
        self._aggregators: list[Aggregator] = []
        self._strategies: list[Strategy] = []
        self._executors: list[Executor] = []
        self._brokers: list[Broker] = []

    def with_connector(self, connector: Connector) -> Self:
        """Add a source of market events."""
        self._connectors.append(connector)
        return self

    def with_aggregator(self, aggregator: Aggregator) -> Self:
        """Set what turns events into market state."""
        self._aggregators.append(aggregator)
        return self

    def with_strategy(self, strategy: Strategy) -> Self:
        """Add a strategy; strategies are asked in this order."""
        self._strategies.append(strategy)
        return self

    def with_executor(self, executor: Executor) -> Self:
        """Add what turns signals into orders."""
        self._executors.append(executor)
        return self

    def with_broker(self, broker: Broker) -> Self:
        """Add where orders go."""
        self._brokers.append(broker)
        return self

    def build(self) -> Engine:
        """Return the engine.

        Raises MissingComponent or DuplicateComponent naming the component, and
        SchedulerError for a handler that is a coroutine.
        """
        for name, components in (
            ("connector", self._connectors),
            ("aggregator", self._aggregators),
            ("strategy", self._strategies),
            ("executor", self._executors),
        ):
            if not components:
                needed = "exactly one" if name == "aggregator" else "at least one"
                raise MissingComponent(name, needed)
        if len(self._aggregators) > 1:
            raise DuplicateComponent(
                "aggregator", [part.name for part in self._aggregators]
            )
        if len(self._brokers) > 1:
            raise DuplicateComponent("broker", [part.name for part in self._brokers])
        self._check_names()
        for part in (*self._aggregators, *self._strategies, *self._executors):
            _check_synchronous(part)
        return Engine(
            connectors=self._connectors,
            aggregator=self._aggregators[0],
            strategies=self._strategies,
            executors=self._executors,
            brokers=self._brokers,
            settings=self._settings,
        )

    def _check_names(self) -> None:
        named: list[Connector | Part | Broker] = [
            *self._connectors,
            *self._aggregators,
            *self._strategies,
            *self._executors,
            *self._brokers,
        ]
        names = [part.name for part in named]
        doubled = [name for name in names if names.count(name) > 1]
        if doubled:
            raise DuplicateComponent("name", doubled, "one component of each name")


def _check_synchronous(part: Part) -> None:
    handlers = getattr(part, "handlers", None)
    called = list(handlers().values()) if handlers is not None else [part.handle_event]
    if any(_waits(handler) for handler in called):
        raise SchedulerError(
            f"{part.name} handles events in an async def; the core never awaits: "
            "use a plain def, and do what waits in a connector or a broker"
        )


def _waits(handler: object) -> bool:
    while isinstance(handler, partial):
        handler = handler.func
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
        for each in (handler, getattr(handler, "__call__", None))  # noqa: B004
    )
