"""The worker answers messages, imports little, and ends when its parent does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.strategy.lua.workers import (
    GOOD,
    PATIENCE_S,
    budget,
    load,
    question,
    questions,
    script,
)
from workstation.strategy.lua.frames import (
    Decoder,
    MessageError,
    decode_from_worker,
    encode,
)
from workstation.strategy.lua.wire import (
    Answer,
    Answers,
    Ask,
    ConfinementReport,
    Failed,
    FailureKind,
    Load,
    Loaded,
    LoadFailed,
    Versions,
)
from workstation.strategy.lua.worker import Worker

MODULE = "workstation.strategy.lua.worker"
LOOP = script("while true do end", GOOD)


def worker(source: str | None = None) -> Worker:
    """Return a worker in this process, with a script if one is given."""
    worker = Worker(ConfinementReport(), Versions("Lua", "2", "3"))
    if source is not None:
        assert isinstance(worker.answer(load(source, budget=budget())), Loaded)
    return worker


def asked(worker: Worker, message: Ask) -> Answers:
    """Return the answers to a message."""
    answers = worker.answer(message)
    assert isinstance(answers, Answers)
    return answers


def run(sent: bytes) -> subprocess.CompletedProcess[bytes]:
    """Return what a real worker does with these bytes; its socket is two pipes."""
    # It answers on its standard input, so only what it ends with is seen here.
    return subprocess.run(
        [sys.executable, "-I", "-m", MODULE, str(os.getpid())],
        input=sent,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        cwd="/",
        env={},
    )


def test_only_what_a_script_needs_is_imported() -> None:
    code = f"import sys, {MODULE}; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={},
    ).stdout.split()
    ours = {name for name in told if name.startswith("workstation")}
    light = {"frames", "jail", "lexer", "replies", "vm", "wire", "worker"}
    assert ours == {
        "workstation",
        "workstation.strategy",
        "workstation.strategy.lua",
        *(f"workstation.strategy.lua.{name}" for name in light),
    }
    assert not {"numpy", "asyncio", "textual", "subprocess", "ssl"} & set(told)
    others = {"lua51", "lua52", "lua53", "lua55", "luajit20", "luajit21"}
    assert not {f"lupa.{name}" for name in others} & set(told)


def test_a_question_before_a_script_is_out_of_place() -> None:
    with pytest.raises(MessageError, match="before a script"):
        worker().answer(Ask((question(),)))


def test_a_script_that_fails_leaves_the_one_before() -> None:
    living = worker(script(GOOD))
    assert isinstance(living.answer(load("x =")), LoadFailed)
    assert isinstance(asked(living, Ask((question(1),))).replies[0], Answer)


def test_answers_tell_memory_and_how_often_the_vm_was_made_anew() -> None:
    living = worker(LOOP)
    first = asked(living, Ask((question(), question(1))))
    assert isinstance(first.replies[1], Answer)
    assert first.rebuilds == 1
    assert 50_000 < first.memory < 1_000_000


def test_three_overruns_of_a_post_end_the_rest_of_it() -> None:
    living = worker(LOOP)
    kinds = [
        reply.kind
        for message in (Ask(tuple(questions(2))), Ask(tuple(questions(3)), first=False))
        for reply in asked(living, message).replies
        if isinstance(reply, Failed)
    ]
    assert kinds == [FailureKind.BUDGET] * 3 + [FailureKind.SKIPPED] * 2
    again = asked(living, Ask((question(),))).replies[0]
    assert isinstance(again, Failed)
    assert again.kind is FailureKind.BUDGET


def test_errors_of_a_script_are_no_overruns() -> None:
    living = worker(script("error('no')"))
    replies = asked(living, Ask(tuple(questions(10)))).replies
    assert {reply.kind for reply in replies if isinstance(reply, Failed)} == {
        FailureKind.SCRIPT
    }


def test_a_worker_ends_well_at_the_end_of_its_stream() -> None:
    result = run(b"")
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0",
        encode(Ask((question(),))),
        encode(Answers(replies=())),
    ],
    ids=["garbage", "empty", "out of place", "the wrong way"],
)
def test_a_worker_ends_at_what_it_cannot_read(sent: bytes) -> None:
    result = run(sent)
    assert (result.returncode, result.stderr) == (3, b"")


def test_a_worker_without_its_parent_ends() -> None:
    # The process between us and the worker is killed; the worker still has our pipe.
    between = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-I', '-m', '{MODULE}', "
        "str(os.getpid())], stdin=int(sys.argv[1]), stdout=int(sys.argv[1]))\n"
        "time.sleep(1000)"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(PATIENCE_S)
        middle = subprocess.Popen(
            [sys.executable, "-c", between, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            cwd=Path(__file__).parents[3],
        )
        theirs.close()
        ours.sendall(encode(load(script(GOOD))))
        decoder = Decoder()
        while (body := decoder.next()) is None:
            decoder.feed(ours.recv(1 << 16))
        assert isinstance(decode_from_worker(body), Loaded)
        middle.send_signal(signal.SIGKILL)
        middle.wait()
        # The end of the stream comes when the last process that holds it is gone.
        assert ours.recv(1) == b""


def test_the_name_of_a_script_plays_no_part() -> None:
    first, other = (
        worker().answer(Load(name=name, source="error('x')", seed=0, driven=True))
        for name in ("a.lua", "../../etc/passwd")
    )
    assert first == other
