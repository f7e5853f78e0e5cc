"""The gate of `make coverage`: branch coverage of each part of the source, read from what pytest left.

90 % where a mistake sends a wrong request (domain, engine, connectors, config), 80 % elsewhere. A part
without a single measured statement fails too: a gate that measures nothing must not pass.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

STRICT = 90.0
USUAL = 80.0
STRICT_PARTS = ("config", "connectors", "worker/domain", "worker/engine")


def parts(root: Path) -> dict[str, list[str]]:
    """Part -> the patterns of its files. Every source file belongs to exactly one part."""
    packages = sorted(path.parent.name for path in (root / "worker").glob("*/__init__.py"))
    found = {part: [f"{part}/*"] for part in ("config", "connectors")}
    found |= {f"worker/{package}": [f"worker/{package}/*"] for package in packages}
    found["worker"] = [f"worker/{path.name}" for path in sorted((root / "worker").glob("*.py"))]
    return found


def has_code(root: Path, patterns: list[str]) -> bool:
    files = (path for pattern in patterns for path in root.glob(pattern.replace("/*", "/**/*.py")))
    return any(path.read_text(encoding="utf-8").strip() for path in files)


def measured(data: Coverage, patterns: list[str]) -> float:
    """Percent of statements and branches that ran; 0 where nothing was measured."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        try:
            return data.report(include=patterns, file=nowhere)
        except NoDataError:
            return 0.0


def main(root: Path) -> int:
    data = Coverage()
    data.load()
    failed = 0
    for part, patterns in parts(root).items():
        if not has_code(root, patterns):
            continue
        percent = measured(data, patterns)
        floor = STRICT if part in STRICT_PARTS else USUAL
        failed += percent < floor
        verdict = "" if percent >= floor else "FAILED"
        sys.stdout.write(f"coverage {part:<20} {percent:5.1f} % (at least {floor:.0f}) {verdict}\n")
    if failed:
        data.report(show_missing=True, skip_covered=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
