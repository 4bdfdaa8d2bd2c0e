"""Wrong configs: each mistake with its exact line, and all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from msgspec import inspect

from workstation.config import ConfigProblems, load_config
from workstation.config.combinations import TABLE
from workstation.config.values import describe
from workstation.engine.settings import RunSettings
from workstation.indicators import names
from workstation.ui.actions import ACTIONS
from workstation.ui.settings import UiSettings

GOOD = """\
mode = "simulation"
seed = 7
[account]
currency = "USDT"
[engine]
speed = 4
[risk]
leverage = "1"
[[feeds]]
name = "market"
type = "simulated"
symbols = ["BTCUSDT", "ETHUSDT"]
[[brokers]]
name = "paper"
type = "paper"
cash = { USDT = "100000" }
[[strategies]]
name = "ema_cross"
script = "ema_cross.py"
symbols = ["*"]
timeframe = "1m"
"""

RECORDING = """\
mode = "recording"
[[feeds]]
name = "spot"
type = "file"
format = "binance-raw"
files = ["a.gz", "b.gz"]
symbols = ["BTCUSDT", "ETHUSDT"]
[[strategies]]
name = "ema_cross"
script = "ema_cross.py"
"""

TRADE_FILES = RECORDING.replace("binance-raw", "trades")

SECTIONS = (
    "mode, seed, account, engine, storage, pipeline, opportunities, orders, quoting, "
    "reconciliation, risk, journal, recording, instruments, venues, feeds, brokers, "
    "strategies, ui"
)
FORMS = "1s, 5m, 1h, 1d, 1w, 1M, 500t, 25v, 1000000q or 1d@13:30"
UNITS = "a count and a unit: 1s, 5m, 1h, 1d, 1w"

# Base text, what is replaced, by what; the message with its line.
CASES = {
    "a word that is no mode": (
        GOOD,
        ('"simulation"', '"simulaton"'),
        '1: mode: found "simulaton"; allowed: one of "live", "paper", "recording", '
        '"simulation"; did you mean "simulation"?',
    ),
    "an unknown key at the top": (
        GOOD,
        ("seed = 7", "sead = 7"),
        f"2: sead: unknown key; known: {SECTIONS}" + '; did you mean "seed"?',
    ),
    "an unknown section": (
        GOOD,
        ("[risk]\nleverage", "[rsik]\nleverage"),
        f'7: rsik: unknown section; known: {SECTIONS}; did you mean "risk"?',
    ),
    "an unknown key in a section": (
        GOOD,
        ("speed = 4", "sped = 4"),
        "6: engine.sped: unknown key; known: frame_hz, speed, start_paused, "
        "script_budget_ms, history, on_exit, on_hangup"
        '; did you mean "speed"?',
    ),
    "text for a whole number": (
        GOOD,
        ("seed = 7", 'seed = "7"'),
        '2: seed: found "7"; allowed: a whole number of at most 63 bits',
    ),
    "true for a number": (
        GOOD,
        ("speed = 4", "speed = true"),
        "6: engine.speed: found true; allowed: a number, more than 0, at most 100000",
    ),
    "a number below its range": (
        GOOD,
        ("speed = 4", "frame_hz = 0.1"),
        "6: engine.frame_hz: found 0.1; allowed: a number, 0.5 … 30",
    ),
    "a number that is none": (
        GOOD,
        ('leverage = "1"', "leverage = nan"),
        "8: risk.leverage: found nan; allowed: a finite number",
    ),
    "an infinite speed": (
        GOOD,
        ("speed = 4", "speed = inf"),
        "6: engine.speed: found inf; allowed: a number, more than 0, at most 100000",
    ),
    "money that is not positive": (
        GOOD,
        ('leverage = "1"', 'max_order_value = "-5"'),
        "8: risk.max_order_value: found -5; allowed: more than 0",
    ),
    "money that is no number": (
        GOOD,
        ('leverage = "1"', 'max_order_value = "much"'),
        '8: risk.max_order_value: found "much"; allowed: a number, best in quotes: '
        '"0.01"',
    ),
    "a choice misspelt": (
        GOOD,
        ("speed = 4", 'on_exit = "flaten"'),
        '6: engine.on_exit: found "flaten"; allowed: one of "cancel-entries", '
        '"flatten", "keep"; did you mean "flatten"?',
    ),
    "a feed without a name": (
        GOOD,
        ('name = "market"\n', ""),
        "9: feeds.0.name: missing; allowed: letters, digits, _ . and -, at most 40",
    ),
    "a name with a space": (
        GOOD,
        ('"market"', '"my market"'),
        '10: feeds.0.name: found "my market"; allowed: letters, digits, _ . and -, at '
        "most 40",
    ),
    "a feed without a type": (
        GOOD,
        ('type = "simulated"\n', ""),
        '9: feeds.0.type: missing; allowed: one of "simulated", "file", "recording"',
    ),
    "a type misspelt": (
        GOOD,
        ('"simulated"', '"simulatd"'),
        '11: feeds.0.type: found "simulatd"; allowed: one of "simulated", "file", '
        '"recording"; did you mean "simulated"?',
    ),
    "one wrong element of a list": (
        GOOD,
        ('["BTCUSDT", "ETHUSDT"]', '[\n  "BTCUSDT",\n  7,\n]'),
        "14: feeds.0.symbols.1: found 7; allowed: text",
    ),
    "a symbol twice": (
        GOOD,
        ('"ETHUSDT"]', '"BTCUSDT"]'),
        '12: feeds.0.symbols.1: found "BTCUSDT" twice; allowed: each once',
    ),
    "a date without quotes": (
        GOOD,
        ('type = "simulated"', 'type = "simulated"\nstart = 2024-08-08'),
        "12: feeds.0.start: found the date or time 2024-08-08; allowed: text; put it "
        "in quotes",
    ),
    "a start that is no time": (
        GOOD,
        ('type = "simulated"', 'type = "simulated"\nstart = "noon"'),
        '12: feeds.0.start: found "noon"; allowed: a UTC time from 1970 to 2199 such '
        "as 2024-08-08T00:00:00Z",
    ),
    "a duration in words": (
        GOOD,
        ('type = "simulated"', 'type = "simulated"\nduration = "6 hours"'),
        f'12: feeds.0.duration: found "6 hours"; allowed: {UNITS}',
    ),
    "a table where an array belongs": (
        GOOD,
        ("[[feeds]]", "[feeds]"),
        "9: feeds: found a table; allowed: [[feeds]], once for each",
    ),
    "an unknown symbol of a strategy": (
        GOOD,
        ('["*"]', '["BTCUSD"]'),
        '20: strategies.0.symbols.0: found "BTCUSD"; allowed: "*", BTCUSDT, ETHUSDT; '
        'did you mean "BTCUSDT"?',
    ),
    "a strategy without symbols": (
        GOOD,
        ('["*"]', "[]"),
        '20: strategies.0.symbols: found an empty list; allowed: ["*"] or symbols of '
        "the feeds",
    ),
    "parameters of a symbol that is not the strategy's": (
        GOOD,
        ('timeframe = "1m"', "symbol_params = { BTCUSD = { fast = 3 } }"),
        '21: strategies.0.symbol_params.BTCUSD: found "BTCUSD"; allowed: BTCUSDT, '
        'ETHUSDT, the strategy\'s symbols; did you mean "BTCUSDT"?',
    ),
    "a parameter of a symbol that is a list": (
        GOOD,
        ('timeframe = "1m"', "symbol_params = { BTCUSDT = { fast = [3] } }"),
        "21: strategies.0.symbol_params.BTCUSDT.fast: found a list; allowed: true or "
        "false, a whole number, a number or text",
    ),
    "an occasion that is none": (
        GOOD,
        ('timeframe = "1m"', 'ask = { in_trade = "events" }'),
        '21: strategies.0.ask.in_trade: found "events"; allowed: one of "bar", '
        '"event"; did you mean "event"?',
    ),
    "a timeframe without a unit": (
        GOOD,
        ('"1m"', '"60"'),
        f'21: strategies.0.timeframe: found "60"; allowed: {FORMS}',
    ),
    "a parameter that is a list": (
        GOOD,
        ('timeframe = "1m"', "params = { fast = [1] }"),
        "21: strategies.0.params.fast: found a list; allowed: true or false, a whole "
        "number, a number or text",
    ),
    "a name that two tasks have": (
        GOOD,
        ('name = "ema_cross"', 'name = "market"'),
        '18: strategies.0.name: found "market", which feeds.0 has already; allowed: a '
        "name of its own",
    ),
    "a name that the engine needs": (
        GOOD,
        ('name = "ema_cross"', 'name = "executor"'),
        '18: strategies.0.name: found "executor", which the engine has already; '
        "allowed: a name of its own",
    ),
    "a name that another owner has": (
        GOOD,
        ('name = "ema_cross"', 'name = "dust"'),
        '18: strategies.0.name: found "dust", which the engine has already; '
        "allowed: a name of its own",
    ),
    "cash in another currency": (
        GOOD,
        ('{ USDT = "100000" }', '{ EUR = "100000" }'),
        "16: brokers.0.cash.EUR: found EUR; allowed: USDT, the account's currency",
    ),
    "cash in a second currency": (
        GOOD,
        ('{ USDT = "100000" }', '{ USDT = "100000", EUR = 1 }'),
        "16: brokers.0.cash.EUR: found EUR; allowed: USDT, the account's currency",
    ),
    "an account without a currency": (
        GOOD,
        ('currency = "USDT"', 'currency = ""'),
        '4: account.currency: found ""; allowed: 2 to 10 capital letters and digits',
    ),
    "a currency in small letters": (
        GOOD,
        ('currency = "USDT"', 'currency = "usdt"'),
        '4: account.currency: found "usdt"; allowed: 2 to 10 capital letters and '
        "digits",
    ),
    "a seed that no journal can hold": (
        GOOD,
        ("seed = 7", "seed = 9223372036854775808"),
        "2: seed: found 9223372036854775808; allowed: a whole number of "
        "at most 63 bits",
    ),
    "a seed of a thousand digits": (
        GOOD,
        ("seed = 7", f"seed = -1{'0' * 100}"),
        f"2: seed: found -1{'0' * 100}; allowed: a whole number of at most 63 bits",
    ),
    "a start before 1970": (
        GOOD,
        ("symbols =", 'start = "1969-12-31T23:59:59Z"\nsymbols ='),
        '12: feeds.0.start: found "1969-12-31T23:59:59Z"; allowed: a UTC time from '
        "1970 to 2199 such as 2024-08-08T00:00:00Z",
    ),
    "a start that nanoseconds do not reach": (
        GOOD,
        ("symbols =", 'start = "2300-01-01"\nsymbols ='),
        '12: feeds.0.start: found "2300-01-01"; allowed: a UTC time from 1970 to 2199 '
        "such as 2024-08-08T00:00:00Z",
    ),
    "a layout that has no key": (
        GOOD,
        ("[risk]", "[ui]\nlayout = 5\n[risk]"),
        "8: ui.layout: found 5; allowed: one of 1, 2, 3, 4, 7",
    ),
    "a layout in words": (
        GOOD,
        ("[risk]", '[ui]\nlayout = "nope"\n[risk]'),
        '8: ui.layout: found "nope"; allowed: one of 1, 2, 3, 4, 7',
    ),
    "a day that starts at no time": (
        GOOD,
        ('currency = "USDT"', 'currency = "USDT"\nday_starts = "25:00"'),
        '5: account.day_starts: found "25:00"; allowed: HH:MM, 00:00 … 23:59',
    ),
    "a day that starts at a time without quotes": (
        GOOD,
        ('currency = "USDT"', 'currency = "USDT"\nday_starts = 08:30:00'),
        "5: account.day_starts: found the date or time 08:30:00; allowed: HH:MM, "
        "00:00 … 23:59; put it in quotes",
    ),
    "an indicator that is none": (
        GOOD,
        ("[risk]", '[ui]\nchart = ["ema(20)", "rsj(14)"]\n[risk]'),
        "8: ui.chart.1: unknown indicator 'rsj'; did you mean 'rsi'?"
        f" (known: {', '.join(names())})",
    ),
    "an indicator out of its range": (
        GOOD,
        ("[risk]", '[ui]\nchart2 = ["ema(0)"]\n[risk]'),
        "8: ui.chart2.0: ema: period = 0 must be a whole number from 2 to 5000",
    ),
    "a key that has gone": (
        RECORDING,
        ("symbols =", 'timezone = "UTC"\nsymbols ='),
        "7: feeds.0.timezone: unknown key; known: type, name, venue, format, files, "
        "symbols, interval, columns, time_format, cache, on_error, max_skipped, record",
    ),
    "negative cash": (
        GOOD,
        ('"100000" }', '"-1" }'),
        "16: brokers.0.cash.USDT: found -1; allowed: 0 or more",
    ),
    "cash that is more than there is": (
        GOOD,
        ('"100000" }', '"1e15" }'),
        "16: brokers.0.cash.USDT: found 1E+15; allowed: below 10^15, with at most 18 "
        "decimals",
    ),
    "cash finer than any venue books": (
        GOOD,
        ('"100000" }', '"1e-19" }'),
        "16: brokers.0.cash.USDT: found 1E-19; allowed: below 10^15, with at most 18 "
        "decimals",
    ),
    "an unknown key of a rate limit": (
        GOOD,
        (
            "[[strategies]]",
            "rates = [{ window_s = 60, weight = 9, plase = 1 }]\n[[strategies]]",
        ),
        "17: brokers.0.rates.0.plase: unknown key; known: window_s, weight, place, "
        'modify, cancel, query, batch; did you mean "place"?',
    ),
    "a request that is heavier than its limit": (
        GOOD,
        (
            "[[strategies]]",
            "rates = [{ window_s = 60, weight = 3, place = 5 }]\n[[strategies]]",
        ),
        "17: brokers.0.rates.0.place: found 5; allowed: at most weight, 3",
    ),
    "a share that leaves nothing for orders": (
        GOOD,
        (
            "[[strategies]]",
            "cancel_share = 1\nrates = [{ window_s = 60, weight = 3 }]\n[[strategies]]",
        ),
        "17: brokers.0.cancel_share: found 1.0; allowed: small enough for an order "
        "beside it: of weight 3 it leaves 0, an order weighs 1",
    ),
    "an instrument quoted in another currency": (
        GOOD,
        ('"ETHUSDT"]', '"ETHBTC"]'),
        "12: feeds.0.symbols.1: ETHBTC is quoted in BTC; allowed: USDT, the account's "
        "currency, or one that [account] equal_currencies counts as much",
    ),
    "an equal currency in small letters": (
        GOOD,
        ('currency = "USDT"', 'currency = "USDT"\nequal_currencies = ["usd"]'),
        '5: account.equal_currencies.0: found "usd"; allowed: 2 to 10 capital letters '
        "and digits",
    ),
    "fees of a venue that no feed plays": (
        GOOD,
        ("[[feeds]]", '[[venues]]\nname = "simulatd"\n[[feeds]]'),
        '10: venues.0.name: found "simulatd"; allowed: simulated, the venues of the '
        'feeds; did you mean "simulated"?',
    ),
    "fees of a venue twice": (
        GOOD,
        ("[[feeds]]", '[[venues]]\nname="simulated"\n' * 2 + "[[feeds]]"),
        '12: venues.1.name: found "simulated" twice; allowed: each venue once',
    ),
    "a fee of more than everything": (
        GOOD,
        (
            "[[feeds]]",
            '[[venues]]\nname="simulated"\ntaker_fee_bps = 10001\n[[feeds]]',
        ),
        "11: venues.0.taker_fee_bps: found 10001; allowed: a number, -10000 … 10000",
    ),
    "an instrument of a venue that no feed plays": (
        GOOD,
        (
            "[[feeds]]",
            '[[instruments]]\nsymbol="BTCUSDT"\nvenue="kraken"\ntick_size=1\n'
            "lot_size=1\n[[feeds]]",
        ),
        '11: instruments.0.venue: found "kraken"; allowed: simulated, the venues of '
        "the feeds",
    ),
    "a venue with a space": (
        GOOD,
        ('type = "simulated"', 'type = "simulated"\nvenue = "north sea"'),
        '12: feeds.0.venue: found "north sea"; allowed: letters, digits, _ . and -, '
        "at most 40",
    ),
    "one symbol made up twice at one venue": (
        GOOD,
        (
            "[[strategies]]",
            '[[feeds]]\nname="two"\ntype="simulated"\nsymbols=["ETHUSDT"]\n'
            "[[strategies]]",
        ),
        '20: feeds.1.symbols.0: found "ETHUSDT", which feeds.0 makes up already; '
        "allowed: each symbol of a venue in one simulated feed",
    ),
    "a shared price of two volatilities": (
        GOOD,
        (
            "[[strategies]]",
            '[[feeds]]\nname="a"\ntype="simulated"\nvenue="a"\nsymbols=["LTCUSDT"]\n'
            'shared_price="w"\n[[feeds]]\nname="b"\ntype="simulated"\nvenue="b"\n'
            'symbols=["LTCUSDT"]\nshared_price="w"\nvolatility_bps=2\n[[strategies]]',
        ),
        "29: feeds.2.volatility_bps: found 2.0; allowed: 1.2, as feed a has whose "
        "price it shares",
    ),
    "a negative worth of an opportunity": (
        GOOD,
        ("[[feeds]]", '[opportunities]\nmin_notional = "-1"\n[[feeds]]'),
        "10: opportunities.min_notional: found -1; allowed: 0 or more",
    ),
    "an instrument without a tick size": (
        GOOD,
        ("[[feeds]]", '[[instruments]]\nsymbol = "BTCUSDT"\nlot_size = 1\n[[feeds]]'),
        "9: instruments.0.tick_size: missing; allowed: a number, best in quotes: "
        '"0.01"',
    ),
    "an instrument with a tick of nothing": (
        GOOD,
        (
            "[[feeds]]",
            '[[instruments]]\nsymbol = "BTCUSDT"\ntick_size = 0\nlot_size = 1\n'
            "[[feeds]]",
        ),
        "11: instruments.0.tick_size: found 0; allowed: more than 0",
    ),
    "an instrument with less than nothing as its largest order": (
        GOOD,
        (
            "[[feeds]]",
            '[[instruments]]\nsymbol = "BTCUSDT"\ntick_size = 1\nlot_size = 1\n'
            "max_quantity = -1\n[[feeds]]",
        ),
        "13: instruments.0.max_quantity: found -1; allowed: 0 or more",
    ),
    **{
        f"an instrument whose {most} is less than its {least}": (
            GOOD,
            (
                "[[feeds]]",
                '[[instruments]]\nsymbol = "BTCUSDT"\ntick_size = 1\nlot_size = 1\n'
                f'{least} = "5"\n{most} = "4.9"\n[[feeds]]',
            ),
            f"14: instruments.0.{most}: found 4.9; allowed: 5 or more, as {least} is; "
            "or 0",
        )
        for least, most in (
            ("min_quantity", "max_quantity"),
            ("min_quantity", "market_max_quantity"),
            ("min_price", "max_price"),
            ("min_notional", "max_notional"),
        )
    },
    "an instrument twice": (
        GOOD,
        (
            "[[feeds]]",
            '[[instruments]]\nsymbol = "BTCUSDT"\ntick_size = 1\nlot_size = 1\n' * 2
            + "[[feeds]]",
        ),
        '14: instruments.1.symbol: found "BTCUSDT" twice; allowed: each symbol of a '
        "venue once",
    ),
    "a capture without symbols": (
        RECORDING,
        ('symbols = ["BTCUSDT", "ETHUSDT"]\n', ""),
        "2: feeds.0.symbols: missing; allowed: the symbol of all files, or one for "
        'each file, such as ["BTCUSDT"]',
    ),
    "symbols that do not fit the files": (
        TRADE_FILES,
        ('["a.gz", "b.gz"]', '["a.gz", "b.gz", "a.gz"]'),
        "7: feeds.0.symbols: found 2 symbols; allowed: 1 for all files, or 3, one for "
        "each file",
    ),
    "a format that is none": (
        RECORDING,
        ('"binance-raw"', '"binance-row"'),
        '5: feeds.0.format: found "binance-row"; allowed: one of "binance-aggtrades", '
        '"binance-klines", "binance-raw", "binance-trades", "ohlcv", "quotes", '
        '"tardis", "trades"; did you mean "binance-raw"?',
    ),
    "bars that no clock ends": (
        TRADE_FILES,
        ("symbols =", 'interval = "500t"\nsymbols ='),
        '7: feeds.0.interval: found "500t"; allowed: 1s, 5m, 1h, 1d, 1w, 1M or '
        "1d@13:30",
    ),
    "a column that no trade has": (
        TRADE_FILES,
        ("symbols =", 'columns = { prise = "P" }\nsymbols ='),
        "7: feeds.0.columns.prise: unknown column; known: time, price, size, side, id; "
        'did you mean "price"?',
    ),
    "a column without a name": (
        TRADE_FILES,
        ("symbols =", 'columns = { price = " " }\nsymbols ='),
        '7: feeds.0.columns.price: found ""; allowed: a name of the header',
    ),
    "columns for a format that has its own": (
        RECORDING,
        ("symbols =", 'columns = { price = "P" }\nsymbols ='),
        '7: feeds.0.columns: found names for format "binance-raw"; allowed with '
        "quotes, trades, ohlcv",
    ),
    "a form of times without a day": (
        TRADE_FILES,
        ("symbols =", 'time_format = "%H:%M"\nsymbols ='),
        '7: feeds.0.time_format: found "%H:%M"; allowed: "auto", "s", "ms", "us", '
        '"ns", or a pattern with year, month and day such as "%d.%m.%Y %H:%M"',
    ),
    "a form of times where the format has its own": (
        RECORDING,
        ("symbols =", 'time_format = "us"\nsymbols ='),
        '7: feeds.0.time_format: found "us" for format "binance-raw"; allowed: "auto"',
    ),
    "a cache of raw captures": (
        RECORDING,
        ("symbols =", "cache = true\nsymbols ="),
        '7: feeds.0.cache: found true for format "binance-raw", which is as fast '
        "without; allowed: false",
    ),
    "an empty list of files": (
        RECORDING,
        ('["a.gz", "b.gz"]', "[]"),
        "6: feeds.0.files: found an empty list; allowed: one file or more",
    ),
    "text that is not TOML": (
        GOOD,
        ("speed = 4", "speed = "),
        "6: not TOML: Invalid value at column 9",
    ),
    "a list without its end": (
        RECORDING,
        ('script = "ema_cross.py"\n', "symbols = ["),
        "10: not TOML: Invalid value at the end of the file",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder with the files of RECORDING, made the current one."""
    place = tmp_path / "runs"
    place.mkdir()
    for name in ("a.gz", "b.gz"):
        (place / name).write_bytes(b"")
    monkeypatch.chdir(place)
    return place


