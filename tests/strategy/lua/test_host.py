"""The host waits for no worker, believes none, and leaves nothing of any behind."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.strategy.lua.fakes import command
from tests.strategy.lua.workers import (
    GOOD,
    PATIENCE_S,
    load,
    question,
    questions,
    script,
)
from workstation.strategy.lua.frames import MessageError, encode
from workstation.strategy.lua.host import FaultKind, LuaWorker, Reply, WorkerFault
from workstation.strategy.lua.process import COMMAND
from workstation.strategy.lua.wire import (
    Answer,
    Answers,
    Loaded,
    LoadFailed,
)

ROOT = str(Path(__file__).parents[3])
SOURCE = script(GOOD)


def open_files() -> set[str]:
    """Return this process's open descriptors, without the one that lists them."""
    return {fd for fd in os.listdir("/dev/fd") if os.path.lexists(f"/dev/fd/{fd}")}


STARTED: list[LuaWorker] = []
"""Workers of the test that runs: a test that fails must not leave them behind."""


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """See that a test leaves no descriptor and no child, dead or alive."""
    # What other tests have left to the collector is not closed in the middle of this.
    gc.collect()
    before = open_files()
    yield
    pids = [worker.pid for worker in STARTED if worker.pid is not None]
    forgotten = [worker for worker in STARTED if worker.fault is None]
    STARTED.clear()
    for worker in forgotten:
        worker.close()
    assert forgotten == []
    assert open_files() == before
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def fake(body: str) -> LuaWorker:
    """Return a started worker that runs a body."""
    return started(command(body, ROOT))


def started(command: Sequence[str] = COMMAND) -> LuaWorker:
    """Return a started worker that has no script yet."""
    worker = LuaWorker(command)
    worker.start()
    STARTED.append(worker)
    return worker


def loaded() -> LuaWorker:
    """Return a real worker with a good script."""
    worker = started()
    outcome = worker.load(load(SOURCE), PATIENCE_S)
    assert isinstance(outcome, Loaded), outcome
    return worker


def asked(worker: LuaWorker, count: int = 1) -> Answers:
    """Return the answers of a real worker to some questions."""
    assert worker.post(questions(count)) is None
    said = worker.receive(PATIENCE_S)
    assert isinstance(said, Answers), said
    return said


def test_a_worker_loads_answers_and_is_closed() -> None:
    worker = loaded()
    assert all(isinstance(reply, Answer) for reply in asked(worker, 3).replies)
    assert worker.waiting == 0
    worker.close()
    assert worker.fileno() == -1
    assert worker.fault is not None
    # It may see the end of its socket before the signal.
    assert worker.fault.message in (
        "the worker was closed and ended by SIGKILL",
        "the worker was closed and ended with exit code 0",
    )
    assert worker.memory() is None
    assert isinstance(worker.post([question()]), WorkerFault)
    assert isinstance(worker.receive(0), WorkerFault)
    worker.close()


def test_a_worker_says_how_it_is_confined_and_what_it_runs() -> None:
    worker = started()
    outcome = worker.load(load(SOURCE), PATIENCE_S)
    assert isinstance(outcome, Loaded)
    assert outcome.confinement.line().startswith("process, rlimits")
    assert outcome.versions.lua.startswith("Lua 5.4")
    worker.close()


def test_a_script_that_does_not_load_leaves_the_worker_to_another() -> None:
    worker = started()
    assert isinstance(worker.load(load("x ="), PATIENCE_S), LoadFailed)
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    assert asked(worker)
    worker.close()


def test_many_questions_are_answered_as_one_post_in_their_order() -> None:
    worker = started()
    source = script("return {price = market.params.price}")
    assert isinstance(worker.load(load(source), PATIENCE_S), Loaded)
    worker.post([question(row=n, params={"price": n}) for n in range(1000)])
    said = worker.receive(PATIENCE_S)
    assert isinstance(said, Answers)
    assert [reply.answer for reply in said.replies if isinstance(reply, Answer)] == [
        {"price": n} for n in range(1000)
    ]
    worker.close()


