"""Imports: a file is judged as a whole before anything of it counts, and then passes the one door."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import CARLA, LARGE, SMALL_BRAKE, alarms, carry_out, first_names, run, settle
from tests.worker.engine.files import as_csv, person, staged
from tests.worker.engine.rig import ATTRIBUTES, Rig
from worker.engine.importing import Importing
from worker.engine.rows import RunState
from worker.engine.staging import StagingError
from worker.intake import build_doors
from worker.run_kinds import build_importing, build_judge
from worker.storage import tables


@pytest.fixture
def target(django_admin_target: ReferenceTarget) -> ReferenceTarget:
    return django_admin_target


def events(rig: Rig) -> int:
    with rig.writer.connect() as connection:
        return connection.scalars(sa.select(sa.func.count()).select_from(tables.event)).one()


def importing_of(rig: Rig) -> Importing:
    runtime = rig.runtime
    doors = build_doors(rig.settings, runtime.store, rig.signals)
    judge = build_judge(rig.settings, runtime.targets)
    return build_importing(rig.settings, runtime.store, doors, judge, runtime.targets)


def left_over(rig: Rig) -> int:
    with rig.writer.connect() as connection:
        return connection.scalars(sa.select(sa.func.count()).select_from(tables.staged_event)).one()


def test_a_small_import_reaches_the_target(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path, database_url: str
) -> None:
    rig = settle(make_rig, target, 2 * LARGE, database=database_url)
    rows = [person(n, given_name="Renamed" if n == 3 else f"Given{n}") for n in range(2 * LARGE)]
    asked, bad = staged(rig, tmp_path, as_csv(rows))
    assert bad == []
    carry_out(rig)
    done = run(rig, asked.id)
    assert (done.state, done.done, left_over(rig)) == (RunState.DONE, 2 * LARGE, 0)
    assert done.note["counted"]["changed"] == {"crm": 1}
    assert first_names(target)["person.3"] == "Renamed"
    assert [one["actor"] for one in rig.audit("event:accept:accepted")][-1] == f"run:{asked.id}"


def test_a_held_import_moves_nothing_until_somebody_else_approved_it(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path, database_url: str
) -> None:
    rig = settle(make_rig, target, LARGE, database=database_url)
    before, known = first_names(target), events(rig)
    rows = [person(n, given_name="Wrong" if n < 2 else f"Given{n}") for n in range(LARGE)]
    asked, _ = staged(rig, tmp_path, as_csv(rows))
    carry_out(rig)
    held = run(rig, asked.id)
    assert (held.state, held.note["held"]) == (RunState.HELD, {"crm": LARGE})
    assert (first_names(target), events(rig), alarms(rig)) == (before, known, ["run_held"])
    rig.runtime.desk.approve(asked.id, CARLA, "asked HR: they were renamed")
    carry_out(rig)
    assert run(rig, asked.id).state == RunState.DONE
    assert [first_names(target)[f"person.{n}"] for n in range(LARGE)].count("Wrong") == 2


def test_a_held_import_that_is_cancelled_is_gone(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path
) -> None:
    rig = settle(make_rig, target, LARGE)
    asked, _ = staged(rig, tmp_path, as_csv([person(n, active="no") for n in range(LARGE)]))
    carry_out(rig)
    held = run(rig, asked.id)
    assert (held.state, held.note["counted"]["deactivated"]) == (RunState.HELD, {"crm": LARGE})
    rig.runtime.desk.cancel(asked.id, CARLA, "the wrong file")
    carry_out(rig)
    assert (left_over(rig), alarms(rig)) == (0, [])
    assert all(user["is_active"] for name, user in target.users().items() if name.startswith("person."))
    staged(rig, tmp_path, as_csv([person(n) for n in range(LARGE)]))  # the next one may come


def test_people_who_are_new_count(make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path) -> None:
    rig = make_rig(targets={"crm": target}, engine=SMALL_BRAKE)
    asked, _ = staged(rig, tmp_path, as_csv([person(n) for n in range(LARGE)]))
    carry_out(rig)
    held = run(rig, asked.id)
    assert (held.state, held.note["counted"]["created"]) == (RunState.HELD, {"crm": LARGE})
    assert events(rig) == 0


def test_what_a_date_in_the_file_will_do_counts_today(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path
) -> None:
    rig = settle(make_rig, target, LARGE, source={"attributes": [*ATTRIBUTES, "end_date"]})
    leaving = [person(n, end_date="2099-01-01" if n < 2 else "") for n in range(LARGE)]
    asked, _ = staged(rig, tmp_path, as_csv(leaving))
    carry_out(rig)
    held = run(rig, asked.id)
    assert (held.state, held.note["counted"]["deactivated"]) == (RunState.HELD, {"crm": 2})


def test_one_bad_row_is_named_by_its_line_and_sinks_no_other(rig: Rig, tmp_path: Path) -> None:
    text = (
        "subject,user_name,active,groups\n"
        "E1,anna,yes,\n"
        "E2,bert,perhaps,\n"
        ",carl,yes,\n"
        'E4,"dora"x,yes,\n'
        "E5,eva,yes\n"
        "E6,fritz\udcff,yes,\n"
        "E1,anna,no,\n"
        "E8,hugo,no,a;b\n"
    )
    asked, bad = staged(rig, tmp_path, text)
    assert [(one.line, one.subject, one.refusal.pointer) for one in bad] == [
        (3, "E2", "/active"),
        (4, None, "/subject"),
        (5, None, ""),
        (6, None, ""),
        (7, "E6", ""),
        (8, "E1", "/id"),
    ]
    carry_out(rig)
    assert run(rig, asked.id).done == 4  # two to accept, two that were only named
    assert events(rig) == 2
    lines = [one["line"] for one in rig.audit("event:import:refused")]
    assert lines == [3, 4, 5, 6, 7, 8]


def test_lines_of_cloudevents_are_accepted_as_they_are(rig: Rig, tmp_path: Path) -> None:
    lines = [json.dumps(rig.event(f"E{n}", {"user_name": f"u{n}"})) for n in range(3)]
    foreign = json.dumps({**rig.event("E9", {}), "source": "elsewhere"})
    _, bad = staged(rig, tmp_path, "\n".join([*lines, foreign, "{", lines[0]]), name="events.ndjson")
    assert [one.line for one in bad] == [4, 5, 6]
    carry_out(rig)
    rig.work()
    assert {one["event"] for one in rig.audit("event:accept:accepted")} == {"e1", "e2", "e3"}


def test_a_crash_in_the_middle_of_the_acceptance_is_taken_up_again(
    make_rig: MakeRig, tmp_path: Path, database_url: str
) -> None:
    rig = make_rig(database=database_url)
    asked, _ = staged(rig, tmp_path, as_csv([person(n) for n in range(450)]))
    runs, importing = (
        rig.runtime.runs,
        importing_of(rig),
    )
    while run(rig, asked.id).state != RunState.RUNNING:
        state = run(rig, asked.id)
        if state.state == RunState.HELD:
            rig.runtime.desk.approve(asked.id, CARLA, "the first list")
        importing.step(asked.id)
    importing.step(asked.id)
    with rig.runtime.store.begin() as tx:
        page = tx.staged.page(asked.id, 200)
    raws = [row.body.encode() for row in page if row.body is not None]
    rig.runtime.intake.accept(raws, f"run:{asked.id}")  # the worker dies before it writes that down
    assert (run(rig, asked.id).done, events(rig)) == (200, 400)
    runs.carry_out(asked.id)
    assert (run(rig, asked.id).state, run(rig, asked.id).done) == (RunState.DONE, 450)
    assert (events(rig), left_over(rig)) == (450, 0)


def test_an_import_waits_while_many_events_wait_to_be_folded(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = make_rig(engine={"import_backlog": 3, "plan_brake_min_accounts": 1_000})
    rig.accept(*(rig.event(f"L{n}", {"user_name": f"live{n}"}) for n in range(4)))
    asked, _ = staged(rig, tmp_path, as_csv([person(1)]))
    rig.runtime.runs.carry_out(asked.id)
    assert (run(rig, asked.id).state, events(rig)) == (RunState.RUNNING, 4)
    rig.fold()
    rig.runtime.runs.carry_out(asked.id)
    assert (run(rig, asked.id).state, events(rig)) == (RunState.DONE, 5)


def test_a_source_has_one_import_at_a_time(rig: Rig, tmp_path: Path) -> None:
    asked, _ = staged(rig, tmp_path, as_csv([person(1)]))
    with pytest.raises(StagingError, match=f"run {asked.id}"):
        staged(rig, tmp_path, as_csv([person(2)]), day=1)


def test_a_list_that_shrank_is_refused_unless_it_is_forced(rig: Rig, tmp_path: Path) -> None:
    staged(rig, tmp_path, as_csv([person(n) for n in range(10)]))
    carry_out(rig)
    with pytest.raises(StagingError, match="names 7 people, the last one of hr"):
        staged(rig, tmp_path, as_csv([person(n) for n in range(7)]), day=1)
    assert (left_over(rig), rig.audit("run:import:refused")[-1]["actor"]) == (0, "hirewire")
    forced, _ = staged(rig, tmp_path, as_csv([person(n) for n in range(7)]), day=1, forced=True)
    carry_out(rig)
    assert run(rig, forced.id).state == RunState.DONE


def test_only_who_is_absent_from_two_complete_files_has_left(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path, database_url: str
) -> None:
    people = 4 * LARGE
    rig = settle(make_rig, target, people, database=database_url)
    everybody = [person(n) for n in range(people)]
    lists = [
        (everybody, True),
        (everybody[:-1], False),  # not declared complete: says nothing of who is absent
        (everybody[:-1], True),
        (everybody, True),  # back again
        (everybody[:-1], True),
    ]
    for day, (rows, complete) in enumerate(lists):
        staged(rig, tmp_path, as_csv(rows), day, complete=complete)
        carry_out(rig)
        assert target.users()[f"person.{people - 1}"]["is_active"] is True, day
    again, _ = staged(rig, tmp_path, as_csv(everybody[1:-1]), 9, complete=True)
    carry_out(rig)
    done = run(rig, again.id)
    assert (done.state, done.position["left"], done.position["absent"]) == (RunState.DONE, 1, 1)
    assert done.note["counted"]["deactivated"] == {"crm": 1}
    assert target.users()[f"person.{people - 1}"]["is_active"] is False
    assert target.users()["person.0"]["is_active"] is True


def test_many_who_are_absent_twice_are_held(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path
) -> None:
    people = 2 * LARGE
    rig = settle(make_rig, target, people)
    everybody = [person(n) for n in range(people)]
    for day, rows in enumerate((everybody, everybody[:7], everybody[:7])):
        asked, _ = staged(rig, tmp_path, as_csv(rows), day, complete=True, forced=True)
        carry_out(rig)
    assert run(rig, asked.id).state == RunState.HELD
    assert run(rig, asked.id).note["counted"]["deactivated"] == {"crm": 3}
    assert all(user["is_active"] for name, user in target.users().items() if name.startswith("person."))


def test_a_complete_file_with_a_row_that_names_nobody_does_not_count_as_complete(
    rig: Rig, tmp_path: Path
) -> None:
    asked, _ = staged(rig, tmp_path, as_csv([person(1), {**person(2), "subject": ""}]), complete=True)
    assert asked.position["complete"] is False
    named, _ = _next(rig, tmp_path, [person(1), {**person(2), "active": "perhaps"}])
    assert named.position["complete"] is True  # E2 was named, even if nothing more can be said


def _next(rig: Rig, folder: Path, rows: list[dict[str, str]]):  # noqa: ANN202 - as staged
    carry_out(rig)
    return staged(rig, folder, as_csv(rows), day=1, complete=True)


def test_a_rehearsal_counts_and_leaves_nothing(
    make_rig: MakeRig, target: ReferenceTarget, tmp_path: Path
) -> None:
    rig = settle(make_rig, target, 2 * LARGE)
    known = events(rig)
    rows = [person(n, active="no" if n == 1 else "yes") for n in range(2 * LARGE)]
    asked, _ = staged(rig, tmp_path, as_csv(rows))
    with rig.writer.begin() as connection:
        connection.execute(sa.update(tables.run).where(tables.run.c.id == asked.id).values(state="staging"))
    importing = importing_of(rig)
    seen = importing.rehearse(asked.id)
    assert seen.note["counted"]["deactivated"] == {"crm": 1}
    carry_out(rig)
    assert (events(rig), left_over(rig), run(rig, asked.id).state) == (known, 0, RunState.CANCELLED)


def test_a_file_is_known_again_by_its_digest(rig: Rig, tmp_path: Path) -> None:
    asked, _ = staged(rig, tmp_path, as_csv([person(1)]))
    carry_out(rig)
    with rig.runtime.store.begin() as tx:
        kept = tx.snapshots.of_digest("hr", str(asked.selection["digest"]))
    assert kept is not None
    assert (kept.run_id, kept.people) == (asked.id, 1)
    again, _ = staged(rig, tmp_path, as_csv([person(1)]))
    carry_out(rig)
    assert (run(rig, again.id).state, events(rig)) == (RunState.DONE, 1)
