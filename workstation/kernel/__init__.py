"""Orchestration of tasks and events: clock, bus, dispatcher, tasks, scheduler.

Knows nothing of trading and imports nothing else of this package; usable alone.
"""

from __future__ import annotations

from workstation.kernel.bus import (
    ChannelConfig,
    ChannelStats,
    EventBus,
    Subscription,
)
from workstation.kernel.clock import Clock, RealClock, SimClock, Timer
from workstation.kernel.dispatcher import Dispatcher
from workstation.kernel.errors import (
    ChannelFull,
    ClockError,
    DuplicateComponent,
    IllegalTaskState,
    InvalidChannel,
    InvalidSetting,
    KernelError,
    MailboxClosed,
    MailboxEmpty,
    MissingComponent,
    SchedulerError,
    ShutdownErrors,
    StartFailed,
    StopTimeout,
    TaskNotFound,
)
from workstation.kernel.mailbox import ConflatingMailbox, Mailbox, Overflow
from workstation.kernel.scheduler import Scheduler
from workstation.kernel.tasks import (
    BackgroundTask,
    EventTask,
    Supervision,
    Task,
    TaskChange,
    TaskHandle,
    TaskKind,
    TaskRegistry,
    TaskState,
    TaskStats,
)

__all__ = [
    "BackgroundTask",
    "ChannelConfig",
    "ChannelFull",
    "ChannelStats",
    "Clock",
    "ClockError",
    "ConflatingMailbox",
    "Dispatcher",
    "DuplicateComponent",
    "EventBus",
    "EventTask",
    "IllegalTaskState",
    "InvalidChannel",
    "InvalidSetting",
    "KernelError",
    "Mailbox",
    "MailboxClosed",
    "MailboxEmpty",
    "MissingComponent",
    "Overflow",
    "RealClock",
    "Scheduler",
    "SchedulerError",
    "ShutdownErrors",
    "SimClock",
    "StartFailed",
    "StopTimeout",
    "Subscription",
    "Supervision",
    "Task",
    "TaskChange",
    "TaskHandle",
    "TaskKind",
    "TaskNotFound",
    "TaskRegistry",
    "TaskState",
    "TaskStats",
    "Timer",
]
