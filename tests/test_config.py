"""Good configs: what they become, how ``--set`` and the user's own files change it."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from msgspec import structs

from tests.test_config_errors import GOOD, RECORDING
from workstation.config import load_config
from workstation.config.instruments import InstrumentSettings
from workstation.engine.settings import (
    AccountSettings,
    EngineSettings,
    JournalSettings,
    RecordingSettings,
    RunSettings,
)
from workstation.execution.settings import (
    OrderSettings,
    QuotingSettings,
    RiskSettings,
)
from workstation.market.pipeline.settings import (
    AdverseSelectionSettings,
    FlowSettings,
    ImbalanceSettings,
    PipelineSettings,
    VolatilitySettings,
)
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.settings import Settings
from workstation.paths import shipped_folder
from workstation.strategy.settings import AskSettings, StrategySettings
from workstation.ui.settings import UiSettings
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.paper.settings import PaperBrokerSettings
from workstation.venues.settings import VenueSettings
from workstation.venues.simulated.settings import SimulatedFeedSettings

SHIPPED = sorted(path.name for path in shipped_folder("config").glob("*.toml"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is not the current one, with a good config."""
    place = tmp_path / "runs"
    place.mkdir()
    (place / "x.toml").write_text(GOOD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return place


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_config_is_good(name: str) -> None:
    run = load_config(shipped_folder("config") / name).run
    assert run.strategies
    for feed in run.feeds:
        assert all(Path(file).is_absolute() for file in getattr(feed, "files", ()))


def test_four_configs_are_shipped() -> None:
    assert SHIPPED == [
        "default.toml",
        "recording-binance.toml",
        "recording-klines.toml",
        "two-venues.toml",
    ]


def test_without_a_path_the_shipped_default_is_taken() -> None:
    config = load_config(None)
    assert config.path == shipped_folder("config") / "default.toml"
    assert config.text == config.path.read_text(encoding="utf-8")
    assert len(config.run.instruments) == 8
    assert [feed.name for feed in config.run.feeds] == ["market"]


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        ("account", AccountSettings),
        ("engine", EngineSettings),
        ("storage", StorageSettings),
        ("pipeline", PipelineSettings),
        ("pipeline.imbalance", ImbalanceSettings),
        ("pipeline.volatility", VolatilitySettings),
        ("pipeline.adverse_selection", AdverseSelectionSettings),
        ("pipeline.flow", FlowSettings),
        ("opportunities", OpportunitySettings),
        ("orders", OrderSettings),
        ("quoting", QuotingSettings),
        ("instruments", InstrumentSettings),
        ("venues", VenueSettings),
        ("feeds", SimulatedFeedSettings),
        ("brokers", PaperBrokerSettings),
        ("strategies", StrategySettings),
        ("strategies.ask", AskSettings),
        ("risk", RiskSettings),
        ("journal", JournalSettings),
        ("recording", RecordingSettings),
        ("ui", UiSettings),
    ],
)
def test_the_default_explains_every_key_that_there_is(
    section: str, settings: type[Settings]
) -> None:
    text = (shipped_folder("config") / "default.toml").read_text(encoding="utf-8")
    head = re.search(rf"^(# )?\[+{re.escape(section)}\]+$", text, re.MULTILINE)
    assert head is not None
    following = re.compile(r"^\[", re.MULTILINE).search(text, head.end())
    part = text[head.end() : following.start() if following else None]
    named = set(re.findall(r"^(?:# )?(\w+) = ", part, re.MULTILINE))
    tables = get_type_hints(settings)
    keys = {field.name for field in structs.fields(settings)}
    # A table of its own is in the list above.
    assert {key for key in keys if not _is_table(tables[key])} <= named


def _is_table(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings)


@pytest.mark.parametrize("name", ["recording-binance.toml", "recording-klines.toml"])
def test_the_recordings_explain_every_key_of_a_file_feed(name: str) -> None:
    text = (shipped_folder("config") / name).read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE))
    assert {field.name for field in structs.fields(FileFeedSettings)} <= named


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_config_with_every_key_switched_on_is_good(
    name: str, tmp_path: Path
) -> None:
    text = (shipped_folder("config") / name).read_text(encoding="utf-8")
    switched_on = re.sub(
        r"^# (\w+ = |\[\[instruments\]\])", r"\1", text, flags=re.MULTILINE
    )
    assert switched_on != text
    path = tmp_path / name
    path.write_text(switched_on, encoding="utf-8")
    load_config(path)


def test_defaults_fill_what_a_config_leaves_out(folder: Path) -> None:
    path = write(folder / "least.toml", GOOD[GOOD.index("[[feeds]]") :])
    run = load_config(path).run
    assert (run.mode, run.seed) == ("simulation", 7)
    assert run.engine == EngineSettings()
    assert run.risk == RiskSettings()


