"""`httpx`, in the two ways in which it is used: `kept`, one client for all requests, as its documentation advises; `each`, a client for
every request, as is written where there is no place to keep one. The roots are those of `SSL_CERT_FILE`, which httpx reads itself.
"""
import sys
from contextlib import nullcontext

from conversation import Refused, converse


class Peer:
    def __init__(self, keeps):
        self.keeps = keeps

    def load(self):
        import httpx

        self.httpx = httpx

    def open(self, env):
        self.base = f"{env['PLIMSOLL_BASE_URL']}/v1beta/models/{env['PLIMSOLL_MODEL']}"
        self.body = {"contents": [{"role": "user", "parts": [{"text": env["PLIMSOLL_PROMPT"]}]}]}
        self.headers = {"x-goog-api-key": env["GEMINI_API_KEY"]}
        self.client = self.httpx.Client(timeout=60) if self.keeps else None

    def borrowed(self):
        """A client for one request: the one that is kept, or one that is closed after it."""
        return nullcontext(self.client) if self.keeps else self.httpx.Client(timeout=60)

    def chat(self):
        with self.borrowed() as client:
            answer = client.post(f"{self.base}:generateContent", json=self.body, headers=self.headers)
            refuse(answer)
            yield from texts(answer.json())

    def stream(self):
        import json

        url = f"{self.base}:streamGenerateContent?alt=sse"
        with self.borrowed() as client, client.stream("POST", url, json=self.body, headers=self.headers) as answer:
            refuse(answer)
            for line in lines(answer.iter_bytes()):
                if line.startswith(b"data:"):
                    yield from texts(json.loads(line[5:]))

    def close(self):
        if self.keeps:
            self.client.close()
        del self.client


def lines(pieces):
    """Lines that end with `\n`: httpx's own `iter_lines` ends them at U+2028 too, within a text."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole


def refuse(answer):
    if answer.status_code != 200:
        raise Refused(f"HTTP {answer.status_code}")


def texts(event):
    for part in event["candidates"][0].get("content", {}).get("parts", []):
        if not part.get("thought"):
            yield part.get("text", "")


keeps = sys.argv[1:] != ["each"]
converse("httpx" if keeps else "httpx-each", "httpx", Peer(keeps))