def problems_of(text: str, *overrides: str) -> list[str]:
    """Return the lines of complaint about a config, empty when it is good."""
    path = Path("x.toml")
    path.write_text(text, encoding="utf-8")
    try:
        load_config(path, overrides)
    except ConfigProblems as error:
        return str(error).splitlines()
    return []


def test_the_texts_that_the_mistakes_are_made_in_are_good(folder: Path) -> None:
    assert problems_of(GOOD) == []
    assert problems_of(RECORDING) == []


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_with_its_line_and_what_is_allowed(
    name: str, folder: Path
) -> None:
    text, (old, new), message = CASES[name]
    assert text.count(old) >= 1
    assert problems_of(text.replace(old, new, 1)) == [f"x.toml:{message}"]


CANDLES = """\
mode = "recording"
[[feeds]]
name = "candles"
type = "file"
format = "binance-klines"
files = ["BTCUSDT-1h-2024-06.csv"]
symbols = ["BTCUSDT"]
[[strategies]]
name = "ema_cross"
script = "ema_cross.py"
timeframe = "30m"
"""
TRADES = """\
[[feeds]]
name = "trades"
type = "file"
format = "binance-trades"
files = ["t.csv"]
symbols = ["BTCUSDT"]
"""


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("", "", True),
        ("2024-06.csv", "2024-06.zip", True),
        ("-1h-2024-06", "-1h", True),
        ("[[strategies]]", 'interval = "1h"\n[[strategies]]', True),
        ("BTCUSDT-1h-2024-06", "x", False),
        ("BTCUSDT-1h-2024-06", "BTCUSDT-1mo-2024-06", False),
        ("BTCUSDT-1h", "BTCUSDT-30m", False),
        ("BTCUSDT-1h", "BTCUSDT-15m", False),
        ('"30m"', '"1h"', False),
        ('"30m"', '"4h"', False),
        ('"30m"', '"90m"', True),
        # What a file is called binds nobody but Binance.
        ("binance-klines", "ohlcv", False),
        ("[[strategies]]", TRADES + "[[strategies]]", False),
    ],
)
def test_a_timeframe_that_cannot_be_made_of_the_bars_is_refused(
    old: str, new: str, wrong: bool, folder: Path
) -> None:
    text = CANDLES.replace(old, new, 1)
    for line in text.splitlines():
        if line.startswith("files"):
            Path(line.split('"')[1]).touch()
    said = [line.partition(": ")[2] for line in problems_of(text)]
    found = text.rpartition(' = "')[2].rstrip('"\n')
    assert said == (
        [
            f'strategies.0.timeframe: found "{found}"; allowed: a multiple of 1h, the '
            "bars of feed candles"
        ]
        if wrong
        else []
    )