async def test_an_event_loop_is_told_when_to_read_and_when_to_write() -> None:
    worker = loaded()
    loop = asyncio.get_running_loop()
    replies: list[Reply | WorkerFault] = []
    done = loop.create_future()

    def read() -> None:
        while (reply := worker.receive_ready()) is not None:
            replies.append(reply)
            if len(replies) == 20:
                done.set_result(None)
                return

    def write() -> None:
        worker.flush()
        if not worker.wants_write:
            loop.remove_writer(worker.fileno())

    loop.add_reader(worker.fileno(), read)
    for _ in range(20):
        worker.post(questions(300))
    assert worker.wants_write
    loop.add_writer(worker.fileno(), write)
    async with asyncio.timeout(PATIENCE_S):
        await done
    loop.remove_reader(worker.fileno())
    assert [len(reply.replies) for reply in replies if isinstance(reply, Answers)] == (
        [300] * 20
    )
    worker.close()


def test_no_questions_get_no_answers() -> None:
    worker = loaded()
    assert asked(worker, 0).replies == ()
    worker.close()


def test_posts_are_answered_in_turn_however_many_wait() -> None:
    worker = loaded()
    for count in range(1, 40):
        worker.post(questions(count))
    sizes = []
    while worker.waiting:
        said = worker.receive(PATIENCE_S)
        assert isinstance(said, Answers)
        sizes.append(len(said.replies))
    assert sizes == list(range(1, 40))
    worker.close()


def test_both_sides_may_write_more_than_their_sockets_hold() -> None:
    # Every context comes back, so megabytes wait on both ways at once.
    strings = tuple(f"{n:064}" for n in range(60))
    body = "context.price = (context.price or 0) + 1"
    worker = started()
    outcome = worker.load(load(script(body), strings=("BTCUSDT", *strings)), PATIENCE_S)
    assert isinstance(outcome, Loaded)
    context = dict.fromkeys(strings, strings[0])
    worker.post([question(row=n, context=context) for n in range(1500)])
    assert worker.wants_write
    said = worker.receive(PATIENCE_S)
    assert isinstance(said, Answers)
    assert {
        reply.context["price"]
        for reply in said.replies
        if isinstance(reply, Answer) and reply.context
    } == {1}
    assert not worker.wants_write
    worker.close()


def test_a_question_that_no_message_can_hold_is_refused_before_it_is_sent() -> None:
    worker = loaded()
    with pytest.raises(MessageError):
        worker.post([question(params={"a": "x" * (5 << 20)})])
    assert asked(worker)
    worker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_memory_of_the_process_is_told() -> None:
    worker = loaded()
    memory = worker.memory()
    assert memory is not None
    assert 5 << 20 < memory < 100 << 20
    worker.close()


def test_a_stopped_worker_is_killed_at_the_deadline() -> None:
    worker = loaded()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    worker.post([question()])
    fault = worker.receive(0.05)
    assert fault == WorkerFault(
        kind=FaultKind.DEAD,
        message="the worker did not answer within 0.05 s and ended by SIGKILL",
        signal="SIGKILL",
    )


def test_a_worker_that_is_killed_says_so() -> None:
    worker = loaded()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert (fault.kind, fault.signal) == (FaultKind.DEAD, "SIGKILL")
    assert worker.fault is fault


def test_a_worker_that_aborts_or_exits_says_how() -> None:
    worker = fake("os.abort()")
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert (fault.kind, fault.signal) == (FaultKind.DEAD, "SIGABRT")
    worker = fake("sys.exit(7)")
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert (fault.exit_code, fault.message) == (7, "the worker ended with exit code 7")


def test_a_worker_that_hears_nothing_any_more_is_killed_behind_what_it_said() -> None:
    worker = fake(
        f"{LOADS}read()\nimport socket\n"
        "ours = socket.socket(fileno=0)\nours.shutdown(socket.SHUT_RD)\n"
        "write(encode(Answers(replies=(Answer(),))))\ntime.sleep(1000)"
    )
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    worker.post([question()])
    poll = select.poll()
    poll.register(worker.fileno(), select.POLLIN)
    assert poll.poll(PATIENCE_S * 1000)
    assert worker.post([question()]) is None
    assert isinstance(worker.receive_ready(), Answers)
    fault = worker.receive_ready()
    assert isinstance(fault, WorkerFault)
    assert fault.message == "the worker hears nothing and ended by SIGKILL"


def test_a_worker_that_never_loads_is_killed_at_the_deadline() -> None:
    worker = fake("read(); time.sleep(1000)")
    fault = worker.load(load(SOURCE), 0.05)
    assert isinstance(fault, WorkerFault)
    assert fault.kind is FaultKind.DEAD