def test_the_effective_config_decodes_to_the_same_run(folder: Path) -> None:
    config = load_config(folder / "x.toml", ["risk.leverage=3", "engine.speed=2"])
    assert msgspec.json.decode(config.effective, type=RunSettings) == config.run
    assert config.run.risk.leverage == Decimal(3)


def test_the_same_run_has_the_same_effective_text_however_it_was_written(
    folder: Path,
) -> None:
    sections = GOOD.split("[[feeds]]")
    turned = '[risk]\nleverage = 1\n[engine]\nspeed = 4.0\n[account]\ncurrency="USDT"\n'
    other = write(folder / "y.toml", turned + "[[feeds]]" + sections[1])
    first = load_config(folder / "x.toml").effective
    assert load_config(other).effective == first


def test_a_seed_from_outside_wins(folder: Path) -> None:
    assert load_config(folder / "x.toml", ["seed=8"], seed=9).run.seed == 9
    assert load_config(folder / "x.toml", ["seed=8"]).run.seed == 8


def test_overrides_reach_into_arrays_and_make_tables(folder: Path) -> None:
    config = load_config(
        folder / "x.toml",
        [
            'feeds.0.symbols=["SOLUSDT"]',
            "strategies.0.params.fast=5",
            "brokers.0.cash.USDT=5",
            'ui.keymap."clock.play"="f5"',
            "storage.window=60",
            'strategies.1={name="second", script="ema_cross.py"}',
        ],
    )
    run = config.run
    assert [instrument.id for instrument in run.instruments] == ["SOLUSDT"]
    assert run.strategies[0].params == {"fast": 5}
    assert run.brokers[0].cash == {"USDT": Decimal(5)}
    assert config.ui.keymap == {"clock.play": "f5"}
    assert run.storage.window == 60
    assert run.strategies[1].name == "second"


def test_the_last_of_two_overrides_of_one_key_wins(folder: Path) -> None:
    assert load_config(folder / "x.toml", ["seed=1", "seed=2"]).run.seed == 2


def test_files_with_a_slash_start_at_the_config_and_from_set_at_the_shell(
    folder: Path, tmp_path: Path
) -> None:
    for place in (folder / "in", tmp_path / "in"):
        for name in ("a.gz", "b.gz"):
            write(place / name, "")
    text = RECORDING.replace('"a.gz", "b.gz"', '"in/a.gz", "in/b.gz"')
    path = write(folder / "r.toml", text)
    [feed] = load_config(path).run.feeds
    assert isinstance(feed, FileFeedSettings)
    assert feed.files == (str(folder / "in/a.gz"), str(folder / "in/b.gz"))
    [feed] = load_config(path, ['feeds.0.files=["in/b.gz", "in/a.gz"]']).run.feeds
    assert isinstance(feed, FileFeedSettings)
    assert feed.files == (str(tmp_path / "in/b.gz"), str(tmp_path / "in/a.gz"))


def test_a_bare_name_from_set_is_looked_for_at_the_shell_first(
    folder: Path, tmp_path: Path
) -> None:
    for place in (folder, tmp_path):
        for name in ("a.gz", "b.gz"):
            write(place / name, "")
    path = write(folder / "r.toml", RECORDING)
    [feed] = load_config(path, ['feeds.0.files.1="b.gz"']).run.feeds
    assert isinstance(feed, FileFeedSettings)
    assert feed.files == (str(folder / "a.gz"), str(tmp_path / "b.gz"))
    [feed] = load_config(path, ['feeds.0.files=["b.gz", "a.gz"]']).run.feeds
    assert isinstance(feed, FileFeedSettings)
    assert feed.files == (str(tmp_path / "b.gz"), str(tmp_path / "a.gz"))


def test_line_ends_and_marks_of_windows_do_no_harm(folder: Path) -> None:
    path = folder / "w.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    run = load_config(path).run
    assert run == load_config(folder / "x.toml").run


def test_bare_names_are_found_beside_the_config_then_the_users_then_shipped(
    folder: Path, home: Path
) -> None:
    config = folder / "x.toml"
    shipped = shipped_folder("strategies") / "ema_cross.py"
    assert load_config(config).run.strategies[0].script == str(shipped.resolve())
    users = write(home / "config/workstation/strategies/ema_cross.py", "")
    assert load_config(config).run.strategies[0].script == str(users)
    starter = write(folder.parent / "strategies/ema_cross.py", "")
    assert load_config(config).run.strategies[0].script == str(starter)
    beside = write(folder / "ema_cross.py", "")
    assert load_config(config).run.strategies[0].script == str(beside)


def test_the_users_script_wins_over_the_shipped_one_for_a_shipped_config(
    home: Path,
) -> None:
    users = write(home / "config/workstation/strategies/ema_cross.py", "")
    assert load_config(None).run.strategies[0].script == str(users)


