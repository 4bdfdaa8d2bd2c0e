"""Recording a run: what is written gives the same run again, and nothing stops it."""

from __future__ import annotations

import errno
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.recordings import (
    again,
    folder_of,
    recorded,
    recording_session,
    said,
    small_recording,
)
from tests.engine.runs import (
    BINANCE,
    KLINES,
    SHIPPED,
    SMALL,
    Wall,
    finish,
    frame_of,
    kept,
    settings,
    small,
)
from workstation.config import load_config
from workstation.engine import tape
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.report import report_dict
from workstation.engine.session import Session
from workstation.model.commands import PauseTask, ResumeTask
from workstation.model.market import BookSnapshot
from workstation.model.records import BookRecord, FeedRecord, Record
from workstation.model.states import BookTrust
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.recording.feed import RecordingFeed
from workstation.venues.recording.folder import Recording
from workstation.venues.recording.index import Began, End, Gap, Halted, Segment
from workstation.venues.recording.settings import RecordingFeedSettings

TWO_VENUES = SHIPPED / "two-venues.toml"
TWO_FEEDS = (
    *SMALL,
    "feeds.0.gaps_per_hour=400",
    'feeds.1={type="simulated", name="second", symbols=["SOLUSDT","ADAUSDT"], '
    'duration="2m", gaps_per_hour=400}',
)
"""Two feeds, of which one ends a minute before the other, and books with holes."""


def _untimed(session: Session) -> dict[str, Any]:
    """Return the report without what is of the very run: mode, files."""
    left_out = ("mode", "recording", "recording_failure", "recorded")
    report = report_dict(session)
    return {name: value for name, value in report.items() if name not in left_out}


@pytest.mark.parametrize(
    ("overrides", "config", "feeds", "until"),
    [
        (SMALL, None, 1, None),
        (SMALL, None, 1, Until(events=1_234)),
        (SMALL, None, 1, Until(events=1)),
        (TWO_FEEDS, None, 2, None),
        (TWO_FEEDS, None, 2, Until.parse("time=150s")),
        ((), BINANCE, 1, None),
        ((), TWO_VENUES, 2, Until(events=3_000)),
        ((), KLINES, 1, Until(events=1_500)),
    ],
    ids=[
        "small",
        "stopped",
        "one event",
        "two feeds",
        "two, stopped",
        "raw",
        "venues",
        "bars",
    ],
)
def test_a_recording_gives_the_run_again(
    tmp_path: Path,
    overrides: tuple[str, ...],
    config: Path | None,
    feeds: int,
    until: Until | None,
) -> None:
    made, records = recorded(
        tmp_path,
        *overrides,
        feeds=feeds,
        until=until,
        **({} if config is None else {"config": config}),
    )
    played, repeated = again(folder_of(made))
    assert repeated == records
    assert _untimed(played) == _untimed(made)
    assert played.engine.delivered > 0
    assert report_dict(played)["recorded"] == {
        "state_hash": made.engine.state_hash(),
        "same": True,
    }


def test_a_simulated_hour_recorded_and_run_again_has_the_same_hash(
    tmp_path: Path,
) -> None:
    two = 'feeds.0.symbols=["BTCUSDT","ETHUSDT"]'
    made, records = recorded(tmp_path, two, until=Until.parse("time=60m"))
    assert made.engine.delivered > 50_000
    played, repeated = again(folder_of(made))
    assert played.engine.delivered == made.engine.delivered
    assert played.engine.state_hash() == made.engine.state_hash()
    assert len(repeated) == len(records)


def test_recording_changes_nothing_of_the_run(tmp_path: Path) -> None:
    made, _ = recorded(tmp_path, *SMALL)
    plain = small()
    assert finish(plain) == made.engine.state_hash()


def test_a_changed_setting_is_another_run(tmp_path: Path) -> None:
    made, _ = recorded(tmp_path, *SMALL)
    played, _ = again(folder_of(made), "strategies.0.params.fast=9")
    assert played.engine.state_hash() != made.engine.state_hash()
    assert report_dict(played)["recorded"]["same"] is False


