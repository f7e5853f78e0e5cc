"""Reading what EXPLAIN answers."""

from __future__ import annotations

from tests.benchmarks.plans import read_plan, shortened

CLAIM = [
    "Update on account  (cost=1.00..2.00 rows=5 width=50) (actual time=0.100..0.200 rows=5.00 loops=1)",
    "  Buffers: shared hit=120 read=3",
    "  ->  Nested Loop  (cost=1.00..2.00 rows=5 width=50) (actual time=0.1..0.2 rows=5.00 loops=1)",
    "        Buffers: shared hit=40",
    "        ->  Seq Scan on account a  (cost=0.00..9.00 rows=5 width=8) (actual rows=5.00 loops=2)",
    "              Rows Removed by Filter: 400",
    "Planning:",
    "  Buffers: shared hit=900",
    "Planning Time: 0.400 ms",
    "Execution Time: 0.250 ms",
]


def test_a_plan_tells_its_pages_its_time_and_the_rows_that_a_step_looked_at() -> None:
    plan = read_plan("accounts.claim", "UPDATE", CLAIM)
    assert (plan.pages, plan.ms, plan.rows) == (123, 0.25, 810)


def test_a_plan_without_pages_is_read_as_well() -> None:
    plan = read_plan("x", "SELECT", ["Result  (cost=0.00..0.01 rows=1 width=4) (actual rows=0.00 loops=1)"])
    assert (plan.pages, plan.ms, plan.rows) == (0, 0.0, 0)


def test_statements_that_differ_in_their_parameters_only_are_one() -> None:
    one = shortened("SELECT a\nFROM t WHERE a IN (%(a_1)s::BIGINT, %(a_2)s::BIGINT) AND b = %(b)s")
    other = shortened("SELECT a FROM t WHERE a IN (%(a_1)s::BIGINT, %(a_2)s::BIGINT, %(a_3)s) AND b = %(b)s")
    assert one == other == "SELECT a FROM t WHERE a IN (?, …) AND b = ?"


def test_rows_of_one_insert_are_one_statement_however_many() -> None:
    two = shortened("INSERT INTO t (a, b) VALUES (%(a_0)s, %(b_0)s), (%(a_1)s, %(b_1)s)")
    three = shortened("INSERT INTO t (a, b) VALUES (%(a)s, %(b)s), (%(c)s, %(d)s), (%(e)s, %(f)s)")
    assert two == three
