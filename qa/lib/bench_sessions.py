# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bench_sessions.sh measured, as a section of the report."""

import json
import statistics
from pathlib import Path
from typing import Any

MODES = {
    "crc": "crc (not encrypted)",
    "secure": "secure, AES-128-GCM",
    "otp": "secure, one-time pad",
}
TURNS = {
    "write": "writes, 16 at once",
    "read": "reads, 16 at once",
    "single": "writes, one at a time",
}
SHARES = 5  # a whole object each: to the primary, and from there to four more
MIB = 1 << 20


def rados_report(path: Path) -> Any:
    text = path.read_text()
    return json.loads(text[text.index("{") :])  # before it, rados bench says "hints = 1"


def turns(folder: Path, name: str, mode: str) -> list[float]:
    return [float(rados_report(path)["bandwidth"]) for path in sorted(folder.glob(f"sessions-{name}-{mode}-*.json"))]


def bandwidth_table(folder: Path) -> list[str]:
    lines = [f"| sessions | {' | '.join(f'{title} MB/s (turns)' for title in TURNS.values())} |"]
    lines.append("| --- |" + " --- |" * len(TURNS))
    medians: dict[tuple[str, str], float] = {}
    for mode, title in MODES.items():
        cells: list[str] = []
        for name in TURNS:
            values = turns(folder, name, mode)
            medians[mode, name] = statistics.median(values)
            cells.append(f"{medians[mode, name]:.0f} ({', '.join(f'{value:.0f}' for value in values)})")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    for peer in ("secure", "crc"):
        ratios = (f"{medians['otp', name] / medians[peer, name]:.2f}" for name in TURNS)
        lines.append(f"| one-time pad / {peer} | {' | '.join(ratios)} |")
    return lines


def set_up_line(folder: Path) -> str:
    median: dict[str, float] = {}
    for mode in MODES:
        median[mode] = statistics.median(float(line) for line in (folder / f"set-up-{mode}.txt").read_text().split())
    return (
        "- Time from connecting a new client until an OSD has answered it (sessions with a monitor and an OSD): "
        + ", ".join(f"{median[mode]:.1f} ms {mode}" for mode in MODES)
        + f"; one-time pad costs {median['otp'] - median['secure']:.1f} ms more than AES-128-GCM."
    )


def pad_lines(folder: Path) -> list[str]:
    written = [
        int(rados_report(path)["total_writes_made"]) * 4 * MIB * SHARES
        for path in sorted(folder.glob("sessions-write-otp-*.json"))
    ]
    used = [int(path.read_text().split()[0]) for path in sorted(folder.glob("pad-write-*.txt"))]
    burnt = [int(path.read_text().split()[1]) for path in sorted(folder.glob("pad-write-*.txt"))]
    small = {name: int((folder / f"small-{name}.txt").read_text()) for name in ("sessions", "starved")}
    idle = {name: int((folder / f"idle-{name}.txt").read_text()) for name in ("default", "sparing")}
    ratio = statistics.median(u / w for u, w in zip(used, written))
    return [
        f"- Pad used for each byte written, 4 MiB objects, 3 of 5: {ratio:.4f} x ideal, which is five times the byte: "
        "once to the primary and once to each of four other shareholders.",
        f"- Burnt in such a turn: {statistics.median(burnt) / MIB:.1f} MiB, mostly what the client had fetched ahead when it "
        "left. It does not grow with what is written.",
        f"- Pad for an object of 4 KiB: {small['sessions']} bytes with t=3 n=5 stripe_unit=64K; {small['starved']} bytes with "
        "t=2 n=3 stripe_unit=4K, the profile for links that are short of key.",
        f"- Idle, six OSDs, a monitor, a manager: {idle['default'] / MIB:.1f} MiB an hour on all 42 links together; "
        f"{idle['sparing'] / MIB:.1f} MiB with osd_heartbeat_interval=20 osd_heartbeat_grace=60 mgr_stats_period=60.",
    ]


def provider_lines(folder: Path) -> list[str]:
    ours, aes = json.loads((folder / "otp.json").read_text())["results"]
    return [
        f"- The provider alone, records of 64 KiB, one thread, 256 MiB of cold pad: {ours['median']:.2f} GB/s, "
        f"{aes['ratio']:.2f} x AES-128-GCM of OpenSSL."
    ]


def sessions_section(folder: Path) -> list[str]:
    if not list(folder.glob("sessions-write-otp-*.json")):
        return []
    lines = ["## Sessions: rados bench, ssn 3 of 5, 4 MiB objects", ""] + bandwidth_table(folder)
    lines += [
        "",
        "Before each turn came 16 objects that are not counted, and then pad was loaded; no key came while it ran. This one "
        "machine carries the daemons, all seven trusted nodes' proxies and the client.",
        "",
    ]
    return lines + [set_up_line(folder)] + pad_lines(folder) + provider_lines(folder) + [""]