def test_a_recording_can_be_recorded_again(tmp_path: Path) -> None:
    made, records = recorded(tmp_path, *TWO_FEEDS, feeds=2)
    second, _ = again(
        folder_of(made),
        f"recording.path={json.dumps(str(tmp_path / 'second'))}",
        "feeds.0.record=true",
        "feeds.1.record=true",
    )
    third, repeated = again(folder_of(second))
    assert repeated == records
    assert third.engine.state_hash() == made.engine.state_hash()


def test_a_journal_of_a_played_recording_replays(tmp_path: Path) -> None:
    made, _ = recorded(tmp_path, *SMALL)
    path = tmp_path / "j.sqlite"
    again(folder_of(made), f"journal.path={json.dumps(str(path))}")
    result = replay_journal(path)
    assert result.matches, result.first_difference


def test_a_replay_records_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    base = tmp_path / "recordings"
    recorded(base, *SMALL, f"journal.path={json.dumps(str(path))}")
    assert replay_journal(path).matches
    assert len(list(base.iterdir())) == 1


# What the index says.


def test_the_index_has_gaps_segments_and_the_end(tmp_path: Path) -> None:
    made, records = recorded(tmp_path, *TWO_FEEDS, feeds=2)
    recording = Recording(folder_of(made))
    gaps = [line for line in recording.lines if isinstance(line, Gap)]
    breaks = [
        record
        for record in records
        if isinstance(record, BookRecord) and record.after is BookTrust.UNTRUSTED
    ]
    opened = [gap for gap in gaps if gap.what == "opened"]
    assert [(gap.seq, gap.reason, gap.expected, gap.got) for gap in opened] == [
        (each.seq, each.reason, each.expected, each.got) for each in breaks
    ]
    assert len(opened) > 5
    assert any(gap.what == "mended" for gap in gaps)
    end = recording.end
    assert end is not None
    assert (end.how, end.by_hand) == ("ended", 0)
    assert end.state_hash == made.engine.state_hash()
    assert end.events == made.engine.delivered == sum(end.recorded.values())
    for feed in made.engine.sources.feeds:
        (segment,) = recording.segments(feed.name).values()
        assert (segment.first, segment.items) == (1, feed.delivered)
        assert segment.last_ts == feed.last_ts
        file = recording.folder / segment.file
        assert file.stat().st_size == segment.bytes
    assert recording.damage == []
    assert recording.gives_the_same


def test_a_stopped_run_says_so_and_its_feed_did_not_end(tmp_path: Path) -> None:
    made, records = recorded(tmp_path, *SMALL, until=Until(events=500))
    recording = Recording(folder_of(made))
    assert recording.end is not None
    assert recording.end.how == "stopped"
    assert recording.over("market") is None
    assert said(records, "ended") == []


def test_what_an_operator_did_is_counted_so_that_no_hash_is_promised(
    tmp_path: Path,
) -> None:
    session = recording_session(tmp_path, *SMALL)
    run_backtest(session.engine, Until(events=500))
    session.execute(PauseTask(task="market"))
    run_backtest(session.engine, Until(events=500))
    for _ in range(100):
        session.driver.step()
    session.execute(ResumeTask(task="market"))
    finish(session)
    recording = Recording(folder_of(session))
    assert recording.end is not None
    assert recording.end.by_hand == 2
    assert not recording.gives_the_same
    shed = session.engine.sources.feeds[0].shed
    assert shed == 100
    # What was shed was read all the same, and is there.
    assert recording.end.recorded["market"] == session.engine.delivered + shed
    played, _ = again(recording.folder)
    assert "recorded" not in report_dict(played)


def test_files_are_changed_by_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.engine.recording_writer._ROUND", 500)
    recording = small_recording(tmp_path, "recording.rotate_mb=0.001")
    _check_segments(recording, 5)


def test_files_are_changed_by_the_runs_time(tmp_path: Path) -> None:
    recording = small_recording(tmp_path, "recording.rotate_minutes=0.5")
    segments = _check_segments(recording, 6)
    spans = [each.last_ts - each.first_ts for each in segments]
    assert all(span < 30_000_000_000 for span in spans)


