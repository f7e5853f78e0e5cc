"""Connectors that say wrong things about themselves, build more than themselves, or show what is secret."""

from __future__ import annotations

import logging
import socket
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Final

import requests

from connectors.sdk.answers import Answer
from connectors.sdk.contract import ConnectorConfig, Credential
from connectors.sdk.fields import Field, FieldError, FieldType
from connectors.sdk.model import CheckReport, Exchange, Json, Outcome, OutcomeKind
from tests.kit.broken.base import (
    ACME,
    Tampered,
    both,
    broken,
    describes,
    kind,
    misreads,
    reports,
    said,
    tables,
    writing,
)

K: Final = OutcomeKind
ROWS: Final = ACME.style.descriptor.fields
SAME_FOR_ALL: Final = "Something is wrong, look at it."
MAPPING: Final = ACME.style.descriptor.default_mapping


def _without(name: str) -> dict[str, str]:
    return {field: source for field, source in MAPPING.items() if field != name}


# The descriptor.

describes("contract-says_what_it_is", "The document has no name.", document=" ")
describes("contract-fields_are_listed_once", "A field has two rows.", fields=(*ROWS, ROWS[2]))
tables("contract-fields_name_their_source", "A row names no document.", "contract", source="")
tables("contract-limits_can_be_kept", "A choice is longer than the field.", "contract", max_length=8)
describes(
    "contract-mapped_fields_exist",
    "A default mapping names no field.",
    default_mapping={**MAPPING, "nickname": "display_name"},
)
describes(
    "contract-mapped_fields_are_writable",
    "A default mapping owns what is read-only.",
    default_mapping={**MAPPING, "created_at": "start_date"},
)
describes(
    "contract-mapped_fields_grant_nothing",
    "A default mapping hands out rights.",
    default_mapping={**MAPPING, "admin": "custom.admin"},
)
describes(
    "contract-correlation_is_mapped",
    "Accounts are found by what HR does not say.",
    default_mapping=_without("login"),
)
describes(
    "contract-correlation_is_unique", "Accounts are found by what two may share.", correlation="given_name"
)
describes(
    "contract-active_field_is_a_writable_boolean",
    "What deactivates is no flag.",
    active_field="contract",
    default_mapping={**MAPPING, "contract": "user_type"},
)
describes("contract-active_field_is_mapped", "Leavers stay active.", default_mapping=_without("enabled"))
describes("contract-containers_are_sets", "A container is misspelt.", containers=frozenset({"teams", "team"}))
describes(
    "contract-writable_sets_are_containers", "A set is not read before it is written.", containers=frozenset()
)
tables("contract-rights_are_privileged", "A right is a field like any other.", "admin", privileged=False)
describes(
    "contract-superuser_field_is_a_boolean", "The flag of superusers is a text.", superuser_field="contract"
)


@broken("contract-descriptor_holds_for_its_connectors")
class IsSomebodyElse(Tampered):
    """A connector is of another style than what built it."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self.descriptor = replace(type(self).descriptor, style="acme_old")  # type: ignore[misc]


describes(
    "contract-documented_fields_are_declared",
    "A row of the document was overlooked.",
    fields=tuple(row for row in ROWS if row.name != "phone"),
    default_mapping=_without("phone"),
)
describes(
    "contract-writable_fields_are_documented",
    "A field was guessed.",
    fields=(*ROWS, Field("nickname", FieldType.TEXT, "a guess")),
)
tables(
    "contract-choices_are_those_of_the_document",
    "A choice was guessed.",
    "contract",
    choices=("permanent", "temporary", "seasonal"),
)
tables(
    "contract-types_are_those_of_the_document",
    "A number is sent as text.",
    "staff_number",
    type=FieldType.TEXT,
)
tables(
    "contract-limits_are_those_of_the_document", "A limit is another than documented.", "phone", max_length=60
)
tables(
    "contract-read_only_fields_are_those_of_the_document",
    "What is read-only is written.",
    "created_at",
    read_only=False,
)

# Encoding.


class Encodes(Tampered):
    """Encodes in its own way."""

    def encode(self, name: str, value: Json) -> Json:
        return self.encoded(self._accounts.fields.get(name), name, value)

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        del field
        return super().encode(name, value)


@broken("contract-valid_values_are_taken")
class HasRulesOfItsOwn(Encodes):
    """A rule that no document has refuses names with a capital letter or digit."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        if name == "given_name" and isinstance(value, str) and any(map(str.isdigit, value)):
            raise FieldError(f"{name}: no name holds a digit ({self.descriptor.document})")
        return super().encoded(field, name, value)


@broken("contract-read_only_fields_are_refused")
class SendsReadOnlyFields(Encodes):
    """What is read-only is encoded like anything else."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        return value if field is not None and field.read_only else super().encoded(field, name, value)


@broken("contract-unknown_fields_are_refused")
class SendsWhatNobodyKnows(Encodes):
    """What is no field is encoded as it is."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        return value if field is None else super().encoded(field, name, value)


