#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tamperer.py - an attacker on the wire: hands on what comes over connections that the kernel redirects to it, and changes
some of it.

usage: tamperer.py PORT FOLDER

The file FOLDER/mode says what it does, and may change at any time: `flip` a bit, `replay` a piece, `drop` one, `swap` two,
or `none`. FOLDER/count says how often it has. Only pieces of some size are touched, late enough for the handshake to be
over: what is spoilt are records.

Ceph waits for the rest of a message as long as its connection lasts, with or without pad. So a connection that lacks a
piece is cut after a second, and a piece that is to come after the next one comes alone if there is no next one.
"""

import selectors
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Optional

SO_ORIGINAL_DST = 80
HANDSHAKE = 4096  # bytes of a direction that are left alone
SMALLEST = 512
EVERY = 5  # piece of that size


class Attack:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.count = 0

    def mode(self) -> str:
        return (self.folder / "mode").read_text().strip()

    def done(self) -> None:
        with self.lock:
            self.count += 1
            (self.folder / "count.new").write_text(f"{self.count}\n")
            (self.folder / "count.new").rename(self.folder / "count")


class Direction:
    """One direction of a connection."""

    def __init__(self, attack: Attack, target: socket.socket) -> None:
        self.attack = attack
        self.target = target
        self.passed = 0
        self.large = 0
        self.kept = b""
        self.dropped_at: Optional[float] = None

    def look(self) -> bool:
        """Called now and then; false: cut the connection."""
        if self.kept:
            self.target.sendall(self.kept)
            self.kept = b""
        return self.dropped_at is None or time.monotonic() - self.dropped_at < 1

    def hand_on(self, piece: bytes) -> None:
        self.passed += len(piece)
        if self.kept:
            piece, self.kept = piece + self.kept, b""
        elif self.passed > HANDSHAKE and len(piece) >= SMALLEST:
            self.large += 1
            if self.large % EVERY == 0:
                piece = self.spoil(piece)
        if piece:
            self.target.sendall(piece)

    def spoil(self, piece: bytes) -> bytes:
        mode = self.attack.mode()
        if mode == "none":
            return piece
        self.attack.done()
        if mode == "flip":
            middle = len(piece) // 2
            return piece[:middle] + bytes([piece[middle] ^ 1]) + piece[middle + 1 :]
        if mode == "replay":
            return piece + piece
        if mode == "swap":
            self.kept = piece
        else:
            self.dropped_at = time.monotonic()
        return b""


def original_target(connection: socket.socket) -> "tuple[str, int]":
    answer = connection.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    port, address = struct.unpack_from("!2xH4s", answer)
    return socket.inet_ntoa(address), port


def serve(attack: Attack, near: socket.socket) -> None:
    far: Optional[socket.socket] = None
    try:
        far = socket.create_connection(original_target(near), timeout=10)
        far.settimeout(None)
        waiting = selectors.DefaultSelector()
        directions = [Direction(attack, far), Direction(attack, near)]
        waiting.register(near, selectors.EVENT_READ, directions[0])
        waiting.register(far, selectors.EVENT_READ, directions[1])
        while True:
            ready = waiting.select(timeout=0.2)
            if not ready and not all(direction.look() for direction in directions):
                return
            for key, _ in ready:
                source = near if key.fileobj is near else far
                piece = source.recv(1 << 16)
                if not piece:
                    return
                key.data.hand_on(piece)
    except OSError:
        pass  # one of the two is gone, and so the connection
    finally:
        near.close()
        if far is not None:
            far.close()


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit("usage: tamperer.py PORT FOLDER")
    attack = Attack(Path(sys.argv[2]))
    listener = socket.create_server(("", int(sys.argv[1])), backlog=64)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(attack, connection), daemon=True).start()


if __name__ == "__main__":
    main()
