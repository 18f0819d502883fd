# SPDX-License-Identifier: LGPL-2.1-or-later
# Writes what contrib/bench measured: text, Markdown, JSON.

import dataclasses
import json
import statistics

MIB = 1 << 20
GROUP_TITLES = {
    "save-hot": "Save, source in the page cache",
    "save-slow": "Save, slow peers, source in the page cache",
    "save-cold": "Save, source not in the page cache",
    "discard": "Save, giving the source back",
    "restore-hot": "Restore, image in the page cache",
    "restore-cold": "Restore, image not in the page cache",
    "scaling": "Save, one thread and two",
    "auto": "Save, source not in the page cache, level chosen",
    "estimate": "Save, source not in the page cache, after an estimate",
    "mount-save": "A guest saved by QEMU, flushed",
    "mount-load": "A guest loaded by QEMU, from a cold file",
    "mount-virsh": "virsh save",
}


def value_text(figure):
    if figure.value is None:
        return "-"
    return f"{figure.value:.3f} {figure.unit}".strip()


def range_text(figure):
    if figure.low is None:
        return ""
    return f"{figure.low:.2f}-{figure.high:.2f}"


def bound_text(figure):
    text = f"{figure.bound:g} {figure.unit}".strip()
    return f"at {'least' if figure.at_least else 'most'} {text}"


def mark(figure):
    return {True: "held", False: "MISSED", None: "not measured"}[
        figure.holds()]


def figure_rows(figures):
    return [[figure.name, value_text(figure), range_text(figure),
             bound_text(figure), mark(figure)] for figure in figures]


def sample_row(tool, samples, first):
    walls = [sample.wall for sample in samples]
    wall = statistics.median(walls)

    def median(field):
        return statistics.median(getattr(one, field) for one in samples)
    return [tool, f"{wall:.3f}", f"{min(walls):.3f}-{max(walls):.3f}",
            f"{wall / first:.2f}", f"{median('cpu'):.3f}",
            f"{median('peak') / MIB:.1f}", f"{median('size') / MIB:.1f}"]


def group_rows(tools):
    """Ratios are to the group's first tool."""
    first = statistics.median(
        sample.wall for sample in next(iter(tools.values())))
    return [sample_row(tool, samples, first)
            for tool, samples in tools.items()]


GROUP_HEAD = ["tool", "wall s", "range", "to first", "CPU s", "peak MiB",
              "size MiB"]


def limit_rows(results):
    """Throughput in MiB/s of pages that are not zero, and of the disk."""
    rows = []
    for name in results.limits:
        codec, _, key = name.rpartition(" ")
        if key.endswith("_wall"):
            rate = results.limit(f"{codec} kept") / results.limit(name) / MIB
            rows.append([f"{codec} {key[:-5]}", f"{rate:.0f}",
                         f"{results.limit(name[:-5] + '_cpu'):.3f}"])
        elif codec == "disk":
            rows.append([f"disk, O_DIRECT {key}",
                         f"{results.limit(name):.0f}", ""])
    return rows


def thread_rows(results, data_bytes):
    gib = data_bytes / (1 << 30)
    return [[role, f"{results.thread(role):.4f}",
             f"{1000 * results.thread(role) / gib:.1f}"]
            for role in results.threads]


def estimate_rows(results):
    samples = results.samples["estimate"]["iopress zstd:1"]
    return [[str(number),
             *(f"{found['seconds'][key]:.3f}"
               for key in ("value", "low", "high")),
             *(f"{found['image_size'][key] / MIB:.1f}"
               for key in ("value", "low", "high")),
             f"{sample.wall:.3f}", f"{sample.size / MIB:.1f}"]
            for number, (found, sample)
            in enumerate(zip(results.estimates, samples), 1)]


def sections(results, figures, data_bytes):
    """(title, head, rows) of every table, the figures first."""
    yield ("Figures", ["measure", "measured", "range", "target", ""],
           figure_rows(figures))
    for group, tools in results.samples.items():
        yield (GROUP_TITLES.get(group, group), GROUP_HEAD, group_rows(tools))
    if results.limits:
        yield ("Limits of this machine", ["what", "MiB/s", "CPU s"],
               limit_rows(results))
    if results.shares:
        yield ("Busy under -c auto", ["what", "share of the time"],
               [[name, f"{results.share(name):.2f}"]
                for name in results.shares])
    if results.estimates:
        yield ("Foretold by --estimate, zstd:1, source not in the page cache",
               ["round", "s", "low", "high", "MiB", "low", "high",
                "was s", "was MiB"], estimate_rows(results))
    if results.threads:
        yield ("Threads of save zstd:1, start excepted",
               ["thread", "CPU s", "ms a GiB of data"],
               thread_rows(results, data_bytes))


def text_table(head, rows):
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines)
              for column in range(len(head))]
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width)
                  for cell, width in zip(line[1:], widths[1:])]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "-" * (sum(widths) + 2 * len(widths) - 2)


def as_text(parts, facts, notes):
    lines = [f"{name}: {value}" for name, value in facts]
    for title, head, rows in parts:
        lines += ["", title, "", *text_table(head, rows)]
    lines += ["", *notes]
    return "\n".join(lines).rstrip() + "\n"


def as_markdown(parts, facts, notes, chart):
    lines = ["# iopress benchmark", ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    lines += ["", f"![ratios]({chart})"]
    for title, head, rows in parts:
        lines += ["", f"## {title}", "", "| " + " | ".join(head) + " |",
                  "| --- " + "| ---: " * (len(head) - 1) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += [""] + [f"- {note}" for note in notes]
    return "\n".join(lines).rstrip() + "\n"


def as_json(results, figures, facts):
    samples = {group: {tool: [dataclasses.asdict(sample)
                              for sample in list_of_samples]
                       for tool, list_of_samples in tools.items()}
               for group, tools in results.samples.items()}
    return json.dumps({
        "facts": dict(facts), "notes": results.notes,
        "figures": [dataclasses.asdict(figure) | {"holds": figure.holds()}
                    for figure in figures],
        "samples": samples, "limits": results.limits,
        "shares": results.shares, "threads": results.threads,
        "estimates": results.estimates,
        "mounted": results.mounted}, indent=1) + "\n"
