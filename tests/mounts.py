"""File systems that only a test sees: full ones, read-only ones."""

import shutil
import subprocess
import sys

import pytest

TUNEWRIGHT = f"{sys.executable} -c 'from tunewright.cli.main import main; main()'"


def in_namespace(script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script where it may mount file systems of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)


needs_mounts = pytest.mark.skipif(
    shutil.which("unshare") is None or in_namespace("mount -t tmpfs none /mnt").returncode != 0,
    reason="mounting needs user namespaces",
)