@broken("contract-fields_that_are_never_mapped_are_refused")
class SendsPasswords(Encodes):
    """A password is encoded like any text."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        if field is not None and field.never_mapped is not None and isinstance(value, str):
            return value
        return super().encoded(field, name, value)


@broken("contract-values_that_are_too_long_are_refused")
class CutsWhatIsTooLong(Encodes):
    """A text that is too long by little is cut."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        if field is not None and isinstance(value, str) and field.max_length == len(value) - 1:
            value = value[:-1]
        return super().encoded(field, name, value)


@broken("contract-values_that_break_a_rule_are_refused")
class MakesFlagsOfTexts(Encodes):
    """A text is as good as a flag."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        if field is not None and field.type is FieldType.BOOLEAN and value == "true":
            return True
        return super().encoded(field, name, value)


@broken("contract-refusals_name_field_and_document")
class RefusesWithoutAName(Encodes):
    """A value is invalid, and that is all."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        try:
            return super().encoded(field, name, value)
        except FieldError:
            raise FieldError("invalid value") from None


@broken("contract-refusals_quote_no_password")
class QuotesPasswords(Encodes):
    """A refusal quotes whatever it refuses."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        try:
            return super().encoded(field, name, value)
        except FieldError as error:
            raise FieldError(f"{error}: {value!r}") from None


@broken("contract-encoding_twice_is_encoding_once")
class AddsToWhatItEncodes(Encodes):
    """Encoding adds a sign, each time."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        encoded = super().encoded(field, name, value)
        if name != "phone" or not isinstance(encoded, str) or len(encoded) > 20:
            return encoded
        return f"+{encoded}"


@broken("contract-what_is_sent_is_read_back_alike")
class SendsBlanks(Encodes):
    """A text is sent with a blank at its end."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        encoded = super().encoded(field, name, value)
        return f"{encoded} " if name == "given_name" and encoded else encoded


@broken("contract-encoding_asks_nobody")
class AsksToEncode(Encodes):
    """Encoding looks something up."""

    def encoded(self, field: Field | None, name: str, value: Json) -> Json:
        self.probe()
        return super().encoded(field, name, value)


# Building.


@broken("contract-constructor_opens_nothing")
class AsksWhenItIsBuilt(Tampered):
    """The constructor resolves the name of its server."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        socket.getaddrinfo("127.0.0.1", 80)


@broken("contract-constructor_reads_no_credential")
class ReadsItsCredentialAtOnce(Tampered):
    """The constructor reads the credential."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        config.credential()


@broken("contract-connector_shows_no_secret")
class ShowsItsSecret(Tampered):
    """An attribute holds the secret."""

    def fetch(self, remote_id: str) -> Outcome:
        self.token = self.config.credential().secret
        return super().fetch(remote_id)


@broken("contract-errors_of_building_show_no_secret")
class QuotesItsAddress(Tampered):
    """An address that cannot be is quoted, with the password in it."""

    def __init__(self, config: ConnectorConfig) -> None:
        try:
            super().__init__(config)
        except ValueError as error:
            raise ValueError(f"{error}: {config.base_url}") from None


# The connection check.

reports(
    "contract-good_target_is_healthy",
    "A good target has a problem.",
    lambda report: replace(report, healthy=report.healthy and bool(report.version)),
)
reports(
    "contract-check_names_the_owner",
    "Whose token it is is not said.",
    lambda report: replace(report, owner_id=None),
)


class Checks(Tampered):
    """Checks in its own way."""

    def check(self) -> CheckReport:
        report = super().check()
        return self.also(report) if report.healthy else report

    def also(self, report: CheckReport) -> CheckReport:
        return report


@broken("contract-check_costs_four_reads")
class ReadsEverybodyToCheck(Checks):
    """The check reads the list, again and again."""

    def also(self, report: CheckReport) -> CheckReport:
        for _ in range(3):
            self.scan(None)
        return report


@broken("contract-check_writes_nothing")
class WritesToCheck(Checks):
    """The right to write is proven by writing."""

    def also(self, report: CheckReport) -> CheckReport:
        self._client.patch("/v1/people/0/", {})
        return report


reports(
    "contract-refused_credential_is_unhealthy",
    "A credential that is refused is well.",
    lambda report: replace(report, healthy=True) if "(401)" in str(report.problems) else report,
)
reports(
    "contract-silent_server_is_unreachable",
    "A server where nobody listens is reachable.",
    lambda report: replace(report, reachable=True),
)
reports(
    "contract-page_for_people_is_unhealthy",
    "A page for people is a healthy server.",
    lambda report: replace(report, healthy=True) if "HTML" in str(report.problems) else report,
)
reports(
    "contract-problems_are_sentences",
    "A problem has no end.",
    lambda report: replace(report, problems=tuple(problem.rstrip(".!") for problem in report.problems)),
)
reports(
    "contract-every_failure_has_its_problem",
    "What is wrong when nobody listens is not said.",
    lambda report: report if report.reachable else replace(report, problems=()),
)
reports(
    "contract-failures_are_told_apart",
    "All that is wrong has one sentence.",
    lambda report: (
        report if report.healthy else replace(report, problems=("Something is wrong, look at it.",))
    ),
)


class Probes(Tampered):
    """Probes in its own way."""

    def probe(self) -> Outcome:
        return self.probed(super().probe())

    def probed(self, outcome: Outcome) -> Outcome:
        return outcome


@broken("contract-good_target_is_observed")
class ProbesApplied(Probes):
    """A probe that works is applied."""

    def probed(self, outcome: Outcome) -> Outcome:
        return replace(outcome, kind=K.APPLIED) if outcome.kind is K.OBSERVED else outcome


@broken("contract-probe_sees_a_refused_credential")
class ProbesWhatIsOpen(Probes):
    """A probe reads what is open to everybody."""

    def probed(self, outcome: Outcome) -> Outcome:
        return replace(outcome, kind=K.OBSERVED)


@broken("contract-probe_costs_one_read")
class ChecksToProbe(Probes):
    """A probe is a whole check."""

    def probed(self, outcome: Outcome) -> Outcome:
        self.scan(None)
        return outcome


@broken("contract-path_is_that_of_reads_and_writes")
class NamesAnotherPath(Tampered):
    """An intent names another path than that of the request."""

    def path_of(self, remote_id: str) -> str:
        return super().path_of(remote_id).rstrip("/")


misreads(
    "contract-exchange_is_that_of_the_request",
    "A request that worked is not told.",
    both(writing, kind(K.APPLIED)),
    exchange=Exchange("PATCH", "/v1/people/", 200),
)

# The secret.


class Sends(Tampered, ABC):
    """Sends its credential in its own way."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        prepared = self._client._prepared

        def changed(*parts: Any) -> requests.PreparedRequest:
            request = prepared(*parts)
            self.signed(request)
            return request

        self._client._prepared = changed  # type: ignore[method-assign]

    @abstractmethod
    def signed(self, request: requests.PreparedRequest) -> None:
        """Change what leaves."""