def test_a_folder_in_the_place_of_a_file_is_told(folder: Path) -> None:
    (folder / "days").mkdir()
    assert problems_of(TRADE_FILES.replace("a.gz", "days")) == [
        'x.toml:6: feeds.0.files.0: found "days", which is a folder; allowed: a file, '
        "such as one in it"
    ]


@pytest.mark.parametrize(
    ("name", "package"), [("a.csv.zst", "zstandard"), ("a.parquet", "pyarrow")]
)
def test_a_file_whose_package_is_missing_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    (folder / name).write_bytes(b"")
    text = TRADE_FILES.replace("a.gz", name)
    assert problems_of(text) == []
    monkeypatch.setattr("workstation.venues.file.extras.find_spec", lambda name: None)
    assert problems_of(text) == [
        f'x.toml:6: feeds.0.files.0: found "{name}", which needs the package '
        f"{package}: pip install 'workstation[data]'"
    ]


def test_all_mistakes_are_shown_at_once_in_order_of_their_lines(folder: Path) -> None:
    text = GOOD
    wanted = []
    for name in (
        "text for a whole number",
        "a choice misspelt",
        "money that is not positive",
        "a name with a space",
        "negative cash",
        "an unknown symbol of a strategy",
        "a timeframe without a unit",
    ):
        _, (old, new), message = CASES[name]
        text = text.replace(old, new, 1)
        wanted.append(f"x.toml:{message}")
    assert problems_of(text) == wanted


