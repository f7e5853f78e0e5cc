"""`requests.Session` and nothing else: `python -m tests.benchmarks.raw PORT THREADS SECONDS`.

Says that it is ready, begins at the first line of its input, and ends with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import requests

from tests.benchmarks.people import remote_id

_PEOPLE = 1_000


def main(port: int, threads: int, seconds: float) -> None:
    counts = [0] * threads
    start = threading.Event()
    until = [0.0]

    def work(place: int) -> None:
        session = requests.Session()
        session.headers["Authorization"] = "Bearer bench"
        start.wait()
        while time.monotonic() < until[0]:
            number = remote_id(1 + (counts[place] * threads + place) % _PEOPLE)
            url = f"http://127.0.0.1:{port}/api/v2/users/{number}/"
            changes = {"last_name": f"Raw{counts[place]}"}
            session.patch(url, json=changes, timeout=(3, 10)).raise_for_status()
            counts[place] += 1

    workers = [threading.Thread(target=work, args=[place]) for place in range(threads)]
    for one in workers:
        one.start()
    _say("ready")
    sys.stdin.readline()
    began, worked = time.monotonic(), time.process_time()
    until[0] = began + seconds
    start.set()
    for one in workers:
        one.join()
    took, cpu = time.monotonic() - began, time.process_time() - worked
    _say(json.dumps({"patches": sum(counts), "seconds": took, "cpu_s": cpu}))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