def _check_segments(recording: Recording, least: int) -> list[Segment]:
    segments = list(recording.segments("market").values())
    assert len(segments) >= least
    assert [each.number for each in segments] == list(range(1, len(segments) + 1))
    following = 1
    for each in segments:
        assert each.first == following
        following += each.items
    played, _ = again(recording.folder)
    assert played.engine.delivered == following - 1
    assert report_dict(played)["recorded"]["same"]
    return segments


# Raw frames.


def test_raw_frames_are_the_lines_of_the_events_and_read_as_a_capture(
    tmp_path: Path,
) -> None:
    made, _ = recorded(tmp_path, config=BINANCE)
    folder = folder_of(made)
    files = sorted(folder.glob("*.raw.gz"))
    assert [file.name for file in files] == [
        "spot.BTCUSDT-000001.raw.gz",
        "spot.ETHUSDT-000001.raw.gz",
    ]
    capture = FileFeed(
        FileFeedSettings(
            name="spot",
            format="binance-raw",
            files=tuple(str(file) for file in files),
            symbols=("BTCUSDT", "ETHUSDT"),
        ),
        files,
        {"BTCUSDT": "BTCUSDT", "ETHUSDT": "ETHUSDT"},
    )
    events = RecordingFeed(RecordingFeedSettings(name="spot", path=str(folder)))
    count = 0
    while (item := events.next()) is not None:
        assert capture.next() == item
        count += 1
    assert capture.next() is None
    assert count == made.engine.delivered
    kept = {s.file: s.items for s in Recording(folder).frames()}
    assert sum(kept.values()) == count


def test_raw_frames_begin_with_the_event_that_is_recorded_first(
    tmp_path: Path,
) -> None:
    run = settings(f"recording.path={json.dumps(str(tmp_path))}", config=BINANCE)
    session = assemble_session(run, paused=True)
    run_backtest(session.engine, Until(events=700))
    assert session.toggle_recording("spot").accepted
    run_backtest(session.engine, Until(events=900))
    finish(session, Until(events=900))
    folder = folder_of(session)
    recording = Recording(folder)
    assert sum(each.items for each in recording.frames()) == 200
    began = recording.began("spot")
    assert began is not None
    assert began.snapshots == 2
    feed = RecordingFeed(RecordingFeedSettings(name="spot", path=str(folder)))
    times = [item[0] for item in iter(feed.next, None)][began.snapshots :]
    raw = b"".join(
        _unpacked(folder / each.file) for each in recording.frames()
    ).splitlines()
    assert sorted(int(line[:19]) for line in raw) == times


def _unpacked(path: Path) -> bytes:
    import gzip

    return gzip.decompress(path.read_bytes())


# Begun and ended by hand.


def _half(tmp_path: Path, *overrides: str) -> Session:
    run = settings(*SMALL, f"recording.path={json.dumps(str(tmp_path))}", *overrides)
    session = assemble_session(run, paused=True)
    run_backtest(session.engine, Until(events=1_000))
    return session


def test_a_recording_begun_in_the_middle_starts_from_the_books_as_they_were(
    tmp_path: Path,
) -> None:
    session = _half(tmp_path)
    seq, ts = session.engine.core.seq, session.engine.core.ts
    tops = {
        name: session.aggregator.instrument(name).book.digest()[-2:]  # type: ignore[union-attr]
        for name in ("BTCUSDT", "ETHUSDT")
    }
    answer = session.toggle_recording("market")
    assert answer.accepted, answer.detail
    finish(session)
    recording = Recording(folder_of(session))
    began = recording.began("market")
    assert began == Began(
        feed="market", event=1, ts=ts, seq=seq, whole=False, snapshots=2
    )
    assert not recording.gives_the_same
    feed = RecordingFeed(
        RecordingFeedSettings(name="market", path=str(recording.folder))
    )
    assert f"recorded from seq {seq}" in feed.note
    for name in ("BTCUSDT", "ETHUSDT"):
        item = feed.next()
        assert item is not None
        snapshot = item[1]
        assert isinstance(snapshot, BookSnapshot)
        assert (snapshot.instrument, snapshot.ts_recv) == (name, ts)
        assert (list(snapshot.bids), list(snapshot.asks)) == tops[name]
    feed.close()
    played, _ = again(recording.folder)
    assert played.engine.delivered == session.engine.delivered - 1_000 + 2
    for name in ("BTCUSDT", "ETHUSDT"):
        mine = session.aggregator.instrument(name).book
        theirs = played.aggregator.instrument(name).book
        assert mine is not None
        assert theirs is not None
        assert theirs.trust is mine.trust is BookTrust.TRUSTED
        assert theirs.digest()[-2:] == mine.digest()[-2:]
        assert theirs.update_id == mine.update_id