@broken("contract-every_request_carries_the_credential")
class ListsAsNobody(Sends):
    """A list is asked for without a credential."""

    def signed(self, request: requests.PreparedRequest) -> None:
        if "?" in str(request.url):
            del request.headers["Authorization"]


@broken("contract-secret_stays_in_its_header")
class SignsTwice(Sends):
    """The secret is sent in a second header."""

    def signed(self, request: requests.PreparedRequest) -> None:
        request.headers["X-Token"] = str(request.headers["Authorization"]).split()[-1]


@broken("contract-logs_show_no_secret")
class LogsItsHeaders(Sends):
    """The headers of each request are logged."""

    def signed(self, request: requests.PreparedRequest) -> None:
        logging.getLogger(__name__).debug("sent %s", dict(request.headers))


class Repeats(Tampered):
    """Hands on an answer with what was hidden in it."""

    def shown(self, text: str) -> str:
        return text.replace("<hidden>", self.config.credential().secret)


@broken("contract-refusal_that_echoes_shows_no_secret")
class EchoesInWrites(Repeats):
    """A refusal is handed on with the header that it quotes."""

    def judged(self, outcome: Outcome) -> Outcome:
        write = outcome.exchange.method != "GET"
        return replace(outcome, detail=self.shown(outcome.detail)) if write else outcome


@broken("contract-read_that_echoes_shows_no_secret")
class EchoesInReads(Repeats):
    """A read that fails is handed on with the header that it quotes."""

    def judged(self, outcome: Outcome) -> Outcome:
        write = outcome.exchange.method != "GET"
        return outcome if write else replace(outcome, detail=self.shown(outcome.detail))


@broken("contract-report_that_echoes_shows_no_secret")
class EchoesInReports(Repeats):
    """A problem is the answer with the header that it quotes."""

    def check(self) -> CheckReport:
        report = super().check()
        return replace(report, problems=tuple(map(self.shown, report.problems)))


misreads(
    "contract-unreadable_credential_is_suspect",
    "A credential that cannot be read is a server that is away.",
    said("cannot be read"),
    K.UNREACHABLE,
)


@broken("contract-unreadable_credential_is_not_quoted")
class QuotesTheSource(Tampered):
    """What the source of a credential says is handed on."""

    def judged(self, outcome: Outcome) -> Outcome:
        try:
            self.config.credential()
        except OSError as error:
            return replace(outcome, detail=str(error))
        return outcome


@broken("contract-refused_credential_is_read_again")
class KeepsARefusedCredential(Tampered):
    """A credential is read anew, and the first one is used."""

    kept: Credential | None = None

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(replace(config, credential=self._kept))
        self.sound = config.credential

    def _kept(self) -> Credential:
        fresh = self.sound()
        self.kept = self.kept or fresh
        return self.kept


@broken("contract-probe_reads_the_credential_anew")
class KeepsAGoodCredential(Tampered):
    """A credential that works is never read again."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self._client.refresh = lambda: None  # type: ignore[method-assign]

    def answered(self, answer: Answer) -> Answer:
        if answer.exchange.status == 401:
            self._client._authorization = None
        return answer
