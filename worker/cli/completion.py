"""`hirewire completion`: a script for the shell, and the answers that it asks for at each TAB.

An answer takes a table of words and, for names, the configuration file: no command is imported for it.
Where there is no configuration, or one that cannot be read, there are no names and no words of complaint.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer._completion_classes import completion_init
from typer._completion_shared import get_completion_script
from typer.completion import shell_complete
from typer.core import TyperCommand, TyperGroup

from worker.cli.main import COMMANDS, COMPLETING
from worker.cli.words import ROOT, WORDS

_PROGRAM = "hirewire"
_NAMED = {"TARGET": "targets", "SOURCE": "sources"}
DEFAULT_FILE = "hirewire.toml"

Completer = Callable[[typer.Context, str], list[str]]


def command() -> TyperCommand:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command("completion")(completion)
    built = typer.main.get_command(app)
    if not isinstance(built, TyperCommand):
        raise TypeError("one function without a callback is one command")
    return built


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell that reads the script.")],
) -> None:
    """Print a script that completes commands, options, and the names of targets and sources.

    Nothing of yours is changed: let the shell read it, in the file that it starts with if it is to stay.
    Names come from the configuration file that a command would read.

    Example: hirewire completion bash > ~/.hirewire-completion.bash
    """
    typer.echo(get_completion_script(prog_name=_PROGRAM, complete_var=COMPLETING, shell=shell))


def answer() -> int:
    """Print what may stand at the place that the shell's variables tell; the exit code."""
    completion_init()
    return shell_complete(outline(), {}, _PROGRAM, COMPLETING, os.environ[COMPLETING])


def outline() -> TyperGroup:
    """The command line without what it does: names, options, and what completes their values."""
    app = typer.Typer(name=_PROGRAM, add_completion=False, rich_markup_mode=None)
    app.callback()(_saying(ROOT))
    for name, line in COMMANDS.items():
        deeper = {words: words.removeprefix(f"{name} ") for words in WORDS if words.startswith(f"{name} ")}
        if deeper:
            app.add_typer(_group(name, deeper), name=name, help=line)
        else:
            app.command(name, help=line)(_saying(WORDS.get(name, "")))
    built = typer.main.get_command(app)
    if not isinstance(built, TyperGroup):
        raise TypeError("several commands are a group")
    return built


def _group(name: str, deeper: Mapping[str, str]) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)
    app.callback()(_saying(WORDS.get(name, "")))
    for words, last in deeper.items():
        app.command(last)(_saying(WORDS[words]))
    return app


def _saying(words: str) -> Callable[..., None]:
    """A function with these parameters, as typer reads them; it is never called."""
    parameters = [_parameter(word, place) for place, word in enumerate(words.split())]

    def nothing() -> None: ...

    signed: Any = nothing
    signed.__signature__ = Signature(parameters)
    signed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return signed  # type: ignore[no-any-return]


def _parameter(word: str, place: int) -> Parameter:
    plain = word.rstrip("*")
    kind = list[str] if word.endswith(("*", "...")) else str
    names, equals, value = plain.removesuffix("...").partition("=")
    if not names.startswith("-"):
        argument = typer.Argument(None, autocompletion=_completer(names))
        return _declared(f"argument_{place}", kind, argument)
    name = names.partition("/")[0].lstrip("-").replace("-", "_")
    name = f"{name}_" if iskeyword(name) else name
    if not equals:
        return _declared(name, bool, typer.Option(False, *names.split("/")))
    return _declared(name, kind, typer.Option(None, *names.split("/"), autocompletion=_completer(value)))


def _declared(name: str, kind: Any, default: Any) -> Parameter:  # noqa: ANN401 - typer's own types
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _completer(value: str) -> Completer:
    """For the name of a target or a source, or one of several words; anything else is not completed."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        known = _configured(_NAMED[value], context) if value in _NAMED else _choices(value)
        return [name for name in known if name.startswith(incomplete)]

    return complete


def _choices(value: str) -> list[str]:
    return value.split("|") if "|" in value else []


def _configured(section: str, context: Any) -> list[str]:  # noqa: ANN401 - typer's own types
    """The names in a section of the configuration file; none where that cannot be read."""
    named = context.params.get("config") or context.find_root().params.get("config")
    file = named or os.environ.get("HIREWIRE_CONFIG") or DEFAULT_FILE
    try:
        found = tomllib.loads(Path(str(file)).read_text(encoding="utf-8")).get(section)
    except (OSError, ValueError):
        return []
    return sorted(found) if isinstance(found, dict) else []
