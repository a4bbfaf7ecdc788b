"""A real PostgreSQL server of one test run, on loopback, where the machine has its programs."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = [shutil.which(name) for name in ("initdb", "pg_ctl")]
PASSWORD = "s3cr@t/pw"


@contextmanager
def server() -> Iterator[int]:
    """The port of a server; its superuser is `shop`, with the password PASSWORD."""
    initdb, pg_ctl = map(str, PROGRAMS)
    run: dict[str, Any] = {"check": True, "capture_output": True, **_other_user()}
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, socket.socket() as probe:
        os.chmod(folder, 0o777)
        secret = Path(folder) / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data, log = f"{folder}/data", f"{folder}/log"
        subprocess.run([initdb, "-D", data, "-U", "shop", "-A", "scram-sha-256", f"--pwfile={secret}"], **run)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        subprocess.run([pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "start"], **run)
        try:
            yield port
        finally:
            subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"], **run)


def _other_user() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.getuid():
        return {}
    found = next(user for name in ("postgres", "nobody") if (user := _user(name)))
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": "/"}


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