def test_one_wrong_key_of_a_table_hides_no_other(folder: Path) -> None:
    text = GOOD.replace('script = "ema_cross.py"', 'script = "ema_crss.py"\nsize = 0')
    text = text.replace('"1m"', '"1x"').replace('["*"]', '["NOPE"]')
    keys = [line.split(": ")[1] for line in problems_of(text)]
    assert keys == [
        "strategies.0.script",
        "strategies.0.size",
        "strategies.0.symbols.0",
        "strategies.0.timeframe",
    ]


INSTRUMENT = """\
[[instruments]]
symbol = "BTCUSDT"
tick_size = "0"
lot_size = "-1"
min_notional = "-1"
min_price = 5
max_price = 4
"""


def test_every_wrong_value_of_an_instrument_is_told(folder: Path) -> None:
    text = GOOD.replace("[[feeds]]", f"{INSTRUMENT}[[feeds]]")
    at = "x.toml:{}: instruments.0.{}: found {}; allowed: {}".format
    assert problems_of(text) == [
        at(11, "tick_size", 0, "more than 0"),
        at(12, "lot_size", -1, "more than 0"),
        at(13, "min_notional", -1, "0 or more"),
        at(15, "max_price", 4, "5 or more, as min_price is; or 0"),
    ]


@pytest.mark.parametrize("lacks", ["tick_size", "symbol"])
def test_what_an_instrument_lacks_hides_nothing_that_is_wrong_with_it(
    lacks: str, folder: Path
) -> None:
    lines = [line for line in INSTRUMENT.splitlines() if not line.startswith(lacks)]
    text = GOOD.replace("[[feeds]]", "\n".join([*lines, "[[feeds]]"]))
    keys = {line.split(": ")[1].rpartition(".")[2] for line in problems_of(text)}
    assert keys == {lacks, "tick_size", "lot_size", "min_notional", "max_price"}


