"""A stream that cannot go on says how far it came, so that the rest can be sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from config.settings import Api, Settings
from worker.api.admission import Admission, Backlog
from worker.api.modes import Opener
from worker.api.problems import ProblemError
from worker.api.reading import Line
from worker.api.results import Result, Status
from worker.api.streaming import Stream, Streams
from worker.api.taking import Threads
from worker.databases import open_reader
from worker.domain.strict_json import Limits
from worker.engine.accept import Parcel
from worker.engine.errors import BusyError


class Failing:
    """Takes one chunk; the next one fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.calls = 0

    async def __call__(self, parcels: Sequence[Parcel], source: str) -> list[Result]:
        del source
        self.calls += 1
        if self.calls > 1:
            raise self._error
        return [Result(status=Status.ACCEPTED) for _ in parcels]


@pytest.mark.parametrize(
    ("error", "status"), [(BusyError("locked"), 503), (OSError(28, "No space left on device"), 507)]
)
def test_a_stream_that_stops_tells_how_many_events_it_took(
    error: Exception, status: int, tmp_path: Path, sqlite_database_url: str
) -> None:
    settings = Settings.model_validate({"state_dir": str(tmp_path), "database": {"url": sqlite_database_url}})
    reader = open_reader(settings)

    async def chunks() -> AsyncIterator[list[Line]]:
        for _ in range(3):
            yield [Line(b"{}")] * 100

    async def play() -> ProblemError:
        threads = Threads()
        streams = Streams(Opener(Limits(), 1000, {}), Admission(Api(), Backlog(reader, 10, threads)), threads)
        stream = Stream("hr", Failing(error), tmp_path)
        with pytest.raises(ProblemError) as caught:
            await streams.take(stream, chunks())
        assert stream.results.closed
        return caught.value

    problem = asyncio.run(play())
    reader.dispose()
    assert problem.status == status
    assert "100 events were taken in" in problem.detail
    assert problem.headers == {"retry-after": "1"}
