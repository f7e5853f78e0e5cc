"""All faults, and the sound connectors that they were made from."""

from __future__ import annotations

import importlib
import pkgutil

from tests.kit import broken
from tests.kit.broken.base import FAULTS, Fault, Sample


def every_fault() -> tuple[Fault, ...]:
    """Module by module, each in the order of its file."""
    for module in sorted(module.name for module in pkgutil.iter_modules(broken.__path__)):
        importlib.import_module(f"{broken.__name__}.{module}")
    return tuple(FAULTS)


def samples() -> tuple[Sample, ...]:
    """Each sound connector once."""
    return tuple(dict.fromkeys(fault.sample for fault in every_fault()))