def test_a_weight_that_is_missing_makes_no_request_too_heavy(folder: Path) -> None:
    rates = "rates = [{ window_s = 60, place = 5 }]\n[[strategies]]"
    (line,) = problems_of(GOOD.replace("[[strategies]]", rates))
    assert line.startswith("x.toml:17: brokers.0.rates.0.weight: missing; ")


@pytest.mark.parametrize(
    "good",
    [
        "[pipeline.adverse_selection]\nhorizons_s = [1.0, 2.0]\nhorizon_s = 2.0\n",
        "[pipeline.volatility]\nscale = 400\nsamples = 900\n",
    ],
)
def test_values_that_go_together_are_not_held_against_defaults(
    good: str, folder: Path
) -> None:
    assert problems_of(GOOD.replace("[[feeds]]", f"{good}[[feeds]]")) == []


def test_what_goes_with_no_default_is_told_where_it_is(folder: Path) -> None:
    text = "[pipeline.adverse_selection]\nhorizons_s = [1.0]\nshrinkage = -1\n"
    assert problems_of(GOOD.replace("[[feeds]]", f"{text}[[feeds]]")) == [
        "x.toml:9: pipeline.adverse_selection.horizon_s: found 5; allowed: one of "
        "horizons_s, [1.0]",
        "x.toml:11: pipeline.adverse_selection.shrinkage: found -1; allowed: a number, "
        "0 … 1000000",
    ]