def test_a_bare_config_name_is_found_in_the_users_folder_then_shipped(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path("default.toml")
    assert load_config(name).path == shipped_folder("config") / "default.toml"
    users = write(home / "config/workstation/config/default.toml", GOOD)
    assert load_config(name).path == users
    assert load_config(None).path == users


def test_an_instrument_of_the_config_wins_over_the_default(folder: Path) -> None:
    entry = (
        '[[instruments]]\nsymbol = "ETHUSDT"\ntick_size = "0.5"\nlot_size = 1\n'
        'min_notional = 10\nmax_notional = "9e6"\nmin_quantity = 2\n'
        "max_quantity = 2\nmarket_max_quantity = 3\nmin_price = 1\n"
        'max_price = "5000"\nid = "ether"\n'
    )
    text = GOOD.replace("[[feeds]]", entry + "[[feeds]]").replace('"*"', '"ETHUSDT"')
    config = load_config(write(folder / "i.toml", text))
    bitcoin, ether = config.run.instruments
    assert bitcoin.id == "BTCUSDT"
    assert (ether.id, ether.base, ether.quote) == ("ether", "ETH", "USDT")
    assert (ether.tick_size, ether.lot_size) == (Decimal("0.5"), Decimal(1))
    assert (ether.min_notional, ether.max_notional) == (Decimal(10), Decimal("9e6"))
    assert (ether.min_quantity, ether.max_quantity) == (Decimal(2), Decimal(2))
    assert ether.market_max_quantity == 3
    assert (ether.min_price, ether.max_price) == (Decimal(1), Decimal(5000))
    assert config.run.strategies[0].symbols == ("ether",)


def test_a_symbol_of_two_venues_gets_ids_that_differ(folder: Path) -> None:
    second = (
        '[[feeds]]\nname = "quotes"\ntype = "file"\nformat = "quotes"\n'
        'files = ["q.csv"]\nsymbols = ["BTCUSDT"]\n'
    )
    for name in ("a.gz", "b.gz", "q.csv"):
        write(folder / name, "")
    path = write(folder / "two.toml", RECORDING + second)
    run = load_config(path, ['strategies.0.symbols=["BTCUSDT"]']).run
    ids = [instrument.id for instrument in run.instruments]
    assert ids == ["BTCUSDT.binance", "ETHUSDT", "BTCUSDT.file"]
    assert run.strategies[0].symbols == ("BTCUSDT.binance", "BTCUSDT.file")


def test_several_feeds_of_one_symbol_and_venue_share_its_instrument(
    folder: Path,
) -> None:
    second = (
        '[[feeds]]\nname = "trades"\ntype = "file"\nformat = "binance-trades"\n'
        'files = ["t.csv"]\nsymbols = ["BTCUSDT"]\n'
    )
    for name in ("a.gz", "b.gz", "t.csv"):
        write(folder / name, "")
    run = load_config(write(folder / "two.toml", RECORDING + second)).run
    assert [item.id for item in run.instruments] == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        (None, "state/workstation/journals"),
        ("", ""),
        ("runs.sqlite", "runs/runs.sqlite"),
        ("sub/", "runs/sub"),
    ],
)
def test_the_journal_is_beside_the_config_or_in_the_users_folder(
    written: str | None, resolved: str, folder: Path, tmp_path: Path, home: Path
) -> None:
    text = GOOD if written is None else f'{GOOD}[journal]\npath = "{written}"\n'
    found = load_config(write(folder / "j.toml", text)).run.journal.path
    base = home if written is None else tmp_path
    assert found == (str(base / resolved) if resolved else "")


def test_over_ssh_frames_are_rarer_unless_the_config_says_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "x.toml"
    assert load_config(path).run.engine.frame_hz == 10
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 22 192.0.2.2 22")
    assert load_config(path).run.engine.frame_hz == 4
    assert load_config(path, ["engine.frame_hz=9"]).run.engine.frame_hz == 9


def test_what_the_user_chose_holds_unless_the_config_says_otherwise(
    folder: Path, home: Path
) -> None:
    write(
        home / "config/workstation/settings.toml",
        '[ui]\ntheme = "okabe-dark"\nlayout = 7\nkeymap = { "clock.play" = "f5" }\n'
        'chart = ["rsi(14)"]\nchart2 = ["macd"]\n',
    )
    ui = load_config(folder / "x.toml", ["ui.layout=2", 'ui.keymap."app.help"="f1"']).ui
    assert (ui.theme, ui.layout) == ("okabe-dark", 2)
    assert ui.keymap == {"clock.play": "f5", "app.help": "f1"}
    assert (ui.chart, ui.chart2) == (("rsi(14)",), ("macd",))


def test_a_limit_is_taken_away_with_none() -> None:
    config = load_config(None, ['risk.max_daily_loss="none"', "risk.max_open_orders=7"])
    assert config.run.risk.max_daily_loss is None
    assert config.run.risk.max_open_orders == 7
    assert msgspec.json.decode(config.effective, type=RunSettings) == config.run
