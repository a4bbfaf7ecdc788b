"""`tunewright`, and `tw` for short. Commands are looked up by name, so `--help` imports none of them."""

import errno
import importlib
import sys
from pathlib import Path
from typing import Any

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("tunewright.cli.init:init", "Make a project from your data."),
    "import": ("tunewright.cli.importing:import_", "Make a project from another tool's config."),
    "data": (
        "tunewright.cli.data:data",
        "Look into the data: why a row, what an operation makes, what is odd.",
    ),
    "teachers": (
        "tunewright.cli.teachers:teachers",
        "List the models that write or judge rows; --ask whether they answer.",
    ),
    "check": ("tunewright.cli.run:check", "Check the project file, the data and the gate before training."),
    "run": ("tunewright.cli.run:run", "Do whatever is stale, resume whatever was cut off."),
    "train": ("tunewright.cli.run:train", "Train the adapter, and no further."),
    "status": ("tunewright.cli.run:status", "Show which steps are fresh, stale or waiting."),
    "report": ("tunewright.cli.run:report", "Show the report's path, or open it."),
    "lineage": ("tunewright.cli.release:lineage", "Tell what a release or an artifact was made from."),
    "release": ("tunewright.cli.release:release", "List the releases, or roll production back."),
    "chat": ("tunewright.cli.release:chat", "Talk to the release in production."),
    "schema": ("tunewright.cli.machine:schema", "Print the project file's JSON Schema, or what a field is."),
    "doctor": ("tunewright.cli.machine:doctor", "Say what this machine can do."),
}

_OS_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the folder is read-only",
    errno.EACCES: "there is no permission",
    errno.EPERM: "there is no permission",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "it is there already",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENAMETOOLONG: "the name is too long",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table's help lines, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command, with a "did you mean" for a mistyped one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            ctx.fail(f"there is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from tunewright import __version__

        click.echo(f"tunewright {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version.",
)
def cli() -> None:
    """From "should we fine-tune?" to a small model that is proven better."""


def main() -> None:
    """The console script: user errors become one sentence each and exit code 2."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("\nStopped. `tunewright run` goes on from here.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        _fail_on_os_error(error)
    except Exception as error:
        from tunewright.core.errors import TunewrightError
        from tunewright.core.hidden import visible

        if not isinstance(error, TunewrightError):
            raise
        for line in str(error).splitlines():
            click.echo(f"error: {visible(line)}", err=True)
        sys.exit(2)


def _fail_on_os_error(error: OSError) -> None:
    """A full disk, a path that leads nowhere: a sentence and exit code 2. Anything else is a bug and keeps its traceback.

    So does a file of the package itself that is not there.
    """
    if isinstance(error, BrokenPipeError):
        sys.exit(141)
    reason = _OS_REASONS.get(error.errno or 0)
    package = Path(__file__).resolve().parents[1]
    missing = error.filename if error.errno == errno.ENOENT and isinstance(error.filename, str) else None
    if reason is None or (missing and Path(missing).resolve().is_relative_to(package)):
        raise error
    place = f"{error.filename}: " if error.filename else ""
    click.echo(f"error: {place}{reason}. What was finished stands; mend it and run again.", err=True)
    sys.exit(2)
