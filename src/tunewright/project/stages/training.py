"""The training steps: the gate before training, and training itself."""

from tunewright.core.errors import GateError
from tunewright.core.files import write_json
from tunewright.data.freeze import load_part
from tunewright.models.base import resolve_base
from tunewright.project.steps import StepContext


def gate(ctx: StepContext) -> None:
    """Every row of train and dev rendered and its loss mask checked; refuses on any failure."""
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer
    from tunewright.train.gate import check_rows

    base = resolve_base(ctx.file.base, ctx.root)
    renderer = Renderer(load_tokenizer(base))
    folder = ctx.inputs["split"].path
    rows = [(e.id, e.messages) for part in ("train", "dev") for e in load_part(folder, part)]
    ctx.emit("gate.start", rows=len(rows))
    report = check_rows(rows, renderer, max_length=ctx.file.train.max_length, system=ctx.file.task.system)
    write_json(ctx.out / "gate.json", report.model_dump(mode="json"))
    ctx.emit("gate.done", rows=report.rows, problems=len(report.problems))
    if report.problems:
        raise GateError([found.problem() for found in report.problems])


def train(ctx: StepContext) -> None:
    """The adapter, its history and the proof that it learnt."""
    from tunewright.train.run import train as train_adapter

    folder = ctx.inputs["split"].path
    train_adapter(
        ctx.file.train,
        [example.messages for example in load_part(folder, "train")],
        [example.messages for example in load_part(folder, "dev")],
        base=resolve_base(ctx.file.base, ctx.root),
        system=ctx.file.task.system,
        work=ctx.work,
        out=ctx.out,
        emit=ctx.emit,
        threads=ctx.threads,
    )
