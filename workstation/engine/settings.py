"""Settings of a run: everything the builder needs, and nothing of the screen."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from workstation.execution.settings import (
    OrderSettings,
    QuotingSettings,
    ReconciliationSettings,
    RiskSettings,
)
from workstation.market.pipeline.settings import PipelineSettings
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.instruments import Instrument
from workstation.model.settings import Settings
from workstation.strategy.settings import StrategySettings
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.paper.settings import PaperBrokerSettings
from workstation.venues.recording.settings import RecordingFeedSettings
from workstation.venues.settings import VenueSettings
from workstation.venues.simulated.settings import SimulatedFeedSettings

__all__ = [
    "AccountSettings",
    "EngineSettings",
    "FeedSettings",
    "JournalSettings",
    "Mode",
    "RecordingSettings",
    "RunSettings",
]

Currency = Annotated[str, Meta(pattern="^[A-Z0-9]{2,10}$")]
Mode = Literal["simulation", "recording", "paper", "live"]
FeedSettings = SimulatedFeedSettings | FileFeedSettings | RecordingFeedSettings


class AccountSettings(Settings, frozen=True):
    """The account the run trades."""

    name: str = "demo"
    """Shown in the header; unlocking the screen types it."""
    currency: Currency = "USDT"
    """Currency of equity, limits and P&L; instruments must be quoted in it."""
    equal_currencies: tuple[Currency, ...] = ()
    """Currencies that count as much as the account's, one for one: instruments may be
    quoted in them, and are compared with those of other venues."""
    day_starts: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    """UTC time at which the day's P&L starts again."""


class EngineSettings(Settings, frozen=True):
    """How the engine runs; nothing here changes a decision."""

    frame_hz: Annotated[float, Meta(ge=0.5, le=30)] = 10.0
    """Screen updates a second; over SSH 4 unless set otherwise."""
    speed: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    """Speed of play at the start, × the run's own time."""
    start_paused: bool = False
    """Open with the clock standing."""
    script_budget_ms: Annotated[int, Meta(ge=10, le=60_000)] = 250
    """A script call that lasts longer is interrupted and its strategy stops; a script
    has eight times as long to load."""
    history: Annotated[int, Meta(ge=100, le=1_000_000)] = 5_000
    """Records kept in memory for log and panels; all are in the journal."""
    on_exit: Literal["keep", "cancel-entries", "flatten"] = "cancel-entries"
    """What SIGTERM does, which asks nobody (the quit key does).

    ``keep`` leaves at once and touches nothing; in simulation and recording the run
    and its positions end with the program. ``cancel-entries`` holds new entries,
    cancels those that work and leaves when that is answered; ``flatten`` closes all
    positions too and leaves when all is flat. Both move the clock for it, at most
    60 s of the run's time or 5 s; what is open even then stands in the program's log.
    A second signal leaves at once. A run without a screen ends between two steps and
    does none of this."""
    on_hangup: Literal["keep", "cancel-entries", "flatten-and-stop"] = "cancel-entries"
    """What a lost terminal (SIGHUP) does: as ``on_exit``; ``flatten-and-stop`` is its
    ``flatten``, and with ``keep`` a run whose clock goes on does so without a screen,
    in the same process, to its end or SIGTERM."""


class JournalSettings(Settings, frozen=True):
    """Where the run is journalled."""

    path: str | None = None
    """Folder or file; ``""`` = no journal; none = the user's state folder."""


class RecordingSettings(Settings, frozen=True):
    """Where feeds with ``record = true`` are recorded, and in files of which size."""

    path: str | None = None
    """Folder that gets a folder for each recorded run; none = in the user's own."""
    rotate_mb: Annotated[float, Meta(gt=0, le=100_000)] = 64.0
    """A file of a feed that has reached this size is finished and a new one begun."""
    rotate_minutes: Annotated[float, Meta(gt=0, le=1_000_000)] = 60.0
    """The same after this much of the run's own time, once it has 100 events."""


class RunSettings(Settings, frozen=True):
    """A whole run, resolved: paths absolute, instruments complete."""

    mode: Mode = "simulation"
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] = 7
    account: AccountSettings = AccountSettings()
    engine: EngineSettings = EngineSettings()
    storage: StorageSettings = StorageSettings()
    pipeline: PipelineSettings = PipelineSettings()
    opportunities: OpportunitySettings = OpportunitySettings()
    orders: OrderSettings = OrderSettings()
    quoting: QuotingSettings = QuotingSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    instruments: tuple[Instrument, ...] = ()
    venues: tuple[VenueSettings, ...] = ()
    feeds: tuple[FeedSettings, ...] = ()
    brokers: tuple[PaperBrokerSettings, ...] = (PaperBrokerSettings(),)
    strategies: tuple[StrategySettings, ...] = ()
    risk: RiskSettings = RiskSettings()
    journal: JournalSettings = JournalSettings()
    recording: RecordingSettings = RecordingSettings()
