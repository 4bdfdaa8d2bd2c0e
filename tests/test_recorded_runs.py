"""A recorded run where a config is expected, and a feed over one in a config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.recordings import folder_of, recorded, small_recording
from tests.engine.runs import BINANCE, SMALL, finish
from workstation.cli import main
from workstation.config import load_config
from workstation.config.problems import ConfigProblems
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until
from workstation.engine.settings import FeedSettings
from workstation.paths import recordings_folder
from workstation.venues.recording.folder import Recording
from workstation.venues.recording.settings import RecordingFeedSettings

CONFIG = """
mode = "recording"
[[feeds]]
name = "again"
type = "recording"
path = "{path}"
{rest}
[[strategies]]
name = "ema_cross"
script = "ema_cross.py"
timeframe = "1s"
[journal]
path = ""
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a recording of the small run."""
    return small_recording(tmp_path / "recordings").folder


def write(folder: Path, rest: str = 'feed = "market"', path: str = "") -> Path:
    """Return a config beside the recording, which names it by a relative path."""
    config = folder.parent.parent / "x.toml"
    config.write_text(
        CONFIG.format(path=path or f"recordings/{folder.name}", rest=rest),
        encoding="utf-8",
    )
    return config


def problems(config: Path, *overrides: str) -> str:
    with pytest.raises(ConfigProblems) as caught:
        load_config(config, overrides)
    return str(caught.value)


def test_a_folder_is_its_run_with_recording_feeds(folder: Path) -> None:
    config = load_config(folder)
    run = config.run
    assert config.path == folder / "header.json"
    assert run.mode == "recording"
    assert run.journal.path == ""
    assert run.feeds == (
        RecordingFeedSettings(
            name="market", path=str(folder), symbols=("BTCUSDT", "ETHUSDT")
        ),
    )
    assert [each.id for each in run.instruments] == ["BTCUSDT", "ETHUSDT"]
    assert {each.venue for each in run.instruments} == {"simulated"}
    assert run.strategies[0].timeframe == "1s"


def test_settings_apply_to_a_folder_as_to_a_config(folder: Path) -> None:
    run = load_config(folder, ["risk.leverage=3", "feeds.0.record=true"], seed=9).run
    assert run.seed == 9
    assert str(run.risk.leverage) == "3"
    assert run.feeds[0].record
    said = problems(folder, "engine.sped=3", "strategies.0.timeframe=1")
    assert "--set engine.sped=3: engine.sped: unknown key" in said
    assert "--set strategies.0.timeframe=1" in said


def test_a_script_that_has_moved_is_looked_for_by_its_name(folder: Path) -> None:
    header = folder / "header.json"
    here = load_config(folder).run.strategies[0].script
    text = header.read_text(encoding="utf-8").replace(here, "/gone/ema_cross.py")
    assert text != header.read_text(encoding="utf-8")
    header.write_text(text, encoding="utf-8")
    assert load_config(folder).run.strategies[0].script == here


def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    assert "no recording: header.json: No such file" in problems(tmp_path)
    (tmp_path / "header.json").write_text("{}")
    assert "not the header of a recording" in problems(tmp_path)


def test_a_config_may_play_a_recording(folder: Path) -> None:
    run = load_config(write(folder)).run
    (feed,) = run.feeds
    assert isinstance(feed, RecordingFeedSettings)
    assert feed.path == str(folder)
    session = assemble_session(run, paused=True)
    finish(session, Until(events=500))
    assert session.engine.delivered == 500
    assert session.engine.sources.feeds[0].instruments == ("BTCUSDT", "ETHUSDT")


def test_a_config_may_take_one_symbol_of_a_recording(folder: Path) -> None:
    rest = 'feed = "market"\nsymbols = ["ETHUSDT"]'
    run = load_config(write(folder, rest)).run
    assert [each.id for each in run.instruments] == ["ETHUSDT"]
    session = assemble_session(run, paused=True)
    finish(session)
    assert session.aggregator.instrument("ETHUSDT").trades > 0


def test_an_instrument_of_the_config_corrects_the_recorded_one(folder: Path) -> None:
    rest = (
        'feed = "market"\n[[instruments]]\nsymbol = "BTCUSDT"\nid = "other"\n'
        'tick_size = "0.5"\nlot_size = "1"'
    )
    first = load_config(write(folder, rest)).run.instruments[0]
    # The events bear the id of the recording.
    assert (first.id, str(first.tick_size)) == ("BTCUSDT", "0.5")


@pytest.mark.parametrize(
    ("rest", "path", "said"),
    [
        ("", "", 'feeds.0.feed: found "again"; allowed: a feed of the recording'),
        ('feed = "markt"', "", "did you mean"),
        (
            'feed = "market"\nsymbols = ["XBT"]',
            "",
            'feeds.0.symbols.0: found "XBT"; allowed: what was recorded of market: '
            "BTCUSDT, ETHUSDT",
        ),
        ('feed = "market"', "nowhere", 'feeds.0.path: found "nowhere"; allowed: a rec'),
        ('feed = "market"\non_error = "go"', "", "feeds.0.on_error"),
    ],
)
def test_what_is_wrong_with_a_recording_feed_is_said(
    folder: Path, rest: str, path: str, said: str
) -> None:
    assert said in problems(write(folder, rest, path))


def test_recordings_do_not_go_with_a_simulation(folder: Path) -> None:
    said = problems(write(folder), 'mode="simulation"')
    assert 'found "recording", which does not go with mode "simulation"' in said


def test_recordings_are_kept_where_the_settings_say(tmp_path: Path) -> None:
    assert load_config(None).run.recording.path == str(recordings_folder())
    run = load_config(None, ['recording.path="mine"']).run
    assert run.recording.path == str(Path.cwd() / "mine")


def test_feeds_are_recorded_only_where_they_say_so(tmp_path: Path) -> None:
    given = [f"recording.path={json.dumps(str(tmp_path))}", 'journal.path=""', *SMALL]
    finish(assemble_session(load_config(None, given).run), Until(events=10))
    assert not any(tmp_path.iterdir())
    given.append("feeds.0.record=true")
    finish(assemble_session(load_config(None, given).run), Until(events=10))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_feed_may_be_recorded(tmp_path: Path) -> None:
    made, _ = recorded(tmp_path, config=BINANCE, until=Until(events=50))
    run = load_config(folder_of(made)).run
    assert {each.venue for each in run.instruments} == {"binance"}
    assert [each.name for each in run.feeds] == ["spot"]


def test_the_page_names_every_key_of_a_recording_feed() -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "recordings.md"
    text = page.read_text(encoding="utf-8")
    for name in RecordingFeedSettings.__struct_fields__:
        assert f"`{name}`" in text
    assert RecordingFeedSettings in FeedSettings.__args__


# The command line.


def test_a_recording_runs_without_a_screen_and_says_that_it_is_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(folder), "--headless", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["mode"] == "recording"
    assert report["recorded"] == {"state_hash": report["state_hash"], "same": True}


def test_a_recording_that_cannot_be_kept_fails_the_command_after_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    path = json.dumps(str(tmp_path / "file" / "x"))
    given = ["--set", f"recording.path={path}", "--set", "feeds.0.record=true"]
    command = ["run", "--headless", "--until", "events=50", "--json", *given]
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["events"] == 50
    assert "nothing more is recorded: recording" in err


def test_a_recording_that_was_cut_runs_and_says_what_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = folder / "index.jsonl"
    index.write_bytes(b"".join(index.read_bytes().splitlines(keepends=True)[:2]))
    assert main(["run", str(folder), "--headless", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["events"] > 0
    assert "workstation: feed market: the recording breaks off after event" in err


def test_damage_of_a_recording_fails_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "market-000001.events.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    assert main(["run", str(folder), "--headless", "--json"]) == 1
    assert "market-000001.events.gz: block" in capsys.readouterr().err
    assert main(["check", str(folder)]) == 1
    assert "market-000001.events.gz: block" in capsys.readouterr().err


def test_check_says_what_is_in_a_recording(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "a recorded run in mode simulation, made by version" in out
    end = Recording(folder).end
    assert end is not None
    assert f"feed market: {end.events:,} events of 2 symbols in 1 file, " in out
    assert "from 2024-08-08T00:00:00.000000000Z to 2024-08-08T00:02:59." in out
    assert "  ended" in out
    assert f"the run ended after {end.events:,} events, state hash " in out
    assert "run again it has the same state hash" in out


def test_check_says_what_a_recording_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = (
        'feeds.1={type="simulated", name="second", symbols=["SOLUSDT"], duration="1m"}'
    )
    made, _ = recorded(tmp_path, *SMALL, second)
    assert main(["check", str(folder_of(made))]) == 0
    out = capsys.readouterr().out
    assert "feed second: not recorded" in out
    assert "it is not the whole of its run" in out
    assert main(["run", str(folder_of(made)), "--headless"]) == 0
    assert "feed second was not recorded: nothing" in capsys.readouterr().err


def test_check_counts_raw_frames_and_sees_when_they_are_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _ = recorded(tmp_path, config=BINANCE, until=Until(events=500))
    folder = folder_of(made)
    assert main(["check", str(folder)]) == 0
    assert "raw frames: 500 in 2 files" in capsys.readouterr().out
    path = folder / "spot.BTCUSDT-000001.raw.gz"
    path.write_bytes(path.read_bytes() + b"x")
    assert main(["check", str(folder)]) == 1
    assert f"{path.name}: is not what the index says" in capsys.readouterr().err
