#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bad_program.py SOCKET WHAT - speaks the north protocol of a qkdn-proxy (src/qkdn/protocol/NORTH.md), badly.

Written from the document, with nothing of the C++ code. Exit code: 0 if the proxy answered as it should.
"""

import os
import random
import socket
import struct
import sys
from typing import Callable

PEER = 1
HELLO, OPEN, MORE, RELEASE, CLOSE, GET_STATUS = range(1, 7)
WELCOME, OPENED, GRANT, DONE, REFUSED, ENDED, STATUS_TEXT = range(129, 136)
TRANSMIT, RECEIVE = 1, 2
SESSION = 1
MALFORMED, STREAM_EXISTS, TOO_LARGE = 1, 4, 5


class Program:
    """One connection to the proxy, greeted."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5)
        self.socket.connect(path)
        self.send(HELLO, struct.pack("<QB", 1 << 26, 3) + b"bad")
        kind, _ = self.receive()
        expect(kind == WELCOME, f"no Welcome but {kind}")

    def send(self, kind: int, fields: bytes) -> None:
        self.socket.send(struct.pack("<BBH", 1, kind, 0) + fields)

    def receive(self) -> tuple[int, bytes]:
        data, _, _, _ = self.socket.recvmsg(65536, 64)
        return (data[1], data[4:]) if data else (0, b"")

    def open(self, stream: bytes, need: int, request: int = 1, direction: int = TRANSMIT) -> None:
        self.send(OPEN, struct.pack("<I16sIBBQQI", request, stream, PEER, direction, SESSION, need, need, 2000))

    def until(self, *kinds: int) -> tuple[int, bytes]:
        while True:
            kind, fields = self.receive()
            if kind in kinds or kind == 0:
                return kind, fields


def expect(condition: bool, complaint: str) -> None:
    if not condition:
        sys.exit(f"bad_program.py: {complaint}")


def gone(program: Program) -> bool:
    """True if the proxy closes the connection, after whatever it still says."""
    try:
        return program.until()[0] == 0
    except ConnectionError:
        return True


def garbage(path: str) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(300):
        program = Program(path)
        data = bytearray(rng.randbytes(rng.randrange(1, 100)))
        if rng.random() < 0.5:  # garbage that begins well
            data[0:2] = bytes([1, rng.randrange(1, 8)])
        program.socket.send(data)
        program.socket.close()
    program = Program(path)
    program.socket.send(b"\x07garbage")
    kind, fields = program.until(REFUSED)
    expect(kind == REFUSED and fields[4] == MALFORMED, f"garbage is answered with {kind}")
    expect(gone(program), "the connection stays open after garbage")


def huge(path: str) -> None:
    program = Program(path)
    program.open(os.urandom(16), (1 << 64) - 1)
    kind, fields = program.until(REFUSED, DONE)
    expect(kind == REFUSED and fields[4] == TOO_LARGE, f"need=2^64-1 is answered with {kind} {fields.hex()}")
    long = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    long.connect(path)
    long.send(struct.pack("<BBHQB", 1, HELLO, 0, 1 << 26, 255) + b"x" * 60000)
    expect(long.recv(65536)[1:2] in (bytes([REFUSED]), b""), "an overlong Hello is not refused")


def twice(path: str) -> None:
    program = Program(path)
    stream = os.urandom(16)
    program.open(stream, 100)
    kind, _ = program.until(DONE, REFUSED)
    expect(kind == DONE, "the first Open is refused")
    program.open(stream, 100, request=2)
    kind, fields = program.until(DONE, REFUSED)
    expect(kind == REFUSED and fields[4] == STREAM_EXISTS, f"the second Open is answered with {kind}")


def die(path: str) -> None:
    program = Program(path)
    program.open(os.urandom(16), 4096)
    kind, _ = program.until(DONE, REFUSED)
    expect(kind == DONE, "no pad to die with")
    os._exit(0)


def deaf(path: str) -> None:
    """Asks for ever and never reads."""
    program = Program(path)
    program.socket.settimeout(20)
    try:
        for request in range(1 << 20):
            program.send(GET_STATUS, struct.pack("<I", request))
    except (ConnectionError, socket.timeout):
        return
    expect(False, "the proxy keeps a program that never reads")


def streams(path: str) -> None:
    """Opens streams without end: some are refused in the end, or all are served; the proxy lives."""
    program = Program(path)
    for request in range(70000):
        program.open(os.urandom(16), 0, request, RECEIVE)
        kind, _ = program.until(OPENED, REFUSED)
        expect(kind in (OPENED, REFUSED), "the proxy closed the connection")
        if kind == REFUSED:
            return
    expect(False, "70000 streams of one program are not too many")


WHAT: dict[str, Callable[[str], None]] = {
    "garbage": garbage,
    "huge": huge,
    "twice": twice,
    "die": die,
    "deaf": deaf,
    "streams": streams,
}


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[2] not in WHAT:
        print(f"usage: bad_program.py SOCKET {'|'.join(WHAT)}", file=sys.stderr)
        return 2
    WHAT[sys.argv[2]](sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
