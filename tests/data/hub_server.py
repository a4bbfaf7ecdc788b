"""A hub on loopback: as much of its wire as fetching data sets takes, with real files behind it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse


class Hub:
    """What the hub holds: data set → commits (name → bytes), the branch `main` at the last."""

    def __init__(self) -> None:
        self.commits: dict[str, list[dict[str, bytes]]] = {}
        self.asked: list[str] = []
        self.url = ""
        self.lists = True
        """Whether it tells the sizes of many files at once."""
        self.said: dict[str, int] = {}
        """Sizes that it tells of files, where they are not those that they have; of one that is below 0 it tells none."""

    def push(self, repo: str, files: dict[str, bytes]) -> str:
        """A new commit of a data set; its digits."""
        self.commits.setdefault(repo, []).append(files)
        return self.digits(repo, len(self.commits[repo]) - 1)

    def digits(self, repo: str, at: int) -> str:
        return hashlib.sha1(f"{repo}{at}".encode()).hexdigest()

    def find(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commits = self.commits.get(repo, [])
        known = {self.digits(repo, at): at for at in range(len(commits))}
        known["main"] = len(commits) - 1
        at = known.get(revision)
        return None if at is None or not commits else (self.digits(repo, at), commits[at])


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlparse(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            if path.startswith("/api/datasets/"):
                self._about(path.removeprefix("/api/datasets/"))
            else:
                self._file(path.removeprefix("/datasets/"))

        def do_POST(self) -> None:
            path = unquote(urlparse(self.path).path)
            hub.asked.append(f"POST {path}")
            repo, _, revision = path.removeprefix("/api/datasets/").partition("/paths-info/")
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            names = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body).get("paths", [])
            found = hub.find(repo, revision)
            if found is None or not hub.lists:
                return self._send(404, b"", {})
            told = [
                {
                    "type": "file",
                    "path": name,
                    "size": hub.said.get(name, len(found[1][name])) if hub.said.get(name, 0) >= 0 else None,
                    "oid": "0" * 40,
                }
                for name in names
            ]
            self._send(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

        def _about(self, path: str) -> None:
            repo, _, revision = path.partition("/revision/")
            if repo not in hub.commits:
                return self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
            found = hub.find(repo, revision or "main")
            if found is None:
                return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
            about = {"id": repo, "sha": found[0], "siblings": [{"rfilename": name} for name in found[1]]}
            self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})

        def _file(self, path: str) -> None:
            repo, _, rest = path.partition("/resolve/")
            revision, _, name = rest.partition("/")
            found = hub.find(repo, revision)
            if found is None or name not in found[1]:
                return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            data = found[1][name]
            etag = f'"{hashlib.sha1(data).hexdigest()}"'
            about = {"X-Repo-Commit": found[0], "ETag": etag}
            if self.command == "HEAD" and hub.said.get(name, -1) >= 0:
                about["Content-Length"] = str(hub.said[name])
            self._send(200, data, about, hub.said.get(name, 0) >= 0)

        def _send(self, status: int, data: bytes, headers: dict[str, str], sized: bool = True) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers and sized:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command in ("GET", "POST"):
                self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
