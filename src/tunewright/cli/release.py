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
    from tunewright.store import alias

    project = open_project(path)
    moves = project.store.catalogue.alias_moves(alias.PRODUCTION)
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


@click.command()
@click.argument("ref", default="production")
@PROJECT
@click.option("--verify", is_flag=True, help="Compare every file with its hash.")
def lineage(ref: str, path: str, verify: bool) -> None:
    """Tell what REF (an alias, a step, an artifact) was made from: rows, seed, base, template, versions."""
    from tunewright.cli import render

    ancestors = open_project(path).lineage(ref)
    for ancestor in ancestors:
        if verify:
            ancestor.artifact.verify()
        _show_ancestor(ancestor, render)
    versions = ancestors[0].artifact.manifest.libraries
    render.say("made with " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    if verify:
        render.say(f"every file of {len(ancestors)} artifacts is as it was written", "green")


def _show_ancestor(ancestor: Any, render: Any) -> None:
    manifest = ancestor.artifact.manifest
    derivation = manifest.derivation
    render.say(f"{manifest.id}  content {manifest.content[:12]}", "bold")
    if derivation.inputs:
        render.say("    from " + ", ".join(ref.id for ref in derivation.inputs.values()))
    for name, digest in derivation.external.items():
        render.say(f"    from {name}  sha256 {digest[:12]}")
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
    from tunewright.core.message import Message
    from tunewright.project.serving import load_release

    project = open_project(path)
    served = load_release(project.store, project.root, name)
    conversation: list[Message] = []
    while True:
        text = message if message is not None else _ask()
        if text is None:
            return
        conversation.append(Message(role="user", content=text))
        reply = served.generator.generate([tuple(conversation)], served.variant.decoding)[0]
        if reply.error:
            raise click.ClickException(reply.error)
        click.echo(reply.text)
        if message is not None:
            return
        conversation.append(Message(role="assistant", content=reply.text))


def _ask() -> str | None:
    try:
        return str(click.prompt("you", prompt_suffix="> "))
    except click.exceptions.Abort:
        click.echo()
        return None


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
