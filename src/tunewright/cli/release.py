"""release, lineage, chat: what was made, from what, and talking to it."""

import time
from typing import Any

import click

from tunewright.cli.run import PROJECT, open_project


@click.group(invoke_without_command=True)
@PROJECT
@click.pass_context
def release(ctx: click.Context, path: str) -> None:
    """List the releases production has stood on; `release rollback` returns to the one before."""
    ctx.obj = path
    if ctx.invoked_subcommand is not None:
        return
    from tunewright.cli import render

    moves = open_project(path).releases()
    if not moves:
        render.say("Nothing is released yet: `tunewright run` releases what passes its gates.")
        return
    rows = [(_when(move.at), move.move, move.release) for move in moves]
    render.table(["when", "move", "production names"], rows)


@release.command()
@click.option("--alias", "name", default="production", show_default=True, help="The alias to set back.")
@click.pass_obj
def rollback(path: str, name: str) -> None:
    """Return to the release before."""
    click.echo(f"{name} → {open_project(path).rollback(name)}")


@release.command()
@click.argument("ref")
@click.option("--alias", "name", default="production", show_default=True, help="The alias to set.")
@click.pass_obj
def promote(path: str, ref: str, name: str) -> None:
    """Let an alias name a release (an artifact's name, or `release` for the newest), whatever its gates said."""
    click.echo(f"{name} → {open_project(path).promote(ref, name)}")


@click.command()
@click.argument("ref", default="production")
@PROJECT
@click.option("--verify", is_flag=True, help="Compare every file with its hash.")
def lineage(ref: str, path: str, verify: bool) -> None:
    """Tell what REF (an alias, a step, an artifact) was made from: rows, seed, base, template, versions."""
    from tunewright.cli import render

    found = open_project(path).lineage(ref)
    for ancestor in found.ancestors:
        _show_ancestor(ancestor, render)
    for name in found.missing:
        render.say(f"{name}  is no longer in the store", "yellow")
    versions = found.ancestors[0].artifact.manifest.libraries
    render.say("made with " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    if verify:
        found.verify()
        render.say(f"every file of {len(found.ancestors)} artifacts is as it was written", "green")


def _show_ancestor(ancestor: Any, render: Any) -> None:
    manifest = ancestor.artifact.manifest
    derivation = manifest.derivation
    render.say(f"{manifest.id}  content {manifest.content[:12]}", "bold")
    if ancestor.done:
        render.say(f"    {ancestor.done}")
    if derivation.inputs:
        render.say("    from " + ", ".join(ref.id for ref in derivation.inputs.values()))
    for name, digest in derivation.external.items():
        if ancestor.done and name.startswith("rows "):
            continue  # a source's rows, which it names
        render.say(f"    from {name}  sha256 {digest[:12]}")
    if derivation.step == "release":
        from tunewright.core.files import read_json
        from tunewright.project.stages.deciding import RELEASE

        template = read_json(ancestor.artifact.file(RELEASE))["template"]
        render.say(f"    renders with template  sha256 {template[:12]}")
    seeds = _seeds(derivation.spec)
    if seeds:
        render.say("    " + ", ".join(f"{name} = {value}" for name, value in seeds.items()))


def _seeds(spec: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Every seed among the settings, by dotted name."""
    found: dict[str, Any] = {}
    for name, value in spec.items():
        if isinstance(value, dict):
            found |= _seeds(value, f"{prefix}{name}.")
        elif name == "seed":
            found[f"{prefix}seed"] = value
    return found


@click.command()
@click.argument("message", required=False)
@PROJECT
@click.option("--alias", "name", default="production", show_default=True, help="The release to talk to.")
def chat(message: str | None, path: str, name: str) -> None:
    """Talk to a release: one MESSAGE, or a conversation when none is given (end with Ctrl-D)."""
    from tunewright.core.errors import UserError
    from tunewright.core.hidden import visible
    from tunewright.core.message import Message
    from tunewright.project.serving import load_release

    if message is not None and not message.strip():
        raise UserError("there is nothing to answer in an empty message")
    project = open_project(path)
    served = load_release(project.store, project.root, name, project.file.base)
    conversation: list[Message] = []
    while (text := message if message is not None else _ask()) is not None:
        asked = [*conversation, Message(role="user", content=text)]
        reply = served.generator.generate([tuple(asked)], served.variant.decoding)[0]
        if message is not None:
            if reply.error:
                raise UserError(reply.error)
            click.echo(visible(reply.text))
            return
        click.echo(visible(reply.error or reply.text))
        if not reply.error:
            conversation = [*asked, Message(role="assistant", content=reply.text)]


def _ask() -> str | None:
    try:
        return str(click.prompt("you", prompt_suffix="> "))
    except click.exceptions.Abort:
        click.echo()
        return None


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
