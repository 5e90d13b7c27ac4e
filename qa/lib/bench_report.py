#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Renders the JSON that qa/bench collected into report.md and two plots.

usage: bench_report.py FOLDER
"""

import json
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib  # type: ignore[import]

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "ssn"  # the same figures give the same file
import matplotlib.pyplot as plt  # type: ignore[import]  # noqa: E402

from bench_sessions import rados_report, sessions_section  # noqa: E402

POOLS = {
    "ssn": "ssn, shamir 3 of 5",
    "donothing": "do-nothing plugin, 3 of 5",
    "isa": "isa, k=3 m=2",
    "replicated": "replicated, size 5",
}
Json = dict[str, Any]


def load(folder: Path, name: str) -> Json | None:
    path = folder / name
    return json.loads(path.read_text()) if path.exists() else None


def machine() -> str:
    def first(pattern: str, text: str) -> str:
        found = re.search(pattern, text, re.M)
        return found.group(1).strip() if found else "unknown"

    cpu = first(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.M))
    memory = int(first(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())) // (1 << 20)
    ceph = subprocess.run(["ceph", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    isal = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libisal2"], capture_output=True, text=True, check=False
    ).stdout
    return f"{cpu}, {cores} cores, {memory} GiB; Linux {platform.release()}; Ceph {ceph}; ISA-L {isal or 'unknown'}"


def size_text(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def library_section(folder: Path) -> list[str]:
    """One row for each operation, scheme and size: our median and the ratio to every peer."""
    lines: list[str] = []
    for workload in ("split", "combine", "rebuild"):
        reports: list[tuple[str, int, Json]] = []
        for path in folder.glob(f"{workload}-*.json"):
            _, scheme, length = path.stem.split("-")
            reports.append((scheme, int(length), json.loads(path.read_text())))
        if not reports:
            continue
        lines += [f"### {workload}, 3 of 5, one thread", ""]
        lines += ["| scheme | secret | ssn GB/s (min .. max) | ratio to peers | extra memory |", "| --- | --- | --- | --- | --- |"]
        for scheme, size, report in sorted(reports, key=lambda entry: entry[:2]):
            own = report["results"][0]
            ratios = ", ".join(f"{peer['ratio']:.2f} x {peer['name']}" for peer in report["results"][1:])
            memory = report.get("extra_memory_bytes")
            lines.append(
                f"| {scheme} | {size_text(size)} | {own['median']:.2f} ({own['min']:.2f} .. {own['max']:.2f}) "
                f"| {ratios or '-'} | {'-' if memory is None else f'{memory / 1024:.0f} KiB'} |"
            )
        lines.append("")
    return lines


def plugin_section(folder: Path) -> list[str]:
    lines: list[str] = []
    for workload in ("encode", "decode"):
        report = load(folder, f"plugin-{workload}.json")
        if report is None:
            continue
        lines += [f"### plugins in one process: {workload} of 64 KiB", "", "| plugin | GB/s | ssn / this |", "| --- | --- | --- |"]
        lines += [f"| {r['name']} {r['note']} | {r['median']:.2f} | {r['ratio']:.2f} |" for r in report["results"]]
        lines.append("")
    return lines


def bandwidths(folder: Path, direction: str, pool: str) -> list[float]:
    """MB/s of every turn, from the summary `rados bench` ends with."""
    return [float(rados_report(path)["bandwidth"]) for path in sorted(folder.glob(f"rados-{direction}-{pool}-*.json"))]


def cluster_section(folder: Path) -> list[str]:
    medians: dict[str, dict[str, float]] = {}
    lines = ["| pool | writes MB/s (turns) | reads MB/s (turns) |", "| --- | --- | --- |"]
    for pool, title in POOLS.items():
        turns = {direction: bandwidths(folder, direction, pool) for direction in ("write", "read")}
        if not turns["write"]:
            return []
        medians[pool] = {direction: statistics.median(values) for direction, values in turns.items()}
        cells = [
            f"{medians[pool][direction]:.0f} ({', '.join(f'{v:.0f}' for v in turns[direction])})"
            for direction in ("write", "read")
        ]
        lines.append(f"| {title} | {cells[0]} | {cells[1]} |")
    plot(folder, medians)

    def ratio(direction: str, peer: str) -> str:
        return f"{medians['ssn'][direction] / medians[peer][direction]:.2f}"

    lines += [
        "",
        "| ssn / peer, medians | writes | reads |",
        "| --- | --- | --- |",
        *(f"| {POOLS[peer]} | {ratio('write', peer)} | {ratio('read', peer)} |" for peer in POOLS if peer != "ssn"),
        "",
        "![bandwidth of the pools](rados.svg)",
        "",
        "A read of ssn or of the do-nothing plugin moves three times the bytes that a read of isa moves: three whole "
        "shares against three thirds. The do-nothing plugin copies and does no arithmetic: it shows what Ceph's "
        "erasure path itself costs at this shape.",
        "",
    ]
    return lines


def plot(folder: Path, medians: dict[str, dict[str, float]]) -> None:
    figure, axes = plt.subplots(figsize=(7.5, 3.2))
    positions = range(len(medians))
    for shift, direction, colour in ((-0.2, "write", "#4c72b0"), (0.2, "read", "#dd8452")):
        bars = axes.bar(
            [p + shift for p in positions], [m[direction] for m in medians.values()], 0.38, label=direction, color=colour
        )
        axes.bar_label(bars, fmt="%.0f", fontsize=8)
    axes.set_xticks(list(positions), [POOLS[pool].replace(", ", "\n") for pool in medians])
    axes.set_ylabel("MB/s")
    axes.set_title("rados bench, 4 MiB objects, 16 at once")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "rados.svg", metadata={"Date": None})


def plot_library(folder: Path) -> bool:
    """Split speed of ssn and its peers over the size of the secret."""
    series: dict[str, dict[int, float]] = {}
    for scheme in ("shamir", "xor"):
        for path in folder.glob(f"split-{scheme}-*.json"):
            size = int(path.stem.split("-")[2])
            for entry in json.loads(path.read_text())["results"]:
                own = entry["name"] == "ssn"
                if own or (scheme == "shamir" and entry["name"] != "memcpy"):
                    series.setdefault(f"ssn {scheme}" if own else entry["name"], {})[size] = entry["median"]
    if not series:
        return False
    figure, axes = plt.subplots(figsize=(7.5, 3.2))
    for name, points in series.items():
        sizes = sorted(points)
        axes.plot(sizes, [points[s] for s in sizes], marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks([4096, 65536, 4194304], ["4 KiB", "64 KiB", "4 MiB"])
    axes.set_ylabel("GB/s of secret")
    axes.set_title("split 3 of 5, randomness included")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(folder / "split.svg", metadata={"Date": None})
    return True


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    lines = ["# ssn benchmark", "", machine(), "", "Figures are medians; ratios are ours / peer, measured in one run.", ""]
    library = library_section(folder) + plugin_section(folder)
    if library:
        lines += ["## Library", ""] + library
        if plot_library(folder):
            lines += ["![split speed over size](split.svg)", ""]
    cluster = cluster_section(folder)
    if cluster:
        lines += ["## Pools: rados bench, 4 MiB objects", ""] + cluster
    lines += sessions_section(folder)
    (folder / "report.md").write_text("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
