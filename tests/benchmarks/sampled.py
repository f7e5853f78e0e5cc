"""`python -m tests.benchmarks.sampled FOLDER MODULE WORDS…`: a program of ours, each process sampled.

The program knows nothing of it. A process that it forks gets a sampler of its own.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from tests.benchmarks.sampler import Sampler


def main() -> None:
    folder, module, *words = sys.argv[1:]
    os.register_at_fork(after_in_child=lambda: Sampler(Path(folder)).start())
    Sampler(Path(folder)).start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
