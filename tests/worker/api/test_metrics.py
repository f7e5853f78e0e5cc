"""`/metrics`: what it tells is what the rows say; it is documented; and its cost follows what is open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tests.worker.api.office import Office
from tests.worker.engine.test_path import ANNA
from worker.api import metrics
from worker.storage.database import reader
from worker.storage.measures import measures
from worker.storage.outcomes import Outcomes

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(hirewire_\w+)` \| (\w+) \| ([^|]*) \| (.*) \|$", re.MULTILINE)
BIG = ("account", "audit", "event", "identity")

Samples = Mapping[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "KEEP_S", 0.0)


def scraped(office: Office) -> dict[str, Samples]:
    """Metric to its samples by the values of their labels."""
    found = office.get("/metrics")
    assert found.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(found.text)
    named = {family.name + ("_total" if family.type == "counter" else ""): family for family in families}
    told = {**metrics.GAUGES, **metrics.COUNTERS}
    return {
        name: {
            tuple(sample.labels[label] for label in told[name].labels): sample.value
            for sample in family.samples
        }
        for name, family in named.items()
    }


def test_every_metric_is_told_and_no_other(office: Office) -> None:
    assert scraped(office).keys() == metrics.GAUGES.keys() | metrics.COUNTERS.keys()


def test_each_metric_says_what_the_rows_say(office: Office) -> None:
    before = scraped(office)
    assert before["hirewire_outcomes_total"] == {}
    office.rig.say("E1", {**ANNA, "given_name": "Annika"})
    office.rig.say("E2", {**ANNA, "user_name": "nobody"})
    assert scraped(office)["hirewire_events_to_fold"] == {(): 2}
    office.rig.work()
    office.post("/v1/targets/spare/pause")
    office.post("/v1/runs", body={"kind": "resync", "targets": ["awx"], "why": "x"})
    found = scraped(office)
    assert found["hirewire_outcomes_total"] == {("awx", "patch", "applied"): 1}
    assert found["hirewire_accounts_held"] == {("awx",): 1, ("spare",): 1}
    assert found["hirewire_target_paused"] == {("awx",): 0, ("spare",): 1}
    assert found["hirewire_alarms_open"] == {("target_paused",): 1}
    assert found["hirewire_runs_open"][("resync", "waiting")] == 1
    assert found["hirewire_events_to_fold"] == {(): 0}
    assert found["hirewire_programs_alive"] == {("worker",): 0, ("beat",): 0}
    assert found["hirewire_acknowledged_last_hour"][("awx",)] >= 1
    assert 0 < found["hirewire_freshness_last_hour_seconds"][("awx", "0.99")] < 60
    assert found["hirewire_audit_sealed_timestamp_seconds"] == {}
    office.rig.runtime.sealer.run()
    assert len(scraped(office)["hirewire_audit_sealed_timestamp_seconds"]) == 1


def test_the_outcomes_are_counted_once_whoever_reads_and_however_often(office: Office) -> None:
    engine = reader(str(office.rig.settings.database.url.get_secret_value()))  # type: ignore[union-attr]
    first, second = Outcomes(engine), Outcomes(engine)
    for number in range(3):
        office.rig.say("E1", {**ANNA, "given_name": f"Anna{number}"})
        office.rig.work()
        with engine.connect() as connection:
            assert sum(first.read(connection).values()) == number + 1
    with engine.connect() as connection:
        assert second.read(connection) == first.read(connection)
    engine.dispose()


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        said.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_no_table_that_grows_is_read_whole(office: Office) -> None:
    office.rig.say("E1", ANNA)
    office.rig.work()
    with office.rig.writer.connect() as connection:
        counter = Outcomes(office.rig.writer)
        with statements(office.rig.writer) as said:
            measures(connection, 10)
            counter._seen = dict.fromkeys(counter._seen, 0)
            counter.read(connection)
        plans = [
            (statement, row.detail)
            for statement, parameters in said
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    whole = [
        (detail, statement)
        for statement, detail in plans
        for table in BIG
        if re.match(rf"SCAN {table}(?!\w)(?! USING (COVERING )?INDEX ix_)", detail)
    ]
    assert whole == []
    assert any("USING" in detail for _, detail in plans)


def test_every_metric_is_documented_as_it_is() -> None:
    rows = {name: (kind, labels, words) for name, kind, labels, words in _ROW.findall(DOCUMENT.read_text())}
    told = {
        name: (kind, ", ".join(f"`{label}`" for label in one.labels) or "-", one.help)
        for kind, listed in (("gauge", metrics.GAUGES), ("counter", metrics.COUNTERS))
        for name, one in listed.items()
    }
    assert rows == told
