"""The recording feed: what is damaged is named, and never a wrong event comes out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.recordings import again, said, small_recording
from workstation.model.errors import ConfigError, FeedHole, RecordingError
from workstation.model.market import MarketEvent
from workstation.model.records import BookRecord
from workstation.venues.recording.feed import RecordingFeed
from workstation.venues.recording.folder import HEADER, Recording
from workstation.venues.recording.index import INDEX
from workstation.venues.recording.settings import RecordingFeedSettings

Item = tuple[int, MarketEvent]
FILE = "market-000002.events.gz"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of some files of several blocks each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workstation.engine.recording_writer._ROUND", 200)
        # Blocks of 200 whatever the machine is doing: all is written at the end.
        patch.setattr("workstation.engine.recording_writer._LOOK_S", 60.0)
        base = tmp_path_factory.mktemp("recordings")
        for name in ("STATE", "DATA", "CONFIG"):
            patch.setenv(f"XDG_{name}_HOME", str(base / name))
        return small_recording(base / "made", "recording.rotate_mb=0.04").folder


class Events(list[Item]):
    """Events that a failing test does not print one by one."""

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


@pytest.fixture(scope="module")
def events(made: Path) -> list[Item]:
    """Return all events of it."""
    return Events(iter(feed_of(made).next, None))


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """Return a copy that may be damaged."""
    return shutil.copytree(made, tmp_path / "copy")


def feed_of(folder: Path, **fields: object) -> RecordingFeed:
    return RecordingFeed(
        RecordingFeedSettings(name="market", path=str(folder), **fields)  # type: ignore[arg-type]
    )


def read(feed: RecordingFeed) -> tuple[list[Item], list[str]]:
    """Return what comes, and what is said of what does not."""
    items: list[Item] = []
    while True:
        try:
            item = feed.next()
        except FeedHole as hole:
            items.append((0, hole))  # type: ignore[arg-type]
            continue
        except RecordingError as error:
            feed.close()
            return items, [str(error)]
        if item is None:
            break
        items.append(item)
    what, detail = feed.ending
    return items, [detail] if what == "cut" else []


def flip(path: Path, at: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= 1 << bit
    path.write_bytes(content)


def test_a_sound_recording_gives_all_its_events(made: Path, events: list[Item]) -> None:
    recording = Recording(made)
    assert len(recording.files("market")) >= 3
    assert recording.end is not None
    assert len(events) == recording.end.recorded["market"]
    assert [ts for ts, _ in events] == [event.ts_recv for _, event in events]
    feed = feed_of(made)
    assert feed.first_ts is None
    first = feed.next()
    assert first == events[0]
    assert feed.first_ts == events[0][0]
    assert 0 < feed.consumed_bytes < feed.total_bytes
    assert read(feed) == (events[1:], [])
    assert feed.consumed_bytes == feed.total_bytes
    assert feed.next() is None
    assert feed.note == feed.last_error == ""
    assert feed.ending == ("ended", "")


def test_a_closed_feed_gives_nothing_more(made: Path) -> None:
    feed = feed_of(made)
    assert feed.next() is not None
    feed.close()
    assert feed.next() is None


def test_only_the_symbols_asked_for_come(made: Path, events: list[Item]) -> None:
    feed = feed_of(made, symbols=("ETHUSDT",))
    wanted = [item for item in events if item[1].instrument == "ETHUSDT"]
    assert read(feed) == (wanted, [])


def test_the_identity_is_of_the_recording_and_not_of_its_place(
    made: Path, copy: Path
) -> None:
    assert feed_of(made).identity() == feed_of(copy).identity()
    one = feed_of(made, symbols=("BTCUSDT",)).identity()
    assert one != feed_of(made).identity()
    (copy / FILE).unlink()
    assert feed_of(copy).identity() != feed_of(made).identity()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"feed": "markt"}, "has no feed markt; it has market"),
        ({"symbols": ("XBT",)}, "XBT is no instrument of recorded feed market"),
    ],
)
def test_what_the_recording_lacks_is_named(
    made: Path, fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        feed_of(made, **fields)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no recording: header.json: No such file"),
        (b"{}", "not the header of a recording: .*format"),
        (b'{"format":', "not the header of a recording"),
    ],
)
def test_a_folder_without_a_header_is_no_recording(
    copy: Path, content: bytes | None, reason: str
) -> None:
    (copy / HEADER).unlink()
    if content is not None:
        (copy / HEADER).write_bytes(content)
    with pytest.raises(RecordingError, match=reason):
        feed_of(copy)


def test_a_recording_of_a_later_version_is_not_guessed_at(copy: Path) -> None:
    text = (copy / HEADER).read_text().replace('"format": 1', '"format": 2')
    (copy / HEADER).write_text(text)
    with pytest.raises(RecordingError, match="format 2; this version reads 1"):
        feed_of(copy)


# Damage, each kind by its name.


def test_a_bit_in_the_middle_is_named_with_file_and_block(
    copy: Path, events: list[Item]
) -> None:
    size = (copy / FILE).stat().st_size
    flip(copy / FILE, size // 2)
    feed = feed_of(copy)
    items, (said_,) = read(feed)
    assert items == events[: len(items)]
    assert 0 < len(items) < len(events)
    assert f"{FILE}: block " in said_
    assert "its content is not what its digest says" in said_
    missing = f"events {len(items) + 1:,} to {len(items) + 200:,} are missing"
    assert missing in said_
    assert feed.last_error == said_
    with pytest.raises(RecordingError, match="digest"):
        feed.next()


def test_with_skip_the_events_after_the_damage_come(
    copy: Path, events: list[Item]
) -> None:
    size = (copy / FILE).stat().st_size
    flip(copy / FILE, size // 2)
    feed = feed_of(copy, on_error="skip")
    items, rest = read(feed)
    assert rest == []
    (at,) = [n for n, item in enumerate(items) if isinstance(item[1], FeedHole)]
    assert items[:at] == events[:at]
    assert items[at + 1 :] == events[at + 200 :]
    assert feed.skipped == 200
    assert feed.ending == ("ended", "")


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_file_that_is_gone_is_named(
    copy: Path, events: list[Item], place: int
) -> None:
    segment = list(Recording(copy).segments("market").values())[place]
    name = segment.file
    (copy / name).unlink()
    items, (said_,) = read(feed_of(copy))
    assert items == events[: segment.first - 1]
    last = segment.first + segment.items - 1
    missing = f"events {segment.first:,} to {last:,} are missing"
    assert said_ == f"{name} is not there; {missing}"
    feed = feed_of(copy, on_error="skip")
    items, rest = read(feed)
    assert rest == []
    assert feed.skipped == segment.items
    sound = [item for item in items if not isinstance(item[1], FeedHole)]
    assert sound == events[: segment.first - 1] + events[last:]


def test_a_file_that_cannot_be_read_is_named(copy: Path) -> None:
    path = copy / FILE
    path.unlink()
    path.mkdir()
    _, (said_,) = read(feed_of(copy))
    assert f"{FILE}: Is a directory" in said_


def test_a_finished_file_that_was_cut_is_damage_and_no_end(
    copy: Path, events: list[Item]
) -> None:
    os.truncate(copy / FILE, (copy / FILE).stat().st_size - 7)
    items, (said_,) = read(feed_of(copy))
    assert items == events[: len(items)]
    assert f"{FILE}: block " in said_
    assert "it ends after " in said_


def test_blocks_of_another_place_do_not_pass(copy: Path, events: list[Item]) -> None:
    first, second = (copy / f"market-{n:06}.events.gz" for n in (1, 2))
    second.write_bytes(first.read_bytes())
    segment = Recording(copy).segments("market")[1]
    items, (said_,) = read(feed_of(copy))
    assert items == events[: segment.items]
    assert "its content is not what its digest says" in said_


def test_a_block_that_comes_twice_is_not_given_twice(
    copy: Path, events: list[Item]
) -> None:
    path = copy / "market-000001.events.gz"
    path.write_bytes(path.read_bytes() * 2)
    items, (said_,) = read(feed_of(copy))
    assert items == events[: Recording(copy).segments("market")[1].items]
    assert "holds event 1 a second time" in said_
    feed = feed_of(copy, on_error="skip")
    items, _ = read(feed)
    assert [item for item in items if not isinstance(item[1], FeedHole)] == events


def test_a_line_of_the_index_that_is_changed_or_gone_is_named(copy: Path) -> None:
    lines = (copy / INDEX).read_bytes().splitlines(keepends=True)
    changed = [lines[0], lines[1].replace(b'"whole":true', b'"whole":null'), *lines[2:]]
    (copy / INDEX).write_bytes(b"".join(changed))
    items, (said_,) = read(feed_of(copy))
    assert items == []
    assert f"{INDEX}:2: check " in said_
    (copy / INDEX).write_bytes(b"".join(lines[:2] + lines[3:]))
    assert f"{INDEX}:3: check " in read(feed_of(copy))[1][0]
    (copy / INDEX).unlink()
    assert f"{INDEX}: No such file" in read(feed_of(copy))[1][0]


def test_the_index_of_another_recording_is_not_taken(copy: Path, made: Path) -> None:
    text = (copy / HEADER).read_text()
    own = Recording(copy).header.id
    (copy / HEADER).write_text(text.replace(own, "0" * 32))
    items, (said_,) = read(feed_of(copy))
    assert items == []
    assert f"is of recording {own}" in said_


def test_a_header_that_was_edited_is_said_to_be(copy: Path) -> None:
    text = (copy / HEADER).read_text()
    (copy / HEADER).write_text(text.replace('"seed": 7', '"seed": 8'))
    recording = Recording(copy)
    assert recording.damage == []
    assert recording.changed == "header.json was changed after the run"
    assert not recording.gives_the_same


# In a run.


def test_after_a_hole_nothing_of_the_feed_is_trusted_until_it_delivers(
    copy: Path,
) -> None:
    flip(copy / FILE, (copy / FILE).stat().st_size // 2)
    played, records = again(copy, 'feeds.0.on_error="skip"')
    (hole,) = said(records, "hole")
    assert f"{FILE}: block" in hole
    lost = [
        record.instrument
        for record in records
        if isinstance(record, BookRecord) and hole in record.reason
    ]
    assert sorted(lost) == ["BTCUSDT", "ETHUSDT"]
    assert said(records, "failed") == []
    assert played.engine.ended


def test_damage_fails_the_feed_where_it_is(copy: Path) -> None:
    flip(copy / FILE, (copy / FILE).stat().st_size // 2)
    played, records = again(copy)
    (failure,) = said(records, "failed")
    assert f"{FILE}: block" in failure
    assert played.engine.sources.feeds[0].error == failure
    assert played.engine.delivered > 0


# Anything may be done to the files.


def _all_files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.events.gz"))
    yield folder / INDEX


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(file=st.integers(-1, 2), at=st.integers(0, 10**6), skip=st.booleans())
def test_files_cut_anywhere_give_a_clean_beginning_or_named_damage(
    made: Path, events: list[Item], tmp_path: Path, file: int, at: int, skip: bool
) -> None:
    folder = shutil.copytree(made, tmp_path / "cut", dirs_exist_ok=True)
    path = list(_all_files(folder))[file]
    size = path.stat().st_size
    os.truncate(path, at % size)
    feed = feed_of(folder, on_error="skip" if skip else "stop")
    items, told = read(feed)
    holes = [item for item in items if isinstance(item[1], FeedHole)]
    sound = [item for item in items if not isinstance(item[1], FeedHole)]
    if not skip:
        assert sound == events[: len(sound)]
    assert _is_part_of(sound, events)
    if path.name != INDEX:
        assert holes or told
        assert sound != events
    else:
        # It may lose the run's end only, where it still has that of the feed.
        assert holes or told or (sound == events and feed.ending == ("ended", ""))
        assert not feed.recording.gives_the_same


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    flips=st.lists(
        st.tuples(st.integers(-1, 2), st.integers(0, 10**6), st.integers(0, 7)),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    skip=st.booleans(),
    killed=st.booleans(),
)
def test_no_flipped_bit_ever_makes_a_wrong_event(
    made: Path,
    events: list[Item],
    tmp_path: Path,
    flips: list[tuple[int, int, int]],
    skip: bool,
    killed: bool,
) -> None:
    folder = shutil.copytree(made, tmp_path / "flipped", dirs_exist_ok=True)
    if killed:
        lines = (folder / INDEX).read_bytes().splitlines(keepends=True)
        (folder / INDEX).write_bytes(b"".join(lines[:-1]))
    files = list(_all_files(folder))
    spots = {(n, at % files[n].stat().st_size, bit) for n, at, bit in flips}
    for file, at, bit in spots:
        flip(files[file], at, bit)
    items, told = read(feed_of(folder, on_error="skip" if skip else "stop"))
    holes = [item for item in items if isinstance(item[1], FeedHole)]
    sound = [item for item in items if not isinstance(item[1], FeedHole)]
    if not skip:
        assert sound == events[: len(sound)]
    assert _is_part_of(sound, events)
    assert holes or told


def _is_part_of(items: list[Item], events: list[Item]) -> bool:
    """Tell whether ``items`` are of ``events``, in their order and none twice."""
    rest = iter(events)
    return all(item in rest for item in items)