def test_no_setting_shows_the_user_a_pattern() -> None:
    seen = 0
    kinds: list[inspect.Type] = [
        inspect.type_info(RunSettings),
        inspect.type_info(UiSettings),
    ]
    for kind in kinds:  # grows
        if isinstance(kind, inspect.StrType) and kind.pattern:
            seen += 1
            assert describe(kind) not in ("text", f"text, at most {kind.max_length}")
        parts = [getattr(kind, name, None) for name in ("item_type", "value_type")]
        kinds += [part for part in parts if part is not None]
        kinds += getattr(kind, "types", ())
        kinds += [each.type for each in getattr(kind, "fields", ())]
    assert seen > 5


def test_the_layouts_are_those_that_have_a_key() -> None:
    digits = [
        int(key)
        for entry in ACTIONS
        if entry.id.startswith("layout.")
        for key in entry.keys
        if key.isdecimal()
    ]
    hint = get_type_hints(UiSettings)["layout"]
    assert sorted(get_args(hint)) == sorted(digits)


def test_a_script_that_is_not_there_names_the_folders_and_a_near_one(
    folder: Path,
) -> None:
    (line,) = problems_of(GOOD.replace("ema_cross.py", "ema_crss.py"))
    start = 'x.toml:19: strategies.0.script: found "ema_crss.py", which is no file; '
    assert line.startswith(f"{start}looked in: .")
    assert line.endswith('; did you mean "ema_cross.py"?')


