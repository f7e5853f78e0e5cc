"""When the processes of one worker last got something done: shared memory, made before the fork.

Each moment is written by one `pack_into`, without a lock: a process that is killed while it writes cannot
keep another from reading. A reader takes what it finds; a torn value is corrected by the next.
"""

from __future__ import annotations

import mmap
import struct
import time
import uuid

_MOMENT = struct.Struct("d")
_ANY = 0  # the first place; one for each shard behind it


class SharedVitals:
    """See `worker.engine.ports.Vitals`. Moments are of the system's monotonic clock."""

    def __init__(self, shards: int) -> None:
        self.name = uuid.uuid4().hex
        self._page = mmap.mmap(-1, _MOMENT.size * (1 + shards))
        for place in range(1 + shards):
            self._note(place)

    def settled(self, shard: int) -> None:
        self._note(_ANY)
        self._note(1 + shard)

    def folded(self) -> None:
        self._note(_ANY)

    def silence_s(self) -> float:
        """Seconds since anything was done."""
        return self._age(_ANY)

    def silence_of_s(self, shard: int) -> float:
        """Seconds since a sync of the shard got something done."""
        return self._age(1 + shard)

    def _note(self, place: int) -> None:
        _MOMENT.pack_into(self._page, place * _MOMENT.size, time.monotonic())

    def _age(self, place: int) -> float:
        moment: float = _MOMENT.unpack_from(self._page, place * _MOMENT.size)[0]
        return time.monotonic() - moment
