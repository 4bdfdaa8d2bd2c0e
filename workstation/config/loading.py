"""Reads a config: from the file and ``--set`` to the resolved settings of a run.

Every check runs, whatever the ones before it found; what is wrong is raised together
at the end as ``ConfigProblems``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from workstation.config.combinations import LATER, check_combination
from workstation.config.document import Document, shown_path
from workstation.config.feeds import (
    check_feed,
    check_shared_prices,
    check_timeframe,
)
from workstation.config.files import FileSearch
from workstation.config.instruments import (
    InstrumentSettings,
    check_symbol_params,
    check_venue,
    resolve_instruments,
    resolve_symbols,
)
from workstation.config.intervals import check_intervals
from workstation.config.overrides import Override, apply_overrides
from workstation.config.problems import Key, Place, Problems, did_you_mean
from workstation.config.recorded import RecordedDocument
from workstation.config.screen import read_ui
from workstation.config.tables import (
    Checked,
    array_of_tables,
    check_table,
    check_tagged,
)
from workstation.config.values import INVALID, check_value, show
from workstation.engine.settings import (
    AccountSettings,
    EngineSettings,
    FeedSettings,
    JournalSettings,
    RecordingSettings,
    RunSettings,
)
from workstation.execution.settings import (
    OrderSettings,
    QuotingSettings,
    ReconciliationSettings,
    RiskSettings,
)
from workstation.market.pipeline.settings import SHIPPED, PipelineSettings, is_script
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.instruments import Instrument
from workstation.model.owners import DUST, EXTERNAL, OPERATOR
from workstation.model.settings import Settings
from workstation.paths import (
    find_file,
    journal_folder,
    recordings_folder,
    shipped_folder,
)
from workstation.strategy.settings import StrategySettings
from workstation.ui.settings import UiSettings
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.paper.settings import PaperBrokerSettings
from workstation.venues.recording.settings import RecordingFeedSettings
from workstation.venues.settings import VenueSettings
from workstation.venues.simulated.settings import SimulatedFeedSettings

__all__ = ["Config", "load_config"]

_VALUES = ("mode", "seed")
_TABLES: dict[str, type[Settings]] = {
    "account": AccountSettings,
    "engine": EngineSettings,
    "storage": StorageSettings,
    "pipeline": PipelineSettings,
    "opportunities": OpportunitySettings,
    "orders": OrderSettings,
    "quoting": QuotingSettings,
    "reconciliation": ReconciliationSettings,
    "risk": RiskSettings,
    "journal": JournalSettings,
    "recording": RecordingSettings,
}
_ARRAYS = ("instruments", "venues", "feeds", "brokers", "strategies")
_SECTIONS = (*_VALUES, *_TABLES, *_ARRAYS, "ui")
_FEEDS: dict[str, type[FeedSettings]] = {
    "simulated": SimulatedFeedSettings,
    "file": FileFeedSettings,
    "recording": RecordingFeedSettings,
}
_BROKERS = {"paper": PaperBrokerSettings}
_TAKEN_NAMES = ("aggregator", "executor", OPERATOR, EXTERNAL, DUST)
# Tasks that every run has, and owners beside the strategies.
_SSH_FRAME_HZ = 4.0
# A remote terminal is slower than a local one; see EngineSettings.frame_hz.


class Config(Struct, frozen=True, kw_only=True):
    """A run ready to be assembled, and how its screen looks.

    ``effective`` is the run as canonical JSON, for the journal's header; it decodes
    to ``run`` again. ``text`` is the file as read, before any ``--set``; ``where`` says
    where a value was written.
    """

    run: RunSettings
    ui: UiSettings
    path: Path
    text: str
    effective: str
    where: Callable[[Key], Place]


def load_config(
    path: Path | None,
    overrides: Sequence[str | Override] = (),
    *,
    seed: int | None = None,
    scripts: bool = False,
    theme: bool = False,
) -> Config:
    """Read and check a config (None: the shipped default) with ``--set`` applied.

    ``seed`` wins over the file. With ``scripts`` those are loaded, to see whether they
    take their parameters; with ``theme`` one that is not there is refused, without
    which a screen only looks different. Raises ConfigProblems with everything that is
    wrong.
    """
    found = _locate(path)
    document = RecordedDocument(found) if found.is_dir() else Document(found)
    problems = Problems(document)
    if document.read(problems):
        if seed is not None:
            given = Override(str(seed), ("seed",), seed, option="--seed")
            overrides = [*overrides, given]
        document.overrides = apply_overrides(document.data, overrides, problems)
        ui = read_ui(document, problems, theme=theme)
        run = _Loader(document, problems, scripts=scripts).run()
    problems.raise_if_any()
    effective = msgspec.json.encode(run, order="deterministic").decode()
    return Config(
        run=run,
        ui=ui,
        path=document.path,
        text=document.text,
        effective=effective,
        where=document.where,
    )


def _locate(path: Path | None) -> Path:
    wanted = Path("default.toml") if path is None else path.expanduser()
    if path is not None and wanted.exists():
        return wanted.resolve()
    if len(wanted.parts) == 1:
        found = find_file(str(wanted), "config", config=None, base=Path.cwd())
        if found is not None:
            return found
    names = sorted(entry.name for entry in shipped_folder("config").glob("*.toml"))
    problems = Problems(Document(wanted))
    problems.add_at(
        Place(0, shown_path(wanted)),
        "",
        f"no such file; shipped: {', '.join(names)}{did_you_mean(wanted.name, names)}",
    )
    problems.raise_if_any()
    raise AssertionError("unreachable: a problem was added")


class _Loader:
    def __init__(
        self, document: Document, problems: Problems, *, scripts: bool
    ) -> None:
        self._data: Mapping[str, Any] = document.data
        self._problems = problems
        self._search = FileSearch(document, problems)
        self._looks_at_scripts = scripts
        # Those that were found, by their places.
        self._scripts: dict[Key, StrategySettings] = {}
        self._processors: dict[Key, str] = {}
        # A feed whose symbols are not known makes any strategy's symbol possible.
        self._is_unsure = False
        self._sections = {
            name: check_table(self._data.get(name, {}), settings, (name,), problems)
            for name, settings in _TABLES.items()
        }

    def run(self) -> RunSettings:
        """Check everything; raise what is wrong, or return the run."""
        self._check_sections()
        check_combination(self._data, self._problems)
        values = self._values()
        self._finish_engine()
        self._finish_path("journal", journal_folder())
        self._finish_path("recording", recordings_folder())
        is_whole = self._finish_pipeline()
        currency = self._sections["account"].get("currency") or "USDT"
        equal = self._sections["account"].get("equal_currencies") or ()
        feeds = self._feeds()
        brokers = self._brokers(currency)
        instruments = self._instruments(feeds, (currency, *equal))
        venues = self._venues(feeds)
        strategies = self._strategies(instruments)
        check_intervals(strategies, feeds, instruments, self._problems)
        self._check_names()
        if self._looks_at_scripts:
            self._check_scripts(values, instruments, is_whole=is_whole)
        self._problems.raise_if_any()
        # Each is of the type that _TABLES names for it.
        sections: dict[str, Any] = {
            name: item.build() for name, item in self._sections.items()
        }
        return RunSettings(
            **values,
            **sections,
            instruments=instruments,
            venues=tuple(venue.build() for venue in venues),
            feeds=tuple(feed.build() for feed in feeds),
            brokers=tuple(broker.build() for broker in brokers),
            strategies=tuple(strategy.build() for strategy in strategies),
        )

    def _check_sections(self) -> None:
        for name in self._data:
            if name not in _SECTIONS:
                kind = "section" if isinstance(self._data[name], dict | list) else "key"
                self._problems.add(
                    (name,),
                    f"unknown {kind}; known: {', '.join(_SECTIONS)}"
                    f"{did_you_mean(name, _SECTIONS)}",
                )

    def _values(self) -> dict[str, Any]:
        hints = get_type_hints(RunSettings, include_extras=True)
        found = {
            name: check_value(self._data[name], hints[name], (name,), self._problems)
            for name in _VALUES
            if name in self._data
        }
        return {name: value for name, value in found.items() if value is not INVALID}

    def _finish_engine(self) -> None:
        table = self._data.get("engine")
        is_set = isinstance(table, dict) and "frame_hz" in table
        if "SSH_CONNECTION" in os.environ and not is_set:
            self._sections["engine"].values["frame_hz"] = _SSH_FRAME_HZ

    def _finish_path(self, section: str, default: Path) -> None:
        values = self._sections[section].values
        path = values.get("path")
        if path is None:
            values["path"] = str(default)
        elif path:
            base = self._search.base((section, "path"))
            values["path"] = str(Path(base, Path(path).expanduser()).resolve())

    def _finish_pipeline(self) -> bool:
        """Find the scripts among the processors; refuse unknown and doubled ones.

        Return whether all of the section is right.
        """
        before = len(self._problems)
        values = self._sections["pipeline"].values
        found: list[str] = []
        for index, name in enumerate(values.get("processors") or ()):
            where = ("pipeline", "processors", index)
            if is_script(name):
                path = self._search.find(name, "strategies", where)
                if path is None:
                    continue
                found.append(str(path))
                self._processors[where] = str(path)
            elif name in SHIPPED:
                found.append(name)
            else:
                self._problems.add(
                    where,
                    f"found {show(name)}; allowed: {', '.join(SHIPPED)}, and scripts "
                    f'such as "my_spread.py"{did_you_mean(name, SHIPPED)}',
                )
                continue
            if found.count(found[-1]) > 1:
                self._problems.add(
                    where, f"found {show(name)} twice; allowed: each once"
                )
        values["processors"] = tuple(found)
        return self._sections["pipeline"].right and len(self._problems) == before

    def _feeds(self) -> list[Checked[FeedSettings]]:
        feeds = []
        for key, table in self._tables("feeds", required=True):
            feed = check_tagged(table, _FEEDS, LATER, key, self._problems)
            if feed is None:
                self._is_unsure = True
                continue
            self._is_unsure |= feed.get("symbols") is None or any(
                name in table and feed.get(name) is None for name in ("venue", "format")
            )
            check_feed(feed, self._search, self._problems)
            feeds.append(feed)
        check_shared_prices(feeds, self._problems)
        return feeds

    def _brokers(self, currency: str) -> list[Checked[PaperBrokerSettings]]:
        brokers = []
        tables = self._tables("brokers", required=False) or [
            (("brokers", 0), {"type": "paper"})
        ]
        for key, table in tables:
            broker = check_tagged(table, _BROKERS, LATER, key, self._problems)
            if broker is None:
                continue
            brokers.append(broker)
            for other in broker.get("cash") or ():
                if other != currency:
                    self._problems.add(
                        (*key, "cash", other),
                        f"found {other}; allowed: {currency}, the account's currency",
                    )
        if len(tables) > 1:
            self._problems.add(
                ("brokers", 1),
                f"found {len(tables)} brokers; allowed: one in this version",
            )
        return brokers

    def _venues(
        self, feeds: Sequence[Checked[FeedSettings]]
    ) -> list[Checked[VenueSettings]]:
        venues: list[Checked[VenueSettings]] = []
        for key, table in self._tables("venues", required=False):
            venue = check_table(table, VenueSettings, key, self._problems)
            name, where = venue.get("name"), (*key, "name")
            if name is not None and name in [other.get("name") for other in venues]:
                self._problems.add(
                    where, f"found {show(name)} twice; allowed: each venue once"
                )
            elif feeds and not self._is_unsure:
                check_venue(name, where, feeds, self._problems)
            venues.append(venue)
        return venues

    def _instruments(
        self, feeds: Sequence[Checked[FeedSettings]], currencies: Sequence[str]
    ) -> tuple[Instrument, ...]:
        entries = [
            check_table(table, InstrumentSettings, key, self._problems)
            for key, table in self._tables("instruments", required=False)
        ]
        for entry in entries if feeds and not self._is_unsure else ():
            where = (*entry.key, "venue")
            check_venue(entry.get("venue"), where, feeds, self._problems)
        return resolve_instruments(entries, feeds, currencies, self._problems)

    def _strategies(
        self, instruments: Sequence[Instrument]
    ) -> list[Checked[StrategySettings]]:
        strategies = []
        for key, table in self._tables("strategies", required=True):
            found = check_table(table, StrategySettings, key, self._problems)
            strategies.append(found)
            check_timeframe(found.get("timeframe"), (*key, "timeframe"), self._problems)
            symbols = found.get("symbols")
            if symbols is not None and instruments and not self._is_unsure:
                where = (*key, "symbols")
                found.values["symbols"] = resolve_symbols(
                    symbols, instruments, where, self._problems
                )
                check_symbol_params(found, instruments, self._problems)
            if (script := found.get("script")) is not None:
                where = (*key, "script")
                path = self._search.find(script, "strategies", where)
                found.values["script"] = str(path)
                if path is not None:
                    self._scripts[key] = self._sketch(found, table)
        return strategies

    def _sketch(
        self, found: Checked[StrategySettings], table: Mapping[str, Any]
    ) -> StrategySettings:
        """Return what concerns a strategy's script, without what is wrong."""
        own, where = table.get("symbol_params"), (*found.key, "symbol_params")
        return StrategySettings(
            name=found.get("name") or ".".join(map(str, found.key)),
            script=found.values["script"],
            params=self._right(table.get("params"), (*found.key, "params")),
            symbol_params={
                symbol: self._right(given, (*where, symbol))
                for symbol, given in (own.items() if isinstance(own, dict) else ())
            },
        )

    def _right(self, given: Any, key: Key) -> dict[str, Any]:
        """Return what is right in a table of parameters."""
        return {
            name: value
            for name, value in (given.items() if isinstance(given, dict) else ())
            if not self._problems.names((*key, name))
        }

    def _check_scripts(
        self,
        values: Mapping[str, Any],
        instruments: tuple[Instrument, ...],
        *,
        is_whole: bool,
    ) -> None:
        # Late: what guards and loads scripts is no part of reading settings.
        from workstation.config.scripts import check_scripts

        sections: dict[str, Any] = {
            name: self._sections[name].build()
            for name in ("engine", "pipeline")
            if self._sections[name].right
        }
        run = RunSettings(**values, **sections, instruments=instruments)
        check_scripts(
            run, self._scripts, self._processors, self._problems, is_whole=is_whole
        )

    def _tables(self, name: str, *, required: bool) -> list[tuple[Key, Any]]:
        tables = array_of_tables(self._data, name, self._problems)
        if required and self._data.get(name) in (None, []):
            self._problems.add((name,), f"missing; allowed: [[{name}]], one or more")
        return [((name, index), table) for index, table in enumerate(tables)]

    def _check_names(self) -> None:
        """Refuse a name that two feeds, brokers or strategies share: tasks have it."""
        seen = dict.fromkeys(_TAKEN_NAMES, "the engine")
        for section in ("feeds", "brokers", "strategies"):
            tables = self._data.get(section, [])
            for index, table in enumerate(tables if isinstance(tables, list) else []):
                name = table.get("name") if isinstance(table, dict) else None
                if not isinstance(name, str):
                    continue
                if name in seen:
                    self._problems.add(
                        (section, index, "name"),
                        f"found {show(name)}, which {seen[name]} has already; allowed: "
                        f"a name of its own",
                    )
                seen.setdefault(name, f"{section}.{index}")