def test_a_worker_that_closes_its_end_but_lives_is_killed() -> None:
    worker = fake("read(); os.close(0); time.sleep(1000)")
    fault = worker.load(load(SOURCE), PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert fault.signal == "SIGKILL"


def test_the_children_of_a_worker_end_with_it(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    worker = fake(
        "if os.fork() == 0:\n"
        f"    os.write(os.open({str(fifo)!r}, os.O_WRONLY), b'x')\n"
        "time.sleep(1000)"
    )
    reader = os.open(fifo, os.O_RDONLY)
    assert os.read(reader, 1) == b"x"
    worker.close()
    # The end of the stream: no process holds the other end any more.
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_the_children_of_a_worker_that_has_ended_end_too(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    worker = fake(
        "if os.fork() == 0:\n"
        "    os.close(0)\n"
        f"    os.write(os.open({str(fifo)!r}, os.O_WRONLY), b'x')\n"
        "    time.sleep(1000)\n"
        "sys.exit(7)"
    )
    reader = os.open(fifo, os.O_RDONLY)
    assert os.read(reader, 1) == b"x"
    assert worker.pid is not None
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert fault.exit_code == 7
    # The end of the stream; it does not come while the child lives.
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    assert poll.poll(PATIENCE_S * 1000)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_worker_that_reads_nothing_is_killed_and_never_waited_for() -> None:
    worker = fake("time.sleep(1000)")
    worker.post_load(load(SOURCE))
    fault = None
    big = [question(params={"a": "x" * 60_000, "b": "y" * 60_000}) for _ in range(30)]
    for _ in range(100):
        fault = worker.post(big)
        if fault is not None:
            break
    assert fault is not None
    assert "does not read" in fault.message


LOADS = """
from workstation.strategy.lua.lexer import strings_of
write(encode(Loaded(
    params=(),
    functions=dict.fromkeys(FUNCTIONS, 1),
    strings=strings_of(decode_to_worker(read())),
    confinement=ConfinementReport(),
    versions=Versions("a", "b", "c"),
)))
"""

UNTRUE = {
    "garbage": "write(b'GET / HTTP/1.1\\r\\n\\r\\n' * 100)",
    "zeros": "write(bytes(100))",
    "random bytes in a frame": "write(struct.pack('>I', 50) + os.urandom(50))",
    "a giant length": "write(struct.pack('>I', 0xffffffff))",
    "a length one too long": "write(struct.pack('>I', MAX_MESSAGE + 1))",
    "an empty message": "write(struct.pack('>I', 0))",
    "deep nesting": "write(struct.pack('>I', 100000) + b'\\x91' * 100000)",
    "a message for workers": "write(encode(Ask(())))",
    "two answers": "write(encode(Answers(replies=(Answer(), Answer()))))",
    "no answer": "write(encode(Answers(replies=())))",
    "a text of its own": "write(encode(Answers(replies=("
    "Answer(answer={'root': 1}),))))",
    "NaN": "write(encode(Answers(replies=(Answer(answer={'action': float('nan')}),))))",
    "control characters": "write(encode(Answers(replies=(Failed("
    "kind=FailureKind.SCRIPT, message='\\x1b[2J'),))))",
    "another load": "write(encode(LoadFailed(FailureKind.SCRIPT, 'no')))",
}


@pytest.mark.parametrize("body", UNTRUE.values(), ids=UNTRUE)
def test_a_worker_that_says_what_none_says_is_killed(body: str) -> None:
    worker = fake(f"{LOADS}read()\n{body}\ntime.sleep(1000)")
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    worker.post([question()])
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert (fault.kind, fault.signal) == (FaultKind.PROTOCOL, "SIGKILL")
    assert fault.message.startswith("the worker sent ")


def test_an_answer_to_nothing_is_a_fault() -> None:
    worker = fake(
        f"{LOADS}write(encode(Answers(replies=(Answer(),))))\ntime.sleep(1000)"
    )
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert fault.kind is FaultKind.PROTOCOL


def test_answers_before_a_script_are_a_fault() -> None:
    worker = fake(
        "read()\nwrite(encode(Answers(replies=(Answer(),))))\ntime.sleep(1000)"
    )
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), WorkerFault)


def test_an_answer_before_its_end_still_counts() -> None:
    worker = fake(f"{LOADS}read()\nwrite(encode(Answers(replies=(Answer(),))))")
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    worker.post([question()])
    assert isinstance(worker.receive(PATIENCE_S), Answers)
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert fault.exit_code == 0


def test_an_answer_in_the_last_read_of_a_look_is_taken_in_that_look() -> None:
    worker = loaded()
    worker.post([question()])
    data = encode(Answers(replies=(Answer(),)))
    # The reads of one look, and the end of the stream behind them.
    parts = [data[at : at + 1] for at in range(7)] + [data[7:], b""]
    process = worker._process
    assert process is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "read", lambda: parts.pop(0))
        assert isinstance(worker.receive_ready(), Answers)
        assert parts == [b""]
        assert isinstance(worker.receive_ready(), WorkerFault)