def test_a_name_with_a_slash_is_looked_for_at_one_place_only(folder: Path) -> None:
    (line,) = problems_of(GOOD.replace("ema_cross.py", "sub/ema_cross.py"))
    assert line.endswith('found "sub/ema_cross.py", which is no file; looked in: sub')


@pytest.mark.parametrize(
    ("mode", "feed", "message"),
    [
        ("recording", "simulated", 'allowed there: "file" or "recording"'),
        ("paper", "simulated", 'allowed there: "binance" or "alpaca"'),
        ("live", "simulated", 'allowed there: "binance" or "alpaca"'),
    ],
)
def test_a_feed_that_does_not_go_with_the_mode_is_refused_with_the_legal_ones(
    mode: str, feed: str, message: str, folder: Path
) -> None:
    lines = problems_of(GOOD.replace('"simulation"', f'"{mode}"'))
    assert lines[0] == (
        f'x.toml:11: feeds.0.type: found "{feed}", which does not go with mode '
        f'"{mode}"; {message}'
    )
    assert "\n".join(lines).endswith(TABLE)


def test_a_live_run_needs_the_broker_of_its_feed(folder: Path) -> None:
    text = GOOD.replace('"simulation"', '"live"').replace('"simulated"', '"binance"')
    lines = problems_of(text)
    assert lines[:2] == [
        'x.toml:11: feeds.0.type: "binance" is not available in this version; '
        'allowed: one of "simulated", "file", "recording"',
        'x.toml:15: brokers.0.type: found "paper", which does not go with mode '
        '"live"; allowed there: "binance"',
    ]


