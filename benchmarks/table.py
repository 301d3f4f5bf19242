"""The one table: every figure of a run, as text that is also a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.command import HEIGHT, WIDTH, Command
from benchmarks.door import Door
from benchmarks.encoding import Encoding
from benchmarks.engines import Comparison, Performance
from benchmarks.growth import Growth
from benchmarks.machine import Machine
from benchmarks.promises import Row, growth_rows, quality_rows, receipt_rows
from benchmarks.quality import Quality
from benchmarks.receipts import Receipts

HEAD = ("Measurement", "Enlarger", "beside it", "ratio")
"""The ratio is the third column over the second: above 1 where Enlarger needs less."""
MIB = 2**20


@dataclass(frozen=True)
class Figures:
    """Everything that one run measured."""

    machine: Machine
    engines: tuple[Comparison, ...]
    encoding: Encoding
    quality: Quality
    growth: tuple[Growth, ...]
    receipts: Receipts
    door: Door
    command: Command
    wall_s: float
    """Of the whole run."""
    others_share: float
    """Of the processors' time until the server was started, what other programs took."""


def render(figures: Figures) -> str:
    """A title line and the table."""
    machine = figures.machine
    packages = ", ".join(f"{name} {version(name)}" for name in ("enlarger", "openvino", "ncnn"))
    title = (
        f"{machine.processor}, {machine.threads} threads; {packages};"
        f" {figures.wall_s:.0f} s, other programs took {100 * figures.others_share:.0f} % of the processors"
    )
    rows = [HEAD, *_rows(figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join(["", "-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:]), ""])
    return "\n".join([title, "", lines[0], rule, *lines[1:]])


def _line(row: Row, widths: list[int]) -> str:
    first, *others = row
    cells = [first.ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return f"| {' | '.join(cells)} |"


def _rows(figures: Figures) -> Iterator[Row]:
    for precision, gflops in figures.machine.gflops.items():
        yield f"the machine's matrix rate, {precision}", f"{gflops:.0f} GFLOP/s", "", ""
    for comparison in figures.engines:
        yield from _engine_rows(comparison, figures.machine)
    yield from _encoding_rows(figures.encoding)
    yield from quality_rows(figures.quality)
    yield from growth_rows(figures.growth)
    yield from receipt_rows(figures.receipts)
    yield from _door_rows(figures.door)
    command = figures.command
    what = f"enlarger up {WIDTH}x{HEIGHT} to {4 * WIDTH}x{4 * HEIGHT}"
    yield f"{what}: time", _time(command.wall_s), "", ""
    yield f"{what}: peak memory, all processes", _memory(command.tree_peak_bytes), "", ""
    yield f"{what}: peak memory, one process", _memory(command.process_peak_bytes), "", ""


def _engine_rows(comparison: Comparison, machine: Machine) -> Iterator[Row]:
    case, ours, ncnn = comparison.case, comparison.ours, comparison.ncnn
    what = f"{case.network} {case.side_px}x{case.side_px}"
    fastest, ceiling = next(iter(machine.gflops.items()))

    def share(performance: Performance) -> str:
        return f"{100 * performance.gflops / ceiling:.0f} %"

    yield (
        f"{what}: time",
        f"{_time(ours.median_s)} {ours.precision}",
        f"ncnn {_time(ncnn.median_s)} {ncnn.precision}",
        f"{comparison.time_ratio:.2f}",
    )
    yield f"{what}: rate", f"{ours.gflops:.0f} GFLOP/s", f"ncnn {ncnn.gflops:.0f} GFLOP/s", ""
    yield f"{what}: share of the {fastest} matrix rate", share(ours), f"ncnn {share(ncnn)}", ""
    yield (
        f"{what}: peak memory",
        _memory(ours.peak_bytes),
        f"ncnn {_memory(ncnn.peak_bytes)}",
        f"{comparison.memory_ratio:.2f}",
    )


def _encoding_rows(encoding: Encoding) -> Iterator[Row]:
    what = "fast 512x512"
    yield f"{what}: engine", _time(encoding.engine_s), "", ""
    yield (
        f"{what}: PNG encode",
        _time(encoding.encode_s),
        f"Pillow {_time(encoding.pillow_s)}",
        f"{encoding.pillow_s / encoding.encode_s:.2f}",
    )
    yield (
        f"{what}: PNG size",
        _memory(encoding.encode_bytes),
        f"Pillow {_memory(encoding.pillow_bytes)}",
        f"{encoding.pillow_bytes / encoding.encode_bytes:.2f}",
    )
    pillow_share = encoding.pillow_s / (encoding.engine_s + encoding.pillow_s)
    yield (
        f"{what}: encode's share of engine and encode",
        f"{100 * encoding.encode_share:.1f} %",
        f"Pillow {100 * pillow_share:.1f} %",
        "",
    )
    yield (
        f"{what} from file to file, warm: all but the engine (promise: at most 25 %)",
        f"{100 * encoding.files_share:.1f} %",
        "",
        "",
    )


def _door_rows(door: Door) -> Iterator[Row]:
    what = "POST fast 512x512"
    yield f"{what}: p50", _time(door.request_s), f"bare {_time(door.bare_s)}", ""
    yield f"{what}: p50 over bare p50 (aim: at most 1.2)", f"{door.ratio:.2f}", "", ""
    yield f"{what}: beyond engine and encode (aim: at most 60 ms)", _time(door.overhead_s), "", ""
    yield "1min.ai's request of the same: beyond engine and encode", _time(door.by_link_s), "", ""
    yield f"{what}: ... until the work begins", _time(door.queued_s), "", ""
    yield f"{what}: ... around the work", _time(door.handled_s), "", ""
    yield f"{what}: ... in and out over HTTP", _time(door.delivered_s), "", ""


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _memory(count: int) -> str:
    return f"{count / MIB:.1f} MiB" if count < 100 * MIB else f"{count / MIB:.0f} MiB"
