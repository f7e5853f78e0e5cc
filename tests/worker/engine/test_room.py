"""Who is in a process beside whom: a crash suspect is alone, and nobody starves."""

from __future__ import annotations

import threading

from tests.waiting import until
from tests.worker.storage.world import at_once
from worker.engine.room import Room

LONG_S, SHORT_S = 10.0, 0.05


def in_background(act: object) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_many_may_be_inside_together() -> None:
    room = Room()
    assert all(room.enter(SHORT_S) for _ in range(3))


def test_who_is_alone_waits_until_the_others_left_and_keeps_new_ones_out() -> None:
    room = Room()
    room.enter(SHORT_S)
    alone: list[bool] = []
    waiting = in_background(lambda: alone.append(room.take(LONG_S)))
    until(lambda: room.wanted, "somebody wants to be alone")
    assert not room.enter(SHORT_S)
    room.leave()
    waiting.join(LONG_S)
    assert (alone, room.wanted, room.enter(SHORT_S)) == ([True], False, False)
    room.give_up()
    assert room.enter(SHORT_S)


def test_who_waited_too_long_leaves_the_room_to_the_others() -> None:
    room = Room()
    room.enter(SHORT_S)
    assert not room.take(SHORT_S)
    assert room.enter(SHORT_S)


def test_two_are_never_alone_together() -> None:
    room = Room()
    assert room.take(SHORT_S)
    assert not room.take(SHORT_S)


def test_whoever_waited_for_one_suspect_goes_in_before_the_next() -> None:
    room, order = Room(), []

    def guest() -> None:
        with room.shared():
            order.append("guest")

    room.take(SHORT_S)
    waiting = in_background(guest)
    until(lambda: room._waiting == 1, "the guest waits")
    room.give_up()
    assert room.take(LONG_S)
    order.append("next suspect")
    room.give_up()
    waiting.join(LONG_S)
    assert order == ["guest", "next suspect"]


def test_under_traffic_every_suspect_has_its_turn_and_is_alone() -> None:
    room, inside, company = Room(), [], []

    def guest() -> None:
        for _ in range(30):
            with room.shared():
                inside.append(1)
                inside.pop()

    def suspect() -> None:
        for _ in range(5):
            assert room.take(LONG_S)
            company.append(len(inside))
            room.give_up()

    at_once(guest, guest, suspect, suspect)
    assert company == [0] * 10
