"""Clients at the door that cost little: one process, one loop, many connections that are kept.

The process is no part of what is measured, but shares the machine with it; so it does nothing with an answer but find
its end, and says how much of a processor it took. Each connection sends what lies in its own queue, either the next as
soon as it has its answer, or, where a rate is given, whatever falls due next of any queue: the times are drawn as
``pgbench --rate`` draws them, and the time of a request begins when it falls due, not when a connection is free for it.
"""

from __future__ import annotations

import random
import resource
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

_PATIENCE_S = 30.0
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came over the wire, and when it was asked for and was there, by the monotonic clock."""

    begin: float
    end: float
    sent_back: bytes

    @property
    def status(self) -> int:
        """The status."""
        return int(self.sent_back[9:12])

    @property
    def body(self) -> bytes:
        """The body."""
        return self.sent_back.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a crowd was answered from ``begin`` to ``end``, and how many processors its client took meanwhile."""

    all: list[Answer]
    begin: float
    end: float
    client_cpus: float

    @property
    def a_second(self) -> float:
        """How many answers a second came."""
        return sum(one.end <= self.end for one in self.all) / (self.end - self.begin)

    @property
    def taken_ms(self) -> list[float]:
        """How long each answer took, in milliseconds."""
        return [1000 * (one.end - one.begin) for one in self.all]


@dataclass(eq=False, slots=True)
class _Line:
    socket: socket.socket
    queue: deque[bytes]
    begin: float = 0.0
    so_far: bytes = b""


def send(
    port: int, queues: Sequence[Sequence[bytes]], *, seconds: float, rate: float | None = None, seed: int = 330213
) -> Answers:
    """Send requests for so long, over as many connections as there are queues; every one sent is waited for.

    It ends early where a queue has run out. Raises RuntimeError where the server hangs up or no answer comes.
    """
    # A process that begins afresh: nothing of ours is copied into it, and its garbage is its own.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_crowd, port, queues, seconds, rate, seed).result()


def _crowd(port: int, queues: Sequence[Sequence[bytes]], seconds: float, rate: float | None, seed: int) -> Answers:
    crowd = _Crowd(port, queues)
    try:
        used = resource.getrusage(resource.RUSAGE_SELF)
        begin = time.monotonic()
        end = crowd.closed(begin + seconds) if rate is None else crowd.open(begin + seconds, rate, random.Random(seed))
        now = resource.getrusage(resource.RUSAGE_SELF)
        spent = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        return Answers(crowd.answers, begin, end, spent / (time.monotonic() - begin))
    finally:
        crowd.close()


@dataclass(slots=True)
class _Due:
    """When requests fall due: at random moments, so many a second."""

    rate: float
    chance: random.Random
    next: float = field(default=0.0)

    def draw(self) -> None:
        self.next += self.chance.expovariate(self.rate)


class _Crowd:
    def __init__(self, port: int, queues: Sequence[Sequence[bytes]]) -> None:
        self.answers: list[Answer] = []
        self._epoll = select.epoll()
        self._lines: dict[int, _Line] = {}
        for queue in queues:
            line = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines[line.fileno()] = _Line(line, deque(queue))
            self._epoll.register(line.fileno(), select.EPOLLIN)

    def closed(self, until: float) -> float:
        """Every connection sends its next request when it has its answer; until when it was so."""
        under_way = sum(self._send(line, time.monotonic()) for line in self._lines.values())
        ended = until if under_way == len(self._lines) else time.monotonic()
        while under_way:
            for line in self._heard(_PATIENCE_S):
                now = time.monotonic()
                under_way -= 1
                if now < ended:
                    if self._send(line, now):
                        under_way += 1
                    else:
                        ended = now
        return ended

    def open(self, until: float, rate: float, chance: random.Random) -> float:
        """So many requests a second, whoever is free sends the next; until when they fell due."""
        idle = deque(self._lines.values())
        due = _Due(rate, chance, time.monotonic())
        due.draw()
        while due.next < until or len(idle) < len(self._lines):
            now = time.monotonic()
            while idle and due.next <= min(now, until):
                line = idle.popleft()
                if self._send(line, due.next):
                    due.draw()
                else:
                    until = due.next
                    idle.append(line)
            wait = due.next - now if idle and due.next < until else _PATIENCE_S
            idle.extend(self._heard(max(0.0, wait), patient=wait == _PATIENCE_S))
        return until

    def close(self) -> None:
        for line in self._lines.values():
            line.socket.close()
        self._epoll.close()

    def _send(self, line: _Line, begin: float) -> bool:
        if not line.queue:
            return False
        line.begin = begin
        line.socket.sendall(line.queue.popleft())
        return True

    def _heard(self, wait_s: float, *, patient: bool = True) -> list[_Line]:
        """The connections whose answer is whole now; keeps their answers."""
        # epoll itself waits for whole milliseconds only.
        if not select.select([self._epoll], [], [], wait_s)[0]:
            if patient:
                raise RuntimeError("no answer comes")
            return []
        whole = []
        for number, _ in self._epoll.poll(0):
            line = self._lines[number]
            piece = line.socket.recv(_PIECE)
            if not piece:
                raise RuntimeError(f"the server hung up after {line.so_far!r}")
            line.so_far += piece
            if _is_whole(line.so_far):
                self.answers.append(Answer(line.begin, time.monotonic(), line.so_far))
                line.so_far = b""
                whole.append(line)
        return whole


def _is_whole(said: bytes) -> bool:
    head, found, body = said.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r")[0]
    return len(body) >= int(length)
