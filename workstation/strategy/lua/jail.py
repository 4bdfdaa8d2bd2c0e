"""What a worker gives up before it loads a script: files, sockets, processes, memory.

Called once, by the worker, when everything is imported and before the script is there.
Each step is best effort and none is undone; the report says what was reached. Must not
run in the workstation's own process.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

from workstation.strategy.lua.wire import ConfinementReport

__all__ = ["SPARE_MEMORY", "confine"]

SPARE_MEMORY = 64 * 1024 * 1024
"""Bytes of address space that a worker may add to what it has when it is jailed."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522

# The same numbers on every architecture: newer calls share one table.
_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_RULESET_VERSION = 1
# What each ABI of Landlock can refuse: rights on files, on TCP, and reach of signals
# and abstract sockets. An unknown newer ABI still refuses all of these.
_FILES_BY_ABI = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_NET_FROM, _NET = 4, 0b11
_SCOPE_FROM, _SCOPE = 6, 0b11

_ZERO_LIMITS = ("FSIZE", "NPROC", "CORE", "NOFILE")


class _Ruleset(ctypes.Structure):
    _fields_ = [
        ("files", ctypes.c_uint64),
        ("net", ctypes.c_uint64),
        ("scope", ctypes.c_uint64),
    ]


def confine(parent: int) -> ConfinementReport:
    """Give up what a script has no use for; ``parent`` is the workstation's process id.

    Ends the process where the parent is gone already.
    """
    missing: list[str] = []
    # Landlock closes /proc.
    held = _address_space()
    no_new_privs = parent_death = not_dumpable = False
    abi = 0
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        no_new_privs = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        parent_death = libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
        not_dumpable = libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
        # It may have died before we asked to be told.
        if os.getppid() != parent:
            os._exit(0)
        no_capabilities = _drop_capabilities(libc)
        abi = _landlock(libc)
        missing += _names(
            ("no-new-privs", no_new_privs),
            ("parent death signal", parent_death),
            ("not dumpable", not_dumpable),
            ("no capabilities", no_capabilities),
            ("landlock", abi > 0),
        )
    else:
        missing += ["landlock", "no-new-privs", "parent death signal"]
    address_space = _limit_memory(held)
    limits = tuple(
        name.lower() for name in _ZERO_LIMITS if _zero(name) and _binds(name)
    )
    missing += _names(
        ("address space limit", address_space),
        *((f"{name.lower()} limit", name.lower() in limits) for name in _ZERO_LIMITS),
    )
    return ConfinementReport(
        no_new_privs=no_new_privs,
        parent_death_signal=parent_death,
        not_dumpable=not_dumpable,
        address_space=address_space,
        limits=limits,
        landlock_abi=abi,
        missing=tuple(missing),
    )


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    """Give up what root could do beyond others, such as raising its limits again."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none_of_them = (ctypes.c_uint32 * 6)()
    return bool(libc.capset(header, none_of_them) == 0)


def _names(*steps: tuple[str, bool]) -> list[str]:
    return [name for name, reached in steps if not reached]


def _zero(name: str) -> bool:
    """Set a limit to 0 for good; files that are open stay so."""
    try:
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
    except (AttributeError, OSError, ValueError):
        return False
    return True


def _binds(name: str) -> bool:
    """Tell whether a limit holds for this user: root may start processes all the same.

    By the user alone, whatever capabilities it has given up.
    """
    return name != "NPROC" or os.getuid() != 0


def _address_space() -> int:
    """Return how many bytes of address space this process has; 0 where unknown."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _limit_memory(held: int) -> bool:
    if not held:
        return False
    bound = held + SPARE_MEMORY
    try:
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    except (OSError, ValueError):
        return False
    return True


def _landlock(libc: ctypes.CDLL) -> int:
    """Refuse all that Landlock can refuse; return its ABI, or 0 where it did not."""
    syscall = libc.syscall
    syscall.restype = ctypes.c_long
    abi = syscall(
        ctypes.c_long(_CREATE_RULESET),
        None,
        ctypes.c_size_t(0),
        ctypes.c_uint32(_RULESET_VERSION),
    )
    if abi < 1:
        return 0
    rules = _Ruleset(
        files=sum(bits for since, bits in _FILES_BY_ABI.items() if abi >= since),
        net=_NET if abi >= _NET_FROM else 0,
        scope=_SCOPE if abi >= _SCOPE_FROM else 0,
    )
    # An older kernel takes a shorter structure, and a longer one with zeros behind.
    ruleset = syscall(
        ctypes.c_long(_CREATE_RULESET),
        ctypes.byref(rules),
        ctypes.c_size_t(ctypes.sizeof(rules)),
        ctypes.c_uint32(0),
    )
    if ruleset < 0:
        return 0
    try:
        done = syscall(
            ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint32(0)
        )
    finally:
        os.close(ruleset)
    return int(abi) if done == 0 else 0
