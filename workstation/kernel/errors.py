"""Every error the kernel raises, as one tree.

KernelError
├── ClockError           time would run backwards, or a clock is pumped twice
├── InvalidSetting       a value no part of the kernel can work with
├── InvalidChannel       an event type that has no channel
├── ChannelFull          a channel that may not lose anything has no room
├── MailboxEmpty         nothing to take without waiting
├── MailboxClosed        the mailbox is closed and empty
├── MissingComponent     a part that must be there is not
├── DuplicateComponent   a part that may be there once is there twice
├── TaskNotFound         no task of that name or id
├── IllegalTaskState     a change of state the table does not allow
└── SchedulerError       a task could not be started, stopped or fed
    ├── StartFailed      a task failed to initialize; the others were rolled back
    ├── StopTimeout      a task did not end in time
    └── ShutdownErrors   all that went wrong on the way down

Each message says what was wrong, with which value, and what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def _listed(names: Iterable[object]) -> str:
    text = ", ".join(str(name) for name in names)
    return text or "none yet"


class KernelError(Exception):
    """Stand for any error of the kernel."""


class ClockError(KernelError):
    """Say that time was asked to do what it cannot."""


class InvalidSetting(KernelError):
    """Say which setting has which unusable value, and what it should be."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name} is {value!r}; it should be {expected}")
        self.name = name
        self.value = value
        self.expected = expected


class InvalidChannel(KernelError):
    """Say that an event type has no channel, and list those that exist."""

    def __init__(self, event_type: type, known: Iterable[type]) -> None:
        self.event_type = event_type
        self.known = tuple(known)
        super().__init__(
            f"there is no channel for {event_type.__name__}; known channels: "
            f"{_listed(each.__name__ for each in self.known)}; "
            "add one with add_channel"
        )


class ChannelFull(KernelError):
    """Say which mailboxes refused an event; everyone else has received it."""

    def __init__(self, channel: str, capacity: int, mailboxes: Sequence[str]) -> None:
        self.channel = channel
        self.capacity = capacity
        self.mailboxes = tuple(mailboxes)
        super().__init__(
            f"channel {channel} refused an event: {_listed(self.mailboxes)} "
            f"holds {capacity} of {capacity}; wait for room or read faster"
        )


class MailboxEmpty(KernelError):
    """Say that a mailbox has nothing to give without waiting."""


class MailboxClosed(KernelError):
    """Say that a mailbox is closed and has been emptied."""


class MissingComponent(KernelError):
    """Say which component is missing and how many are needed."""

    def __init__(self, component: str, needed: str = "at least one") -> None:
        super().__init__(f"no {component}: {needed} is needed")
        self.component = component
        self.needed = needed


class DuplicateComponent(KernelError):
    """Say which component came twice, and under which names."""

    def __init__(
        self, component: str, names: Iterable[str], allowed: str = "exactly one"
    ) -> None:
        self.component = component
        self.names = tuple(names)
        super().__init__(
            f"too many of {component}: {_listed(self.names)}; {allowed} is allowed"
        )


class TaskNotFound(KernelError):
    """Say that no task has this name or id, and list the known names."""

    def __init__(self, wanted: str | int, known: Iterable[str]) -> None:
        self.wanted = wanted
        self.known = tuple(known)
        super().__init__(
            f"there is no task {wanted!r}; known tasks: {_listed(self.known)}"
        )


class IllegalTaskState(KernelError):
    """Say which task refused which change, and what it would accept."""

    def __init__(
        self, task: str, state: str, wanted: str, accepted: Iterable[str]
    ) -> None:
        self.task = task
        self.state = state
        self.wanted = wanted
        self.accepted = tuple(accepted)
        super().__init__(
            f"task {task} is {state} and cannot go to {wanted}; "
            f"possible: {_listed(self.accepted)}"
        )


class SchedulerError(KernelError):
    """Say what could not be done with a task."""


class StartFailed(SchedulerError):
    """Say which task failed to start; the cause is chained."""

    def __init__(self, task: str, cause: BaseException, undone: Sequence[str]) -> None:
        self.task = task
        self.undone = tuple(undone)
        super().__init__(
            f"task {task} failed to initialize ({describe(cause)}); "
            f"rolled back: {_listed(self.undone)}"
        )


class StopTimeout(SchedulerError):
    """Say which task did not end within which time."""

    def __init__(self, task: str, what: str, timeout_ns: int) -> None:
        self.task = task
        self.timeout_ns = timeout_ns
        super().__init__(
            f"task {task}: {what} did not end within {timeout_ns / 1e9:g} s; "
            "let it return or raise when it is cancelled"
        )


class ShutdownErrors(SchedulerError):
    """Hold all errors of one shutdown, in the order they happened."""

    def __init__(self, errors: Sequence[tuple[str, BaseException]]) -> None:
        self.errors = tuple(errors)
        lines = "; ".join(f"{task}: {describe(error)}" for task, error in self.errors)
        super().__init__(f"{len(self.errors)} error(s) while stopping: {lines}")

    @property
    def exceptions(self) -> tuple[BaseException, ...]:
        """Return the errors alone."""
        return tuple(error for _, error in self.errors)


def describe(error: BaseException) -> str:
    """Return one line that names the kind of an error and what it says."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
