"""Workers that misbehave: small programs in the place of the real one."""

from __future__ import annotations

import sys

__all__ = ["command"]

# Reads a message's body; answers are made by the words of the test.
_HEAD = """
import os, signal, struct, sys, time
sys.path[:0] = [{root!r}]
from workstation.strategy.lua.frames import *
from workstation.strategy.lua.wire import *
def read():
    data = b""
    while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
        more = os.read(0, 1 << 16)
        if not more:
            sys.exit(0)
        data += more
    return data[4:]
def write(data):
    while data:
        data = data[os.write(0, data):]
"""


def command(body: str, root: str) -> tuple[str, ...]:
    """Return a command that runs a body with ``read`` and ``write`` at hand."""
    return (sys.executable, "-c", _HEAD.format(root=root) + body)
