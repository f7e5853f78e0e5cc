"""`hirewire beat`: the clock. Keeps nothing on disk; two of them are harmless, what they start is in rows."""

from __future__ import annotations

from typer.core import TyperCommand

from worker.celery_app import create
from worker.cli.common import ConfigOption, reaching, single
from worker.cli.pulse import Pulse, beating
from worker.cli.wiring import own_logs
from worker.schedule import schedule
from worker.storage.heartbeats import Program


def command() -> TyperCommand:
    return single(beat, "beat")


def beat(config: ConfigOption = None) -> None:
    """Run the clock in the foreground until SIGTERM: it has the relay look at the rows, and the audit sealed.

    Example: hirewire beat
    """
    settings = reaching(config)
    own_logs(settings)
    app = create(settings)
    app.conf.beat_schedule = schedule(settings.engine, settings.audit, settings.retention)
    pulse = Pulse(settings, Program.BEAT)
    app.conf.beat_scheduler = beating(pulse)
    try:
        app.start(["--quiet", "beat", "--pidfile=", f"--loglevel={settings.logs.level}"])
    finally:
        pulse.forget()
