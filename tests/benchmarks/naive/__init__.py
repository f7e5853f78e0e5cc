"""The worker that most people would write: a Celery task for each event. Made as fast as it gets."""
