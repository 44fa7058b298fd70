"""A process that calls a bank from several threads at the same moment; the calls come on standard input, as JSON.

Run by ``at_once``: it prints ``ready`` once it has read its calls, waits for a line, and calls.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PATIENCE_S = 60


def call(url: str, token: str, key: str, body: Any) -> dict[str, Any]:
    """One POST; its status and its JSON answer."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Idempotency-Key": key}
    request = Request(url, None if body is None else json.dumps(body).encode(), headers, method="POST")
    try:
        with urlopen(request, timeout=PATIENCE_S) as answer:
            return {"status": answer.status, "body": json.load(answer)}
    except HTTPError as refused:
        with refused:
            return {"status": refused.code, "body": json.load(refused)}


def main() -> None:
    """Read the calls, wait for the word, make them all at once, print the answers in order."""
    calls = json.loads(sys.stdin.readline())
    answers: list[dict[str, Any] | None] = [None] * len(calls)
    start = threading.Barrier(len(calls) + 1)

    def one(number: int, wanted: dict[str, Any]) -> None:
        start.wait(PATIENCE_S)
        answers[number] = call(**wanted)

    threads = [threading.Thread(target=one, args=(number, wanted)) for number, wanted in enumerate(calls)]
    for thread in threads:
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    start.wait(PATIENCE_S)
    for thread in threads:
        thread.join()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
