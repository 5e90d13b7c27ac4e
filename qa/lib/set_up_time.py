#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the milliseconds from connecting to a cluster to the answer of an OSD: sessions with a monitor and an OSD.

usage: set_up_time.py POOL OBJECT
"""

import os
import sys
import time

import rados  # type: ignore[import]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    cluster = rados.Rados(conffile=os.environ["CEPH_CONF"])
    begin = time.monotonic()
    cluster.connect(timeout=30)
    with cluster.open_ioctx(sys.argv[1]) as pool:
        pool.stat(sys.argv[2])
        print(f"{(time.monotonic() - begin) * 1000:.2f}")
    cluster.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
