#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""object_model.py - does operations on the objects of a pool and on a plain model of them in memory; after every
operation both must agree, also about what is refused.

usage: object_model.py POOL TEST [SEED]     TEST: a function below with the decorator @test

The cluster is the one that $CEPH_CONF names. Exit code: 0 they agree, 1 they do not, 2 wrong usage.
"""

import errno
import json
import os
import random
import sys
from typing import Any, Callable, Dict, List, Optional, Set

import rados  # type: ignore[import]

TESTS: Dict[str, Callable[["Pool"], None]] = {}


def test(function: Callable[["Pool"], None]) -> Callable[["Pool"], None]:
    TESTS[function.__name__] = function
    return function


class Object:
    """What the model knows of one object."""

    def __init__(self, data: bytes = b"", xattrs: Optional[Dict[str, bytes]] = None) -> None:
        self.data = data
        self.xattrs = dict(xattrs or {})

    def copy(self) -> "Object":
        return Object(self.data, self.xattrs)


class Pool:
    """One pool and its model. Every method does one operation on both and compares what came of it."""

    def __init__(self, cluster: rados.Rados, name: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.io = cluster.open_ioctx(name)
        question = {"prefix": "osd pool ls", "detail": "detail", "format": "json"}
        code, out, _ = cluster.mon_command(json.dumps(question), b"")
        assert code == 0
        (pool,) = (p for p in json.loads(out) if p["pool_name"] == name)
        self.stripe: int = pool["stripe_width"]
        self.overwrites = "ec_overwrites" in pool["flags_names"]
        self.objects: Dict[str, Object] = {}
        self.snapshots: Dict[str, Dict[str, Object]] = {}
        self.in_snapshots: Set[str] = set()  # objects that were ever in one

    def noise(self, length: int) -> bytes:
        return self.random.randbytes(length)

    def size(self, name: str) -> int:
        return len(self.objects[name].data) if name in self.objects else 0

    def write_full(self, name: str, data: bytes) -> None:
        self.io.write_full(name, data)
        self._have(name).data = data
        self.check(name)

    def append(self, name: str, data: bytes) -> None:
        """Without overwrites Ceph takes appends at whole stripes only; there the last one may be short."""
        if self.overwrites or self.size(name) % self.stripe == 0:
            self.io.append(name, data)
            self._have(name).data += data
        else:
            self._refused(lambda: self.io.append(name, data))
        self.check(name)

    def write(self, name: str, offset: int, data: bytes) -> None:
        at_end = offset == self.size(name) and offset % self.stripe == 0
        if self.overwrites or at_end:
            self.io.write(name, data, offset)
            self._have(name).data = splice(self._have(name).data, offset, data)
        else:
            self._refused(lambda: self.io.write(name, data, offset))
        self.check(name)

    def truncate(self, name: str, size: int) -> None:
        if self.overwrites:
            self.io.trunc(name, size)
            self._have(name).data = self.objects[name].data[:size].ljust(size, b"\0")
        else:
            self._refused(lambda: self.io.trunc(name, size))
        self.check(name)

    def zero(self, name: str, offset: int, length: int) -> None:
        """REQUIRES: offset is within the object."""
        with rados.WriteOpCtx() as operation:
            # python3-rados 16.2.15 hands the two to librados in the other order; and an OSD of that version aborts
            # when it is asked to zero no bytes at all.
            assert length > 0
            operation.zero(length, offset)
            if self.overwrites:
                self.io.operate_write_op(operation, name)
                old = self.objects[name].data
                # Ceph makes a truncate of a zero that reaches the end.
                at_end = offset + length >= len(old)
                self._have(name).data = old[:offset] if at_end else splice(old, offset, bytes(length))
            else:
                self._refused(lambda: self.io.operate_write_op(operation, name))
        self.check(name)

    def set_xattr(self, name: str, key: str, value: bytes) -> None:
        self.io.set_xattr(name, key, value)
        self._have(name).xattrs[key] = value
        self.check(name)

    def remove_xattr(self, name: str, key: str) -> None:
        self.io.rm_xattr(name, key)
        self.objects[name].xattrs.pop(key)
        self.check(name)

    def remove(self, name: str) -> None:
        self.io.remove_object(name)
        self.objects.pop(name)
        self.check(name)

    def snapshot(self, snapshot: str) -> None:
        self.io.create_snap(snapshot)
        self.snapshots[snapshot] = {name: thing.copy() for name, thing in self.objects.items()}
        self.in_snapshots |= set(self.objects)

    def remove_snapshot(self, snapshot: str) -> None:
        self.io.remove_snap(snapshot)
        self.snapshots.pop(snapshot)

    def rollback(self, name: str, snapshot: str) -> None:
        self.io.snap_rollback(name, snapshot)
        old = self.snapshots[snapshot].get(name)
        self.objects.pop(name, None)
        if old is not None:
            self.objects[name] = old.copy()
        self.check(name)

    def check(self, name: str) -> None:
        self._compare(name, self.objects.get(name), "now")

    def check_range(self, name: str, offset: int, length: int) -> None:
        found = self.io.read(name, length, offset)
        same(found, self.objects[name].data[offset : offset + length], f"{name} {offset}+{length}")

    def check_snapshot(self, snapshot: str) -> None:
        self.io.set_read(self.io.lookup_snap(snapshot).snap_id)
        try:
            for name in set(self.objects) | set(self.snapshots[snapshot]):
                self._compare(name, self.snapshots[snapshot].get(name), snapshot)
        finally:
            self.io.set_read(rados.LIBRADOS_SNAP_HEAD)

    def check_everything(self) -> None:
        for name in list(self.objects):
            self.check(name)
        for snapshot in self.snapshots:
            self.check_snapshot(snapshot)
        listed = {thing.key for thing in self.io.list_objects()}
        # Ceph lists a removed object as long as a snapshot has it, and a while longer.
        same(listed - self.in_snapshots, set(self.objects) - self.in_snapshots, "the list of objects")
        same(set(self.objects) - listed, set(), "objects missing in the list")

    def clear(self) -> None:
        self.check_everything()
        for name in list(self.objects):
            self.remove(name)
        for snapshot in list(self.snapshots):
            self.remove_snapshot(snapshot)

    def _have(self, name: str) -> Object:
        return self.objects.setdefault(name, Object())

    def _compare(self, name: str, expected: Optional[Object], when: str) -> None:
        try:
            size, _ = self.io.stat(name)
            data = self.io.read(name, size + self.stripe)
            xattrs = dict(self.io.get_xattrs(name))
        except rados.ObjectNotFound:
            same(None, expected, f"{name} {when}: is not there")
            return
        assert expected is not None, f"{name} {when}: is there, but should not be"
        same(size, len(expected.data), f"{name} {when}: size")
        same(data, expected.data, f"{name} {when}: content")
        same(xattrs, expected.xattrs, f"{name} {when}: xattrs")

    def _refused(self, operation: Callable[[], Any]) -> None:
        try:
            operation()
        except rados.Error as error:
            same(error.errno, errno.EOPNOTSUPP, "error code")
            return
        raise AssertionError("Ceph took an operation that this pool cannot do")


def splice(data: bytes, offset: int, part: bytes) -> bytes:
    return data[:offset].ljust(offset, b"\0") + part + data[offset + len(part) :]


def same(found: object, expected: object, what: str) -> None:
    if found == expected:
        return
    if isinstance(found, bytes) and isinstance(expected, bytes):
        at = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
        raise AssertionError(f"{what}: {len(found)} bytes, expected {len(expected)}; they differ from byte {at} on")
    raise AssertionError(f"{what}: {found!r}, expected {expected!r}")



def sizes(pool: Pool) -> List[int]:
    s = pool.stripe
    return [0, 1, s - 1, s, s + 1, 3 * s + 17]


@test
def write_full(pool: Pool) -> None:
    """New objects of every size, then every size over every other."""
    for size in sizes(pool):
        pool.write_full(f"size-{size}", pool.noise(size))
        for other in sizes(pool):
            pool.write_full("replaced", pool.noise(size))
            pool.write_full("replaced", pool.noise(other))


@test
def append(pool: Pool) -> None:
    s = pool.stripe
    for size in sizes(pool)[1:]:
        name = f"appended-{size}"
        for length in (size, s, 2 * s, 5, s):
            pool.append(name, pool.noise(length))
    pool.write_full("empty", b"")
    pool.append("empty", pool.noise(2 * s))


@test
def write_part(pool: Pool) -> None:
    s = pool.stripe
    pool.write_full("whole", pool.noise(4 * s + 1000))
    for offset, length in ((0, 1), (4095, 2), (s - 1, 2), (17, s), (s + 1, 2 * s - 2), (4 * s + 999, 1), (0, s), (s, s)):
        pool.write("whole", offset, pool.noise(length))
        pool.check_range("whole", max(0, offset - 3), length + 6)
    # Over the end, at the end, and leaving a hole behind it.
    pool.write("whole", 4 * s + 900, pool.noise(s))
    pool.write("whole", pool.size("whole"), pool.noise(77))
    pool.write("whole", pool.size("whole") + 2 * s + 5, pool.noise(3))
    pool.write("made by a write", 0, pool.noise(s // 2))


@test
def truncate_and_zero(pool: Pool) -> None:
    s = pool.stripe
    pool.write_full("cut", pool.noise(4 * s + 1))
    for size in (4 * s, 3 * s + 1, 2 * s - 1, 2 * s, 5 * s + 3, 1, s, 0, 3):
        pool.truncate("cut", size)
    pool.write_full("cut", pool.noise(4 * s))
    for offset, length in ((0, 1), (5, s), (s - 1, 2), (s, 2 * s), (0, 4 * s)):
        pool.zero("cut", offset, length)


@test
def xattrs_and_remove(pool: Pool) -> None:
    pool.write_full("tagged", pool.noise(pool.stripe + 1))
    pool.set_xattr("tagged", "empty", b"")
    for length in (1, 255, 4096):
        pool.set_xattr("tagged", f"of {length}", pool.noise(length))
    pool.set_xattr("tagged", "of 1", b"another")
    pool.append("tagged", pool.noise(9))
    pool.write_full("tagged", pool.noise(7))
    pool.remove_xattr("tagged", "of 255")
    pool.set_xattr("made by an xattr", "key", b"value")
    pool.remove("tagged")
    pool.write_full("tagged", pool.noise(3))


@test
def snapshots(pool: Pool) -> None:
    s = pool.stripe
    for name in ("kept", "replaced", "changed", "removed"):
        pool.write_full(name, pool.noise(2 * s))
        pool.set_xattr(name, "name", name.encode())
    pool.snapshot("first")
    pool.write_full("replaced", pool.noise(s + 1))
    pool.write("changed", s // 2, pool.noise(s))
    pool.append("changed", pool.noise(s))
    pool.remove("removed")
    pool.write_full("new", pool.noise(5))
    pool.snapshot("second")
    pool.write_full("changed", b"")
    pool.write_full("removed", pool.noise(s))
    for name in ("kept", "replaced", "changed", "removed", "new"):
        pool.check_snapshot("first")
        pool.check_snapshot("second")
        pool.rollback(name, "first")
    pool.append("changed", pool.noise(s))
    pool.remove_snapshot("first")
    pool.rollback("new", "second")
    pool.check_everything()


@test
def random_operations(pool: Pool) -> None:
    """150 operations drawn from the seed; the snapshots are compared now and then and at the end."""
    rng = pool.random
    names = [f"object-{i}" for i in range(5)]
    for step in range(150):
        name = rng.choice(names)
        size = pool.size(name)
        offset = rng.choice([0, size, rng.randint(0, size + pool.stripe), size // pool.stripe * pool.stripe])
        length = rng.choice([1, rng.randint(1, 3 * pool.stripe), pool.stripe])
        kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        print(step, kind, name, size, offset, length, flush=True)
        if kind == "write_full":
            pool.write_full(name, pool.noise(rng.choice([0, length, 2 * pool.stripe])))
        elif kind == "append":
            pool.append(name, pool.noise(length))
        elif kind == "write":
            pool.write(name, offset, pool.noise(length))
        elif kind == "set_xattr":
            pool.set_xattr(name, rng.choice("abc"), pool.noise(rng.randint(0, 300)))
        elif kind == "snapshot" and len(pool.snapshots) < 3:
            pool.snapshot(f"at-{step}")
        elif kind == "remove_snapshot" and pool.snapshots:
            pool.remove_snapshot(rng.choice(list(pool.snapshots)))
        elif kind == "check_snapshot" and pool.snapshots:
            pool.check_snapshot(rng.choice(list(pool.snapshots)))
        elif kind == "rollback" and pool.snapshots:
            snapshot = rng.choice(list(pool.snapshots))
            if name in pool.snapshots[snapshot] or name in pool.objects:
                pool.rollback(name, snapshot)
        elif name in pool.objects and size > 0:
            if kind == "truncate":
                pool.truncate(name, offset)
            elif kind == "zero":
                start = rng.randrange(size)
                pool.zero(name, start, rng.randint(1, size - start))
            elif kind == "read":
                pool.check_range(name, rng.randrange(size), length)
            elif kind == "remove":
                pool.remove(name)


WEIGHTS = {
    "write_full": 20,
    "append": 20,
    "write": 35,
    "truncate": 10,
    "zero": 8,
    "read": 15,
    "set_xattr": 8,
    "remove": 6,
    "snapshot": 3,
    "remove_snapshot": 2,
    "check_snapshot": 3,
    "rollback": 6,
}


def main() -> int:
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in TESTS:
        print(__doc__, file=sys.stderr)
        return 2
    pool_name, name = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) == 4 else random.SystemRandom().randrange(1 << 32)
    print(f"object_model.py {pool_name} {name} {seed}", flush=True)
    # An operation that hangs, as when OSDs are gone, fails.
    limits = {"rados_osd_op_timeout": "60", "rados_mon_op_timeout": "60"}
    with rados.Rados(conffile=os.environ["CEPH_CONF"], conf=limits) as cluster:
        pool = Pool(cluster, pool_name, seed)
        pool.io.set_namespace(name)  # what a failed test leaves is not seen by the next
        try:
            TESTS[name](pool)
            pool.clear()
        except (AssertionError, rados.Error) as error:
            print(f"{pool_name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