@pytest.mark.parametrize("shown", [1, 3, 4, 10])
def test_half_a_message_is_not_waited_for(shown: int) -> None:
    worker = fake(
        f"{LOADS}read()\n"
        f"write(encode(Answers(replies=(Answer(),)))[:{shown}])\ntime.sleep(1000)"
    )
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    worker.post([question()])
    assert worker.receive_ready() is None
    fault = worker.receive(0.05)
    assert isinstance(fault, WorkerFault)
    assert fault.kind is FaultKind.DEAD


def test_a_flood_holds_nobody_up_and_is_the_end() -> None:
    worker = fake(
        f"{LOADS}read()\nflood = encode(Answers(replies=(Answer(),))) * 10000\n"
        "while True: write(flood)"
    )
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    worker.post([question()])
    assert isinstance(worker.receive(PATIENCE_S), Answers)
    fault = worker.receive(PATIENCE_S)
    assert isinstance(fault, WorkerFault)
    assert fault.kind is FaultKind.PROTOCOL


def test_a_message_that_trickles_is_ended_by_the_deadline() -> None:
    worker = fake(
        f"{LOADS}read()\nwrite(struct.pack('>I', 1000))\n"
        "while True: write(b'x'); time.sleep(0.01)"
    )
    assert isinstance(worker.load(load(SOURCE), PATIENCE_S), Loaded)
    worker.post([question()])
    fault = worker.receive(0.1)
    assert isinstance(fault, WorkerFault)
    assert fault.kind is FaultKind.DEAD


def test_a_worker_that_cannot_be_started_leaves_nothing() -> None:
    worker = LuaWorker(("/none/such",))
    with pytest.raises(OSError):
        worker.start()


def test_a_worker_starts_once_and_before_it_is_used() -> None:
    worker = LuaWorker()
    for use in (lambda: worker.post([]), worker.receive_ready):
        with pytest.raises(RuntimeError, match="start"):
            use()
    assert worker.fileno() == -1
    assert worker.pid is None
    worker.close()
    worker.start()
    with pytest.raises(RuntimeError, match="once"):
        worker.start()
    worker.close()


def test_a_worker_starts_with_nothing_of_ours() -> None:
    worker = fake(
        "read()\n"
        "told = [sorted(os.environ), os.getcwd(), os.getsid(0) == os.getpid()]\n"
        "files = [fd for fd in range(3, 999) if os.path.exists(f'/dev/fd/{fd}')]\n"
        "told.append(files)\n"
        "write(encode(LoadFailed(FailureKind.SCRIPT, repr(told))))"
    )
    outcome = worker.load(load(SOURCE), PATIENCE_S)
    assert isinstance(outcome, LoadFailed)
    # Python itself sets the one about characters.
    assert outcome.message.replace("'LC_CTYPE'", "") == "[[], '/', True, []]"
    worker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_a_real_worker_is_jailed_before_it_answers() -> None:
    worker = loaded()
    proc = Path(f"/proc/{worker.pid}")
    status = (proc / "status").read_text(encoding="utf-8").split("\n")
    told = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert told["NoNewPrivs"] == "1"
    assert int(told["CapEff"], 16) == 0
    assert told["Threads"] == "1"
    limits = (proc / "limits").read_text(encoding="utf-8").split("\n")
    for name in ("open files", "file size", "processes", "core file size"):
        (line,) = (line for line in limits if line.startswith(f"Max {name} "))
        assert line.split()[-3:-1] == ["0", "0"] or line.split()[-2:] == ["0", "0"]
    (line,) = (line for line in limits if line.startswith("Max address space"))
    assert "unlimited" not in line
    worker.close()


def test_a_hundred_workers_leave_nothing() -> None:
    for _ in range(100):
        fake("pass").close()


def test_the_command_is_isolated() -> None:
    assert COMMAND[1:] == ("-I", "-m", "workstation.strategy.lua.worker")
