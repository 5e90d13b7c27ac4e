#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one shareholder learns about a short secret from its share and Ceph's list of all shares' CRCs.

Ceph records the CRC32C of every shard of an object on every shard. CRC32C is linear over GF(2), and so is
multiplication by a constant of GF(256): each CRC of another share is a linear function of the secret and of the
random coefficients of the polynomial. With t = 2 the own share determines the coefficient once the secret is
given, so that every CRC in the list is 32 linear equations about the secret alone.

usage: crc_attack.py crc FILE
       crc_attack.py attack --t T --shard S --crcs FILE --secret-bytes N SHARE

`crc` prints the CRC32C of a file as Ceph computes it. `attack` prints the rank of the equations about the first N
bytes of the object, the rest of which are known to be zero, and the secret if that determines it. The CRCs are read
from a file, one decimal number a line, in the order of the shards. Shard i is the polynomial's value at 2^i in
GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

CRC32C = 0x82F63B78  # reflected
GF_POLYNOMIAL = 0x11D
# The random coefficients of all bytes behind these are given to the attacker: who learns nothing even so learns
# nothing. (None are needed with t = 2.)
GIVEN_AFTER = 64


def crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (CRC32C if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc_table()


def crc32c(data: bytes, crc: int = 0xFFFFFFFF) -> int:
    """Ceph's: begins with all ones, inverts nothing at the end."""
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc


def gf_mul(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (GF_POLYNOMIAL if a & 0x80 else 0)
        b >>= 1
    return product


def gf_inverse(a: int) -> int:
    return next(b for b in range(256) if gf_mul(a, b) == 1)


def point(shard: int) -> int:
    x = 1
    for _ in range(shard):
        x = gf_mul(x, 2)
    return x


class Equations:
    """Linear equations over GF(2): bit i of a row is the coefficient of unknown i, `constant` the bit above them."""

    def __init__(self, unknowns: int) -> None:
        self.unknowns = unknowns
        self.rows: dict[int, int] = {}  # by leading bit

    def add(self, row: int) -> None:
        for lead in range(self.unknowns - 1, -1, -1):
            if row >> lead & 1:
                if lead not in self.rows:
                    self.rows[lead] = row
                    return
                row ^= self.rows[lead]
        if row:
            sys.exit("the equations contradict each other: this is not the share that the CRCs were made for")

    def rank(self) -> int:
        return len(self.rows)

    def solution(self) -> int:
        """REQUIRES: full rank."""
        value = 0
        for lead in range(self.unknowns):
            row = self.rows[lead]
            others = (row & ((1 << lead) - 1)) & value
            value |= (row >> self.unknowns & 1 ^ others.bit_count() & 1) << lead
        return value


def crc_columns(length: int, count: int) -> list[list[int]]:
    """columns[offset][bit]: what that bit of a message of `length` bytes adds to its CRC, for the first offsets."""
    columns = []
    states = [TABLE[1 << bit] for bit in range(8)]  # of the last byte
    for offset in range(length - 1, -1, -1):
        if offset < count:
            columns.append(states)
        states = [state >> 8 ^ TABLE[state & 0xFF] for state in states]
    return columns[::-1]


def attack(t: int, own: int, crcs: list[int], share: bytes, secret_bytes: int) -> Equations:
    """The equations about the secret's bits, which are the low ones, and the random coefficients.

    f(x) = s + r_1 x + ... + r_{t-1} x^{t-1} for every byte of the object. With r_1 expressed by the own share at X,
    the share at x is  own (x / X) + s (1 + x / X) + sum of r_h (x^h + X^{h-1} x)  for h from 2 to t-1.
    """
    length = len(share)
    columns = crc_columns(length, GIVEN_AFTER)
    x_own = point(own)
    equations = Equations(8 * (secret_bytes + (t - 2) * GIVEN_AFTER))
    for shard, crc in enumerate(crcs):
        if shard == own:
            continue
        x = point(shard)
        ratio = gf_mul(x, gf_inverse(x_own))
        unknowns = [(1 ^ ratio, offset) for offset in range(secret_bytes)]
        power, own_power = x, x_own
        for _ in range(2, t):
            power, own_power = gf_mul(power, x), gf_mul(own_power, x_own)
            unknowns += [(power ^ gf_mul(own_power, ratio), offset) for offset in range(GIVEN_AFTER)]
        rows = [0] * 32
        if t == 2:  # all that is not unknown is known
            times_ratio = bytes(gf_mul(value, ratio) for value in range(256))
            constant = crc32c(share.translate(times_ratio)) ^ crc
            rows = [(constant >> i & 1) << equations.unknowns for i in range(32)]
        for index, (factor, offset) in enumerate(unknowns):
            for bit in range(8):
                value = gf_mul(factor, 1 << bit)
                column = 0
                for j in range(8):
                    if value >> j & 1:
                        column ^= columns[offset][j]
                for i in range(32):
                    rows[i] |= (column >> i & 1) << (8 * index + bit)
        for row in rows:
            equations.add(row)
    return equations


def main() -> None:
    parser = argparse.ArgumentParser(description="Attacks Ceph's list of CRCs; see the head of this file.")
    commands = parser.add_subparsers(dest="command", required=True)
    crc = commands.add_parser("crc")
    crc.add_argument("file", type=Path)
    attacks = commands.add_parser("attack")
    attacks.add_argument("--t", type=int, required=True)
    attacks.add_argument("--shard", type=int, required=True)
    attacks.add_argument("--crcs", type=Path, required=True)
    attacks.add_argument("--secret-bytes", type=int, required=True)
    attacks.add_argument("share", type=Path)
    args = parser.parse_args()

    if args.command == "crc":
        print(crc32c(args.file.read_bytes()))
        return
    crcs = [int(line) for line in args.crcs.read_text().split()]
    equations = attack(args.t, args.shard, crcs, args.share.read_bytes(), args.secret_bytes)
    secret_bits = 8 * args.secret_bytes
    # Elimination went from the random bits down: what is left below are equations about the secret alone.
    known = sum(1 for lead in equations.rows if lead < secret_bits)
    print(f"equations about the secret: rank {known} of {secret_bits}")
    if known == secret_bits == equations.unknowns:
        print(f"secret: {equations.solution().to_bytes(args.secret_bytes, 'little').hex()}")


if __name__ == "__main__":
    main()