def test_an_untrusted_book_is_not_written_as_if_it_were_sound(tmp_path: Path) -> None:
    session = _half(tmp_path)
    session.aggregator.mark_untrusted("BTCUSDT", "test")
    session.toggle_recording("market")
    session.close()
    began = Recording(folder_of(session)).began("market")
    assert began is not None
    assert began.snapshots == 1


def test_what_was_not_recorded_between_is_a_hole_after_which_nothing_is_trusted(
    tmp_path: Path,
) -> None:
    session = _half(tmp_path)
    session.toggle_recording("market")
    run_backtest(session.engine, Until(events=1_500))
    answer = session.toggle_recording("market")
    assert "no longer" in answer.detail
    run_backtest(session.engine, Until(events=2_000))
    session.toggle_recording("market")
    finish(session)
    recording = Recording(folder_of(session))
    halted = [line for line in recording.lines if isinstance(line, Halted)]
    assert [line.event for line in halted] == [503]
    played, records = again(recording.folder)
    (hole,) = said(records, "hole")
    assert "not recorded from 2024-08-08T" in hole
    assert played.engine.delivered == session.engine.delivered - 1_500 + 4
    lost = [
        record.instrument
        for record in records
        if isinstance(record, BookRecord)
        and record.after is BookTrust.UNTRUSTED
        and "not recorded" in record.reason
    ]
    assert sorted(lost) == ["BTCUSDT", "ETHUSDT"]
    for name in lost:
        book = played.aggregator.instrument(name).book
        assert book is not None
        assert book.trust is BookTrust.TRUSTED


def test_a_feed_whose_recording_was_ended_by_hand_says_where(tmp_path: Path) -> None:
    session = _half(tmp_path)
    session.toggle_recording("market")
    run_backtest(session.engine, Until(events=1_500))
    session.toggle_recording("market")
    finish(session)
    _, records = again(folder_of(session))
    (cut,) = said(records, "cut")
    assert "ended by hand at seq" in cut


def test_a_feed_that_was_not_recorded_is_named_and_the_rest_plays(
    tmp_path: Path,
) -> None:
    made, _ = recorded(tmp_path, *TWO_FEEDS, feeds=1)
    run = load_config(folder_of(made)).run
    session = assemble_session(run, paused=True)
    first, second = session.engine.sources.feeds
    assert getattr(second.connector, "note", "") == (
        "feed second was not recorded: nothing of it is played"
    )
    finish(session)
    assert (first.delivered, second.delivered) == (
        made.engine.sources.feeds[0].delivered,
        0,
    )
    alerts = [alert.text for alert in session.frame(0, frozenset()).alerts]
    assert any("second was not recorded" in text for text in alerts)


def test_a_feed_can_only_be_recorded_while_there_is_something_to_come(
    tmp_path: Path,
) -> None:
    session = _half(tmp_path)
    assert not session.toggle_recording("nobody").accepted
    run_backtest(session.engine)
    answer = session.toggle_recording("market")
    assert not answer.accepted
    assert "has ended" in answer.detail
    session.close()
    assert not any(tmp_path.iterdir())


