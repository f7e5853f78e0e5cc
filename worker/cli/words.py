"""The words of each command, for completion at a speed that importing the commands does not have.

`--flag`, `--option=_` (`*`: may be given again), `_` or `_...` for arguments. Instead of `_`: the words
that it may be, or TARGET or SOURCE for the name of one. A test holds the table to the commands, and says
the right line where it is wrong.
"""

from __future__ import annotations

ROOT = "--config=_ --version"
WORDS = {
    "send": "_... --config=_ --json",
    "status": "--watch --config=_ --json",
    "held": "--target=TARGET --limit=_ --config=_ --json",
    "held list": "--target=TARGET --limit=_ --config=_ --json",
    "held show": "_ --target=TARGET --field=_ --config=_ --json",
    "held retry": "_ --target=TARGET --why=_ --field=_ --token-file=_ --config=_",
    "held discard": "_ --target=TARGET --why=_ --field=_ --token-file=_ --config=_",
    "held approve": "_ --target=TARGET --why=_ --field=_ --hash=_ --token-file=_ --config=_",
    "held reject": "_ --target=TARGET --why=_ --field=_ --hash=_ --token-file=_ --config=_",
    "plan": "_ --target=TARGET* --event=_ --run=_ --read --limit=_ --config=_ --json",
    "explain": "_ --target=TARGET* --field=_ --config=_ --json",
    "account link": "_ --target=TARGET --id=_ --why=_ --replace --yes --token-file=_ --config=_ --json",
    "account unlink": "_ --target=TARGET --why=_ --token-file=_ --config=_ --json",
    "identity show": "_ --config=_ --json",
    "identity rekey": "_ _ --why=_ --dry-run --token-file=_ --config=_ --json",
    "identity merge": "_ _ --why=_ --dry-run --yes --token-file=_ --config=_ --json",
    "audit list": "--target=TARGET --identity=_ --action=_ --since=_ --limit=_ --config=_ --json",
    "audit verify": "--file=_ --checkpoints=_ --key=_ --archives=_ --config=_ --json",
    "audit export": "--format=jsonl|csv --stream=_ --since=_ --out=_ --config=_",
    "audit archive": "--to=_ --why=_ --until=_ --keep-days=_ --token-file=_ --config=_ --json",
    "audit seal": "--config=_ --json",
    "audit baseline": "--why=_ --token-file=_ --config=_ --json",
    "audit key": "_",
    "audit story": "_ --config=_ --json",
    "resync": "_... --target=TARGET* --where=_ --held --all --why=_ --dry-run --no-wait --token-file=_ "
    "--config=_ --json",
    "import": "_ --source=SOURCE --why=_ --map=_* --as-of=_ --complete --force --dry-run --no-wait "
    "--token-file=_ --config=_ --json",
    "replay": "--target=TARGET --why=_ _... --since=_ --from=_ --source=SOURCE* --dry-run --no-wait "
    "--token-file=_ --config=_ --json",
    "reconcile": "--why=_ TARGET --policy=report|repair --no-wait --token-file=_ --config=_ --json --csv",
    "runs list": "--kind=_ --state=staging|waiting|judging|held|running|done|failed|cancelled --limit=_ "
    "--before=_ --config=_ --json",
    "runs show": "_ --follow --config=_ --json",
    "runs drift": "_ --format=text|json|csv --limit=_ --config=_",
    "runs proposals": "_ --verdict=link|ambiguous|weak|stranger|outside|unlinked|protected|unread|unmatched "
    "--format=text|json|csv --limit=_ --config=_",
    "runs approve": "_ --why=_ --token-file=_ --config=_",
    "runs cancel": "_ --why=_ --token-file=_ --config=_",
    "prune": "--why=_ --dry-run --token-file=_ --config=_ --json",
    "restore": "--why=_ --token-file=_ --config=_ --json",
    "targets": "--config=_ --json",
    "targets pause": "TARGET --why=_ --token-file=_ --config=_",
    "targets resume": "TARGET --why=_ --token-file=_ --config=_",
    "targets enrol": "TARGET --why=_ --no-wait --token-file=_ --config=_ --json",
    "operator add": "_ --role=viewer|operator|approver|admin --expires=_ --target=TARGET* "
    "--token-file=_ --config=_ --json",
    "operator list": "--config=_ --json",
    "operator revoke": "_ --why=_ --token-file=_ --config=_",
    "source key": "SOURCE --called=_ --config=_",
    "source secret": "SOURCE --called=_ --config=_",
    "schema event": "--source=SOURCE --config=_ --json",
    "check": "TARGET... --config=_ --json",
    "connector new": "_ --into=_ --json",
    "up": "--config=_",
    "completion": "bash|zsh|fish",
    "migrate": "--grant=_ --config=_",
    "worker": "--pool=threads|prefork --concurrency=_ --config=_",
    "beat": "--config=_",
    "api": "--config=_",
}
