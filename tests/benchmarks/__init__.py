"""What Hirewire costs, beside what people would write instead: `python -m tests.benchmarks`.

Every part runs in processes of its own on real servers: the sink is the target, `raw` is `requests` and
nothing else, `naive` is a Celery task for each event, and Hirewire is its own programs, with everything on.
"""
