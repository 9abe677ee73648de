"""A chat endpoint on a real port that answers by a script."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], Any]


class Endpoint:
    """Answers `no` to graders and `unknown` to others, after what `script` says first."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.reply: Callable[[str], str] = lambda text: "no" if "You grade" in text else "unknown"
        self.lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                status, headers, answer = owner.answer(
                    self.path, self.headers["authorization"], json.loads(self.rfile.read(length))
                )
                content = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def answer(self, path: str, key: str | None, body: dict[str, Any]) -> Answer:
        with self.lock:
            assert path == "/v1/chat/completions"
            self.bodies.append(body)
            self.keys.append(key)
            if self.script:
                return self.script.pop(0)
            content = self.reply(body["messages"][0]["content"])
            usage = {"prompt_tokens": 100, "completion_tokens": 2}
            return 200, {}, {"choices": [{"message": {"content": content}}], "usage": usage}

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
