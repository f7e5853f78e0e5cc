"""Whether a text could be an e-mail address. Pure.

Only what every server refuses is refused here: a stricter rule than the target's would hold people
whose address works. Observed on AWX 24.6.1: `root@localhost` and international domains are accepted.
"""

from __future__ import annotations

LOCAL_NAMES = frozenset({"localhost"})  # the one domain without a dot that Django's validator allows


def is_plausible_email(text: str) -> bool:
    """`text` is already trimmed."""
    local, at, domain = text.rpartition("@")
    return bool(at) and not any(char.isspace() for char in text) and _local(local) and _domain(domain)


def _local(local: str) -> bool:
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        return True
    return "@" not in local and all(local.split("."))


def _domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        return len(domain) > len("[]")
    labels = domain.lower().split(".")
    if len(labels) == 1:
        return domain.lower() in LOCAL_NAMES
    return all(label and not label.startswith("-") and not label.endswith("-") for label in labels)
