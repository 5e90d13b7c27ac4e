#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""wire_check.py - holds a capture of the wires between trusted nodes against the pad that a test build of the provider
recorded: what of it can be read without the pad, and what with it.

usage: wire_check.py CAPTURE MARKER RECORD...

CAPTURE is a file of tcpdump (Ethernet), MARKER a text that the stored file is full of. A RECORD holds, one after the
other, entries as src/provider/pad_record.h describes them. Prints JSON.
"""

import json
import struct
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

Flow = Tuple[bytes, int, bytes, int]
HEAD = 32


class Packet(NamedTuple):
    flow: Flow
    sequence: int
    syn: bool
    payload: bytes


def packets(capture: bytes) -> Iterator[Packet]:
    magic, link_type = struct.unpack_from("<I16xI", capture)
    if magic not in (0xA1B2C3D4, 0xA1B23C4D) or link_type != 1:
        raise SystemExit(f"wire_check.py: no Ethernet capture: magic {magic:#x}, link type {link_type}")
    at = 24
    while at + 16 <= len(capture):
        kept, length = struct.unpack_from("<8xII", capture, at)
        frame = capture[at + 16 : at + 16 + kept]
        at += 16 + kept
        if kept != length:
            raise SystemExit("wire_check.py: the capture holds parts of packets only: tcpdump -s 0")
        if frame[12:14] != b"\x08\x00" or frame[14] >> 4 != 4 or frame[23] != 6:
            continue  # neither IPv4 nor TCP
        tcp = 14 + (frame[14] & 15) * 4
        end = 14 + int.from_bytes(frame[16:18], "big")
        source, target, sequence, offset, flags = struct.unpack_from("!HHI4xBB", frame, tcp)
        flow = (frame[26:30], source, frame[30:34], target)
        yield Packet(flow, sequence, bool(flags & 2), frame[tcp + (offset >> 4) * 4 : end])


def streams(capture: bytes) -> List[bytes]:
    """The bytes of every direction of every connection, in order, each once."""
    first: Dict[Flow, int] = {}
    parts: Dict[Flow, Dict[int, bytes]] = {}
    done: List[bytes] = []

    def join(flow: Flow) -> None:
        text = bytearray()
        for offset, payload in sorted(parts.pop(flow).items()):
            text += payload[max(0, len(text) - offset) :]  # what was sent again is there already
        done.append(bytes(text))

    for packet in packets(capture):
        if packet.syn and packet.flow in parts:
            join(packet.flow)  # the port is used again
        if packet.syn or packet.flow not in parts:
            first[packet.flow] = packet.sequence + (1 if packet.syn else 0)
            parts[packet.flow] = {}
        if packet.payload:
            offset = (packet.sequence - first[packet.flow]) % (1 << 32)
            known = parts[packet.flow].get(offset, b"")
            parts[packet.flow][offset] = max(known, packet.payload, key=len)
    for flow in list(parts):
        join(flow)
    return done


class Record(NamedTuple):
    stream: bytes
    head: bytes
    pad: bytes


def records(path: Path) -> Iterator[Record]:
    """Those that are long enough to be found."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        stream, head = data[at + 4 : at + 20], data[at + 20 : at + 20 + HEAD]
        at += 20 + HEAD
        if length >= HEAD:
            yield Record(stream, head, data[at : at + length])
        at += length


class Finder:
    """Finds ciphertexts on the wires. Those of one stream are on one wire and in order."""

    def __init__(self, wires: List[bytes]) -> None:
        self.wires = wires
        self.last: Dict[bytes, Tuple[bytes, int]] = {}

    def find(self, record: Record) -> bytes:
        """Empty if it is on none: it was sent before the capture began, or not at all."""
        size = len(record.pad)
        if record.stream in self.last:
            wire, start = self.last[record.stream]
            at = wire.find(record.head, start)
            if at >= 0:
                self.last[record.stream] = (wire, at + size)
                return wire[at : at + size]
            return b""
        for wire in self.wires:
            at = wire.find(record.head)
            if at >= 0:
                self.last[record.stream] = (wire, at + size)
                return wire[at : at + size]
        return b""


def xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def main() -> None:
    if len(sys.argv) < 4:
        raise SystemExit("usage: wire_check.py CAPTURE MARKER RECORD...")
    wires = streams(Path(sys.argv[1]).read_bytes())
    marker = sys.argv[2].encode()
    finder = Finder(wires)
    count = missing = found = decrypted = by_other_pad = 0
    other = b""
    for path in sys.argv[3:]:
        for record in records(Path(path)):
            count += 1
            ciphertext = finder.find(record)
            if len(ciphertext) < len(record.pad):
                missing += 1
                continue
            found += len(ciphertext)
            decrypted += xor(ciphertext, record.pad).count(marker)
            if len(other) >= len(ciphertext):
                by_other_pad += xor(ciphertext, other[: len(ciphertext)]).count(marker)
            other = record.pad
    print(
        json.dumps(
            {
                "wire_bytes": sum(map(len, wires)),
                "markers_on_the_wire": sum(wire.count(marker) for wire in wires),
                "records": count,
                "records_not_on_the_wire": missing,
                "bytes_decrypted": found,
                "markers_decrypted": decrypted,
                "markers_by_other_pad": by_other_pad,
            }
        )
    )


if __name__ == "__main__":
    main()
