"""Work on a real Ray cluster, in a process of its own: Ray wants a main thread, and starts others.

python on_ray.py FOLDER same|lost|error|idle

What it has to say begins with a >: Ray says things, too.
"""

import sys
from functools import partial
from pathlib import Path

from tunewright.core.errors import DataError, UserError
from tunewright.core.example import ask, make_example
from tunewright.data.examples import Examples, chunks, write_examples
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.filter import Filter
from tunewright.data.recipe import graph, work
from tunewright.data.recipe_rows import do_chunk
from tunewright.data.workers import sharing


def rows(folder: Path) -> Examples:
    """25,000 rows, some of which an operation changes and some it drops."""
    path = folder / "rows.jsonl"
    made = (
        make_example(ask(f"Where is\u200b parcel {n}?", "It is " + "far " * 12), fields={"n": n})
        for n in range(25_000)
    )
    write_examples(path, made)
    return Examples(path)


def same(folder: Path) -> None:
    """Both ways leave the same bytes in an operation's folder, one cluster for all operations."""
    given, files = {"rows": rows(folder)}, {}
    for scale in ("local", "ray"):
        with sharing(scale, 2) as workers:
            for spec in (Clean(), DropDuplicates(), Filter(keep="n % 7 != 0")):
                (node,) = graph([spec], given)
                out = folder / scale / spec.op
                work(node, given, out, workers=workers)
                files[scale, spec.op] = {path.name: path.read_bytes() for path in out.iterdir()}
    for op in ("clean", "drop_duplicates", "filter"):
        assert files["local", op] == files["ray", op]
        print(">", op, *sorted(files["ray", op]))


def lost(folder: Path) -> None:
    """A machine of the cluster is lost while it works: the results are the same."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    pieces = list(chunks(rows(folder)))
    do = partial(do_chunk, Clean().model_dump_json())
    with sharing("ray", 1) as workers:
        shared = workers.each(do, pieces)
        done = [next(shared)]
        cluster.remove_node(second, allow_graceful=False)
        assert [*done, *shared] == list(map(do, pieces))
    ray.shutdown()
    cluster.shutdown()
    print("> the same")


def error(folder: Path) -> None:
    """What the work raises is raised as it is, and a cluster that is not there is told."""
    do = partial(do_chunk, Filter(keep="nope > 1").model_dump_json())
    with sharing("ray", 1) as workers:
        try:
            list(workers.each(do, chunks(rows(folder))))
        except DataError as caught:
            print(">", caught)


def idle(folder: Path) -> None:
    """A cluster with a head alone, which does no work, is told."""
    import ray

    ray.init(num_cpus=0, include_dashboard=False, log_to_driver=False)
    with sharing("ray", 1) as workers:
        try:
            list(workers.each(str, [1]))
        except UserError as caught:
            print(">", caught)
    ray.shutdown()


if __name__ == "__main__":
    {"same": same, "lost": lost, "error": error, "idle": idle}[sys.argv[2]](Path(sys.argv[1]))