def test_a_paper_run_needs_a_feed_that_this_version_lacks(folder: Path) -> None:
    text = GOOD.replace('"simulation"', '"paper"').replace('"simulated"', '"alpaca"')
    assert problems_of(text) == [
        'x.toml:11: feeds.0.type: "alpaca" is not available in this version; '
        'allowed: one of "simulated", "file", "recording"',
    ]


def test_a_live_broker_does_not_go_with_a_simulation(folder: Path) -> None:
    assert problems_of(GOOD.replace('type = "paper"', 'type = "alpaca"')) == [
        'x.toml:15: brokers.0.type: found "alpaca", which does not go with mode '
        '"simulation"; allowed there: "paper"',
        *TABLE.splitlines(),
    ]


@pytest.mark.parametrize("section", ["feeds", "strategies"])
def test_a_run_without_feeds_or_strategies_is_refused(
    section: str, folder: Path
) -> None:
    start = GOOD.index(f"[[{section}]]")
    end = GOOD.find("[[", start + 2)
    text = GOOD[:start] + (GOOD[end:] if end > 0 else "")
    wanted = f"x.toml:1: {section}: missing; allowed: [[{section}]], one or more"
    assert wanted in problems_of(text)


def test_bytes_that_are_no_utf8_are_named_with_their_line(folder: Path) -> None:
    Path("x.toml").write_bytes(b'mode = "simulation"\nseed = \xff\n')
    with pytest.raises(ConfigProblems) as caught:
        load_config(Path("x.toml"))
    assert str(caught.value) == "x.toml:2: found byte 0xff; allowed: UTF-8 text"


def test_a_config_that_is_not_there_lists_the_shipped_ones(folder: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load_config(Path("defalt.toml"))
    assert str(caught.value) == (
        "defalt.toml: no such file; shipped: default.toml, recording-binance.toml, "
        'recording-klines.toml, two-venues.toml; did you mean "default.toml"?'
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "seed",
            'found "seed"; allowed: KEY=VALUE with a TOML value, such as '
            'engine.speed=4 or name="x"',
        ),
        (
            "mode=paper",
            "found paper for a value; allowed: TOML, where text has quotes: "
            """mode='"paper"'""",
        ),
        (
            "seed=1\nmode='live'",
            "found 1\nmode='live' for a value; allowed: TOML, where text has quotes: "
            """seed='"1\nmode='live'"'""",
        ),
        (
            "seed=true",
            "seed: found true; allowed: a whole number of at most 63 bits",
        ),
        (
            "engine.speeed=2",
            "engine.speeed: unknown key; known: frame_hz, speed, start_paused, "
            "script_budget_ms, history, on_exit, on_hangup"
            '; did you mean "speed"?',
        ),
        ("feeds.3.name='x'", "feeds.3: found 3 for an index; allowed: 0 … 1"),
        ("feeds.x=1", "feeds.x: found x for an index; allowed: 0 … 1"),
        ("seed.x=1", "seed.x: seed is one value and has no x"),
    ],
)
def test_a_wrong_override_is_named_as_it_was_typed(
    override: str, message: str, folder: Path
) -> None:
    assert "\n".join(problems_of(GOOD, override)) == f"--set {override}: {message}"


def test_a_keymap_is_checked_against_the_actions_that_there_are(folder: Path) -> None:
    lines = problems_of(GOOD, """ui.keymap={"clock.plai"="f5","app.quit"="tab"}""")
    assert len(lines) == 2
    label = """--set ui.keymap={"clock.plai"="f5","app.quit"="tab"}: ui.keymap"""
    assert lines[0].startswith(f"{label}.clock.plai: no such action; did you mean ")
    assert lines[1].startswith(f"{label}.app.quit: tab cannot be given away: ")


def test_wrong_overrides_join_the_problems_of_the_file(folder: Path) -> None:
    lines = problems_of(GOOD.replace("seed = 7", "seed = 0.5"), "a", "engine.speed=0")
    assert [line.split(": ")[0] for line in lines] == [
        "x.toml:2",
        "--set a",
        "--set engine.speed=0",
    ]


def test_a_wrong_setting_that_was_remembered_names_its_own_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folder / "settings.toml"
    own.write_text('[ui]\nlayout = "1"\n[risk]\n', encoding="utf-8")
    monkeypatch.setattr("workstation.config.screen.user_settings_file", lambda: own)
    assert problems_of(GOOD) == [
        'settings.toml:2: ui.layout: found "1"; allowed: one of 1, 2, 3, 4, 7',
        "settings.toml:3: risk: unknown section; known: ui",
    ]
