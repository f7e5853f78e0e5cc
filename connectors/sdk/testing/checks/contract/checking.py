"""`check` and `probe`: whether target and token are well, in sentences that say the way out."""

from __future__ import annotations

from connectors.sdk.model import CheckReport, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check
from connectors.sdk.testing.virtual import virtual_time

MOST_READS = 4
MOST_PROBE_READS = 1
SENTENCE = 20  # characters


@check()
def good_target_is_healthy(bench: Bench) -> None:
    """Catches a check that asks for more than the connector needs."""
    bench.seed()
    report = bench.connector().check()
    assert report.reachable, f"the server answers, and the check says it is not reachable: {report.problems}"
    assert report.healthy, f"the credential may do everything, and the check complains: {report.problems}"


@check()
def check_names_the_owner(bench: Bench) -> None:
    """Whose token it is: that account is protected. Catches a worker that locks itself out."""
    bench.seed()
    owner_id = bench.owner_id()
    report = bench.connector().check()
    assert report.owner_id == owner_id, (
        f"the credential belongs to the account {owner_id}, the check says {report.owner_id}"
    )
    assert report.owner, "the check must name the owner of the credential"


@check()
def check_costs_four_reads(bench: Bench) -> None:
    """Catches a check that lists everybody to learn whether it may."""
    bench.seed()
    bench.connector().check()
    asked = [f"{request.method} {request.path}" for request in bench.requests()]
    assert len(asked) <= MOST_READS, f"`check` may ask at most {MOST_READS} times, it asked {asked}"


@check()
def check_writes_nothing(bench: Bench) -> None:
    """Catches a right that is proven by using it."""
    bench.seed()
    bench.connector().check()
    written = [f"{request.method} {request.path}" for request in bench.writes()]
    assert not written, f"`check` must write nothing, it sent {written}"


@check()
def refused_credential_is_unhealthy(bench: Bench) -> None:
    """Catches a check that ends with the first answer that is JSON."""
    bench.seed()
    report = bench.connector(keys=bench.wrong_keys()).check()
    assert report.reachable, "a server that refuses our credential is reachable"
    assert not report.healthy, "a refused credential is not healthy"


@check()
def silent_server_is_unreachable(bench: Bench) -> None:
    """Catches an exception where nobody listens, or a `reachable` that is never false."""
    bench.seed()
    with virtual_time():
        report = bench.connector(base_url=bench.tap.refusing).check()
    assert not report.reachable, "nobody listens there, and the check says it is reachable"
    assert not report.healthy, "nobody listens there, and the check says it is healthy"


@check()
def page_for_people_is_unhealthy(bench: Bench) -> None:
    """A wrong base URL often answers 200 with a page. Catches a check that looks at the status."""
    bench.seed()
    bench.misbehave(faults.html())
    report = bench.connector().check()
    assert not report.healthy, "every answer is an HTML page, and the check says that all is well"


@check()
def problems_are_sentences(bench: Bench) -> None:
    """A problem says what to do. Catches a bare status, which sends people to the source code."""
    for problem in (problem for report in _failures(bench) for problem in report.problems):
        assert len(problem) >= SENTENCE, f"a problem must be a sentence: {problem!r}"
        assert " " in problem.strip(), f"a problem must be a sentence: {problem!r}"
        assert problem.rstrip().endswith((".", "!")), f"a problem ends like a sentence: {problem!r}"


@check()
def every_failure_has_its_problem(bench: Bench) -> None:
    """Whatever is wrong is said. Catches an unhealthy report that explains nothing."""
    for report in _failures(bench):
        assert report.problems, "a check that is not healthy must say why"


@check()
def failures_are_told_apart(bench: Bench) -> None:
    """A wrong token, a wrong address, nobody there: each has its own sentence. Catches one for all."""
    told = [report.problems for report in _failures(bench)]
    assert len(set(told)) == len(told), f"different failures have the same words: {told}"


@check()
def good_target_is_observed(bench: Bench) -> None:
    """`probe` says OBSERVED. Catches a paused target that never resumes."""
    bench.seed()
    outcome = bench.connector().probe()
    assert outcome.kind is OutcomeKind.OBSERVED, f"a good target is probed as {outcome.kind.name}"


@check()
def probe_sees_a_refused_credential(bench: Bench) -> None:
    """Catches a probe of an address that is open to everybody: the pause ends and begins for ever."""
    bench.seed()
    outcome = bench.connector(keys=bench.wrong_keys()).probe()
    assert outcome.kind is not OutcomeKind.OBSERVED, "the credential is refused, and `probe` sees nothing"


@check()
def probe_costs_one_read(bench: Bench) -> None:
    """One cheap read. Catches a probe that is a whole check, once a minute for each target."""
    bench.seed()
    bench.connector().probe()
    asked = [f"{request.method} {request.path}" for request in bench.requests()]
    assert len(asked) == MOST_PROBE_READS, f"`probe` asks once, it asked {asked}"
    assert not bench.writes(), f"`probe` must write nothing, it sent {asked}"


@check()
def path_is_that_of_reads_and_writes(bench: Bench) -> None:
    """An intent names the path before the send. Catches an audit that names another address."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    path = connector.path_of(remote_id)
    connector.fetch(remote_id)
    connector.patch(remote_id, bench.change())
    assert path in {request.path for request in bench.reads()}, f"`fetch` did not read {path}"
    assert {path} == {request.path for request in bench.writes()}, f"`patch` did not write to {path}"


@check()
def exchange_is_that_of_the_request(bench: Bench) -> None:
    """Method, path and status go into the audit. Catches an outcome that names another request."""
    (remote_id,) = bench.seed()
    exchange = bench.connector().patch(remote_id, bench.change()).exchange
    (write,) = bench.writes()
    told = (exchange.method, exchange.path, exchange.status)
    assert told == (write.method, write.target, write.status), (
        f"the request was {write.method} {write.target} ({write.status}), the outcome says {told}"
    )


def _failures(bench: Bench) -> list[CheckReport]:
    """A refused credential, a wrong base path, nobody there."""
    bench.seed()
    with virtual_time():
        return [
            bench.connector(keys=bench.wrong_keys()).check(),
            bench.connector(base_url=f"{bench.tap.url}/nothing/here").check(),
            bench.connector(base_url=bench.tap.refusing).check(),
        ]