def test_a_frame_shows_what_is_on_disk(tmp_path: Path) -> None:
    session = _half(tmp_path)
    (row,) = frame_of(session, 0, "feeds").feeds or ()
    assert row.recording is None
    session.toggle_recording("market")
    (row,) = frame_of(session, 0, "feeds").feeds or ()
    assert row.recording is not None
    assert row.recording.since == session.engine.core.ts
    session.close()
    (row,) = frame_of(session, 0, "feeds").feeds or ()
    assert row.recording is not None
    assert row.recording.file == f"{folder_of(session).name}/market-000001.events.gz"
    assert row.recording.events == 2
    assert row.recording.bytes > 0


# What cannot be written.


def test_two_runs_of_one_moment_get_two_folders(tmp_path: Path) -> None:
    run = settings(
        *SMALL,
        "feeds.0.record=true",
        f"recording.path={json.dumps(str(tmp_path))}",
    )
    sessions = [assemble_session(run, paused=True, wall=Wall(0)) for _ in range(2)]
    for session in sessions:
        finish(session, Until(events=100))
    first, second = map(folder_of, sessions)
    assert second.name == f"{first.name}-2"
    ids = {Recording(folder).header.id for folder in (first, second)}
    assert len(ids) == 2
    for folder in (first, second):
        assert again(folder)[0].engine.delivered == 100


def test_a_folder_that_cannot_be_made_does_not_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    session = recording_session(tmp_path / "file" / "deep", *SMALL)
    plain = small()
    assert finish(session) == finish(plain)
    report = report_dict(session)
    assert report["recording"] is None
    assert "give another folder as [recording] path" in report["recording_failure"]
    alerts = [alert.text for alert in session.frame(0, frozenset()).alerts]
    assert any("Not a directory" in text for text in alerts)


