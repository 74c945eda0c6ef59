"""A stand-in for the Hugging Face Hub: the part of its protocol that downloads and uploads use, on this machine.

It answers what huggingface_hub 2.4 asks (``file_download.py``, ``_commit_api.py``, ``lfs.py``), with the headers of the
real one, and writes down every request. Large files are redirected to another origin, as the Hub does with its CDN.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 10_000  # bytes; the real limit is 10 MB, and whatever is not text counts as large


class Hub:
    """The server, as a context manager.

    Attributes:
        url: what HF_ENDPOINT should be.
        repos: the files of each repository, by ``datasets/user/name`` or ``spaces/user/name``.
        objects: large files, by their SHA-256, once they are uploaded or downloaded.
        requests: (method, path) of everything that was asked.
        tokens: the Authorization headers that came with it.
        created: the bodies of the requests to create a repository.
        hardware: what each Space was asked to run on.
        commits: (repository, summary, paths written, paths deleted) of each commit.
        refuse: an HTTP status for every request, or None.
        slow: seconds before it answers.
        cut: if set, how many bytes of a file are sent, as if it were all.
        drop: if set, after how many bytes of a file the connection breaks, once.
    """

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self.created: list[dict[str, Any]] = []
        self.hardware: dict[str, str] = {}
        self.commits: list[tuple[str, str, list[str], list[str]]] = []
        self.refuse: int | None = None
        self.slow = 0.0
        self.cut: int | None = None
        self.drop: int | None = None

    def __enter__(self) -> Hub:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (Answer,), {"hub": self}))
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def gets(self) -> list[str]:
        """The paths of the files whose contents were asked for."""
        return [path for method, path in self.requests if method == "GET" and ("/resolve/" in path or "/cdn/" in path)]


class Answer(BaseHTTPRequestHandler):
    """One request."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Not on the screen."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self.begin()
        if parts is None:
            return
        match parts:
            case ["cdn", oid]:
                self.send_file(self.hub.objects[oid], oid)
            case [kind, user, name, "resolve", "main" | "0123456789abcdef0123456789abcdef01234567", *rest]:
                self.resolve(self.hub.repos.get(f"{kind}/{user}/{name}"), "/".join(rest))
            case ["api", kind, user, name, "tree", "main"]:
                files = self.hub.repos[f"{kind}/{user}/{name}"]
                self.send_json([{"type": "file", "path": p, "size": len(b), "oid": COMMIT} for p, b in files.items()])
            case ["api", kind, user, name, *_] if f"{kind}/{user}/{name}" in self.hub.repos:
                self.send_json({"id": f"{user}/{name}", "sha": COMMIT, "private": False, "tags": [], "siblings": []})
            case _:
                self.send_json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

    def do_POST(self) -> None:
        parts = self.begin()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if parts is None:
            return
        match parts:
            case ["api", "repos", "create"]:
                self.create(json.loads(body))
            case ["api", "validate-yaml"]:
                self.send_json({"errors": [], "warnings": []})
            case ["api", kind, user, name, "preupload", "main"]:
                self.preupload(json.loads(body)["files"])
            case ["api", kind, user, name, "commit", "main"]:
                self.commit(f"{kind}/{user}/{name}", [json.loads(line) for line in body.splitlines()])
            case ["api", "spaces", user, name, "hardware"]:
                self.hub.hardware[f"{user}/{name}"] = json.loads(body)["flavor"]
                self.send_json({"stage": "BUILDING", "hardware": {"current": None, "requested": None}})
            case [_, _, _, "info", "lfs", "objects", "batch"]:
                self.batch(json.loads(body)["objects"])
            case ["lfs", "verify"]:
                known = json.loads(body)["oid"] in self.hub.objects
                self.send_json({}, 200 if known else 404)
            case _:
                self.send_json({"error": "Not here"}, 404)

    def do_PUT(self) -> None:
        parts = self.begin()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if parts is None:
            return
        oid = hashlib.sha256(body).hexdigest()
        self.hub.objects[oid] = body
        self.send_json({}, 200 if parts == ["lfs", oid] else 400)

    def begin(self) -> list[str] | None:
        """Write the request down; its path in parts, or None if it was refused."""
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path))
        self.hub.tokens.append(self.headers["Authorization"])
        time.sleep(self.hub.slow)
        if self.hub.refuse is not None:
            self.send_json({"error": "refused"}, self.hub.refuse)
            return None
        return path.strip("/").split("/")

    def resolve(self, files: dict[str, bytes] | None, path: str) -> None:
        if files is None:
            self.send_json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        elif path not in files:
            missing = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
            self.send_json({"error": "Entry not found"}, 404, missing)
        elif len(files[path]) > LARGE:
            oid = hashlib.sha256(files[path]).hexdigest()
            self.hub.objects[oid] = files[path]
            place = f"http://localhost:{self.hub.port}/cdn/{oid}"  # another origin than 127.0.0.1: a CDN
            linked = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(files[path]))}
            self.send_json({}, 302, {"Location": place, "X-Repo-Commit": COMMIT, **linked})
        else:
            self.send_file(files[path], hashlib.sha1(files[path]).hexdigest())

    def send_file(self, data: bytes, etag: str) -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        whole = data[start:] if self.command == "HEAD" else data[start : self.hub.cut]
        self.send_headers(206 if start else 200, headers, len(whole))
        if self.command == "HEAD":
            return
        if self.hub.drop is not None:
            whole, self.hub.drop = whole[: self.hub.drop], None
            self.close_connection = True
        self.wfile.write(whole)

    def create(self, body: dict[str, Any]) -> None:
        self.hub.created.append(body)
        repo = f"{body['type']}s/{body['organization']}/{body['name']}"
        if repo in self.hub.repos:
            self.send_json({"error": "You already created this repo", "url": f"{self.hub.url}/{repo}"}, 409)
            return
        self.hub.repos[repo] = {".gitattributes": b""}
        self.send_json({"url": f"{self.hub.url}/{repo}", "name": body["name"]})

    def preupload(self, files: list[dict[str, Any]]) -> None:
        answers = []
        for file in files:
            large = b"\0" in base64.b64decode(file["sample"]) or file["size"] > LARGE
            answers.append(
                {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None}
            )
        self.send_json({"files": answers})

    def batch(self, objects: list[dict[str, Any]]) -> None:
        answers = []
        for one in objects:
            actions = {
                "upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"},
                "verify": {"href": f"{self.hub.url}/lfs/verify"},
            }
            known = one["oid"] in self.hub.objects
            answers.append({**one} if known else {**one, "actions": actions})
        self.send_json({"transfer": "basic", "objects": answers})

    def commit(self, repo: str, lines: list[dict[str, Any]]) -> None:
        files, written, deleted, summary = self.hub.repos[repo], [], [], ""
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    summary = value["summary"]
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                    written.append(value["path"])
                case "lfsFile":
                    files[value["path"]] = self.hub.objects[value["oid"]]
                    written.append(value["path"])
                case "deletedFile":
                    del files[value["path"]]
                    deleted.append(value["path"])
        self.hub.commits.append((repo, summary, written, deleted))
        self.send_json({"commitUrl": f"{self.hub.url}/{repo}/commit/{COMMIT}", "commitOid": COMMIT})

    def send_json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_headers(status, {"Content-Type": "application/json", **(headers or {})}, len(data))
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_headers(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
