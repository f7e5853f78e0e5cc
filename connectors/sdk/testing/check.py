"""What a check is: one promise, the function that proves it, and the styles that make the promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc

from connectors.sdk.contract import Descriptor
from connectors.sdk.fields import Field
from connectors.sdk.testing.bench import Bench, plain_texts
from connectors.sdk.testing.samples import Samples

Needs = Callable[[Samples], bool]
Function = Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Check:
    """`id` is `<group>-<name>`; the group is the module or package of `checks` that it stands in."""

    id: str
    promise: str  # and the fault that it catches
    needs: Needs
    run: Function

    @property
    def group(self) -> str:
        return self.id.partition("-")[0]


def check(needs: Needs | None = None) -> Callable[[Function], Check]:
    """Make a check of a function. Raises `ValueError` where its docstring is missing."""

    def decorated(function: Function) -> Check:
        promise = getdoc(function)
        if promise is None:
            raise ValueError(f"{function.__qualname__}: a check states its promise in a docstring")
        group = function.__module__.partition(".checks.")[2].partition(".")[0]
        return Check(f"{group}-{function.__name__}", promise, needs or every_style, function)

    return decorated


# What a check may need. They compose: `needs=all_of(many_accounts, creating)`.


def every_style(_samples: Samples) -> bool:
    return True


def all_of(*needs: Needs) -> Needs:
    return lambda samples: all(need(samples) for need in needs)


def many_accounts(samples: Samples) -> bool:
    return not samples.descriptor.owner_only


def owner_only(samples: Samples) -> bool:
    return samples.descriptor.owner_only


def scanning(samples: Samples) -> bool:
    return samples.descriptor.can_scan


def creating(samples: Samples) -> bool:
    return samples.descriptor.can_create


def not_creating(samples: Samples) -> bool:
    return not samples.descriptor.can_create


def deleting(samples: Samples) -> bool:
    return samples.descriptor.can_delete


def not_deleting(samples: Samples) -> bool:
    return not samples.descriptor.can_delete


def demoting(samples: Samples) -> bool:
    return samples.descriptor.can_demote


def deactivating(samples: Samples) -> bool:
    return samples.descriptor.active_field is not None


def with_field(wanted: Callable[[Field], bool]) -> Needs:
    """Some writable field is so."""
    return lambda samples: any(wanted(field) for field in samples.writable())


def declares(wanted: Callable[[Field], bool]) -> Needs:
    """Some row of the table, writable or not, is so."""
    return lambda samples: any(wanted(field) for field in samples.descriptor.fields)


def declaring(wanted: Callable[[Descriptor], bool]) -> Needs:
    return lambda samples: wanted(samples.descriptor)


def two_texts(samples: Samples) -> bool:
    """Two fields of free text can be changed."""
    return len(plain_texts(samples.writable())) > 1


def unique_text(samples: Samples) -> bool:
    """Some field of free text is unique."""
    return any(field.unique for field in plain_texts(samples.writable()))


def documented(samples: Samples) -> bool:
    """The author has written down what the API's document says."""
    return samples.document is not None