def _full_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let the disk take ``count`` bytes more, the last of them in part."""
    write, left = tape.write_all, count

    def limited(stream: Any, content: bytes) -> None:
        nonlocal left
        room = content[:left]
        left -= len(room)
        write(stream, room)
        if len(room) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tape, "write_all", limited)


@pytest.mark.parametrize("count", [0, 1, 50, 5_000, 60_000])
def test_a_full_disk_ends_the_recording_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    _full_after(monkeypatch, count)
    session = recording_session(tmp_path, *SMALL, "recording.rotate_mb=0.02")
    plain = small()
    assert finish(session) == finish(plain)
    failure = session.recorder.failure
    assert failure is not None
    assert "No space left on device; the run goes on" in failure
    alerts = [alert.text for alert in session.frame(0, frozenset()).alerts]
    assert failure in alerts
    recording = Recording(folder_of(session))
    assert recording.is_cut
    played, records = again(recording.folder)
    delivered = played.engine.delivered
    if delivered:
        (cut,) = said(records, "cut")
        assert "No space left on device" in cut
        assert f"after event {delivered:,} of market" in cut
    assert delivered < session.engine.delivered


def test_a_disk_that_is_far_behind_ends_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.engine.recording_writer._MOST_WAITING", 10)
    monkeypatch.setattr("workstation.engine.recording_writer._LOOK_S", 60.0)
    session = recording_session(tmp_path, *SMALL)
    finish(session)
    assert session.recorder.failure is not None
    assert "does not keep up" in session.recorder.failure
    assert session.engine.sources.feeds[0].tap is None


# Killed.

_UNTIL = 30.0


def _killed(base: Path, grown: Callable[[Path], bool], *overrides: str) -> Path:
    """Kill a recording run once its folder has ``grown``; return the folder."""
    arguments = [sys.executable, "-m", "workstation", "run", "--headless"]
    arguments += ["--until", "time=1000h"]
    given = (
        'journal.path=""',
        f"recording.path={json.dumps(str(base))}",
        "feeds.0.record=true",
        *overrides,
    )
    for each in given:
        arguments += ["--set", each]
    with subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(int(_UNTIL / 0.01)):
                folders = list(base.iterdir()) if base.exists() else []
                if folders and grown(folders[0]):
                    break
                assert process.poll() is None, "the run ended by itself"
                select.select([], [], [], 0.01)
            else:
                raise AssertionError("nothing was recorded")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    return folders[0]


@pytest.mark.parametrize(
    "feeds",
    [
        (),
        (
            'feeds.1={type="simulated", name="second", symbols=["AVAXUSDT"], '
            "record=true}",
        ),
    ],
    ids=["one feed", "two feeds"],
)
def test_a_killed_run_replays_to_its_last_whole_round_and_says_what_is_missing(
    tmp_path: Path, feeds: tuple[str, ...]
) -> None:
    folder = _killed(
        tmp_path,
        lambda folder: b"market-000002.events" in _index(folder),
        "recording.rotate_minutes=1",
        *feeds,
    )
    recording = Recording(folder)
    assert recording.end is None
    assert len(recording.segments("market")) > 1
    played, records = again(folder)
    delivered = played.engine.delivered
    assert delivered > 1_000
    cuts = said(records, "cut")
    assert len(cuts) == 1 + len(feeds)
    for cut in cuts:
        assert "the recording breaks off after event" in cut
        assert "not yet on disk" in cut or "unfinished" in cut or "last round" in cut
    # It is the run as it was until there, and nothing else.
    run = settings(*feeds)
    whole = assemble_session(run, paused=True)
    expected = kept(whole)
    finish(whole, Until(events=delivered))
    assert _without_cuts(records) == expected


def _index(folder: Path) -> bytes:
    path = folder / "index.jsonl"
    return path.read_bytes() if path.exists() else b""


def _without_cuts(records: list[Record]) -> list[Record]:
    return [
        record
        for record in records
        if not isinstance(record, FeedRecord) or record.what != "cut"
    ]


def test_what_was_unfinished_when_it_was_killed_is_named_by_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.engine.recording_writer._ROUND", 300)
    monkeypatch.setattr("workstation.engine.recording_writer._LOOK_S", 60.0)
    recording = small_recording(tmp_path)
    path = recording.folder / "market-000001.events.gz"
    index = recording.folder / "index.jsonl"
    lines = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(b"".join(lines[:2]))
    os.truncate(path, path.stat().st_size - 10)
    played, records = again(recording.folder)
    assert isinstance(recording.end, End)
    assert 0 < played.engine.delivered < recording.end.events
    (cut,) = said(records, "cut")
    unfinished = re.search(
        rf"block \d+ of {path.name} is unfinished: it ends after (\d+) of (\d+) bytes",
        cut,
    )
    assert unfinished is not None
    assert int(unfinished[1]) == int(unfinished[2]) - 10


def test_a_recording_whose_only_block_is_unfinished_says_that_nothing_is_there(
    tmp_path: Path,
) -> None:
    made, _ = recorded(tmp_path, *SMALL, until=Until(events=5))
    folder = folder_of(made)
    index = folder / "index.jsonl"
    index.write_bytes(b"".join(index.read_bytes().splitlines(keepends=True)[:2]))
    os.truncate(folder / "market-000001.events.gz", 40)
    played, records = again(folder)
    assert played.engine.delivered == 0
    (cut,) = said(records, "cut")
    assert "breaks off before its first event: block 1 of " in cut
    assert "it ends after 40 bytes" in cut


def test_a_round_that_is_not_there_for_all_feeds_is_left_out_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.engine.recording_writer._ROUND", 300)
    monkeypatch.setattr("workstation.engine.recording_writer._LOOK_S", 60.0)
    made, _ = recorded(tmp_path, *TWO_FEEDS, feeds=2, until=Until(events=2_000))
    folder = folder_of(made)
    index = folder / "index.jsonl"
    lines = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(b"".join(lines[:3]))
    path = folder / "second-000001.events.gz"
    os.truncate(path, path.stat().st_size - 1)
    cut = Recording(folder).cut()
    assert cut is not None
    assert 0 < cut.through < 2_000
    played, records = again(folder)
    assert played.engine.delivered == cut.through
    for text in said(records, "cut"):
        assert "of the last round 1 of 2 blocks are on disk" in text
        assert "of second-000001.events.gz is unfinished" in text
    whole = assemble_session(settings(*TWO_FEEDS), paused=True)
    expected = kept(whole)
    finish(whole, Until(events=cut.through))
    assert _without_cuts(records) == expected
