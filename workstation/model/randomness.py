"""Randomness of a run: one stream per name, derived from (seed, name).

Adding a consumer never shifts the numbers of another, so a run stays the same run.
"""

from __future__ import annotations

import hashlib
import random

__all__ = ["random_stream"]


def random_stream(seed: int, name: str) -> random.Random:
    """Return the generator of this name; equal arguments give equal numbers."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "big"))
