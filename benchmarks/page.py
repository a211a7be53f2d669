"""The page docs/speed.md and its picture, from what the benchmarks printed (docs/speed.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from turns import Row

NOT_YET = "Not measured yet."
_HEAD = """# Speed

Written by `python benchmarks/all.py` from [speed.json](speed.json); each section says what it was
measured on. Ways take turns, and medians are compared: only ratios within one section mean
something, as machines and their other work differ. Where a second number is given by time of the
processor, it is the steadier one on a shared machine.
"""


class Section(NamedTuple):
    """One benchmark: its script, its title on the page, and what its columns do not say."""

    name: str
    title: str
    about: str
    tiny: bool = True  # whether it has a tiny size


SECTIONS = (
    Section("start", "Start", "Whole commands, compiled programs in the cache."),
    Section("peers", "A step of a population, and its peers",
            "The workload and the peers are in `benchmarks/peer_*.py`."),
    Section("step", "Cost by the number of agents", "A headless step, every step recorded."),
    Section("spent", "What a step is spent on",
            "Least bytes: all claims read, the columns of who lives and dies read and written; the "
            "roofline is the time these take at the bandwidth of a sum."),
    Section("worlds", "Parts of a scenario", "The same numbers of agents, niches and deaths."),
    Section("many", "Many small runs", "Replicates of small populations against one large one."),
    Section("memory", "Memory", "Peak beyond that of an empty run, over the bytes of the state."),
    Section("mesa_front", "Through Mesa", "Over the headless run of the same size."),
    Section("many_niches", "Many niches", "Seconds of a step; 8 niches at most an agent: sparse.",
            tiny=False),
    Section("training", "Learners", "Learners trained a second.", tiny=False),
    Section("sweep", "Sweeps as commands", "Runs per second, processes started and files written.",
            tiny=False),
)  # fmt: skip
Results = dict[str, list[Row]]


def parsed(text: str) -> list[Row]:
    """Return the JSON objects that a benchmark printed one after the other."""
    rows, decoder, place = [], json.JSONDecoder(), 0
    while place < len(text.rstrip()):
        row, place = decoder.raw_decode(text, len(text) - len(text[place:].lstrip()))
        rows.append(row)
    return rows


def kept(folder: Path) -> Results:
    """Return what was measured before, by section; nothing where there is no file."""
    path = folder / "speed.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(results: Results, folder: Path) -> None:
    """Write speed.json, speed.md and images/speed.svg into a folder."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1)
    (folder / "speed.json").write_text(text + "\n", encoding="utf-8")
    parts = [_HEAD, *(_section(section, results.get(section.name)) for section in SECTIONS)]
    (folder / "speed.md").write_text("\n".join(parts), encoding="utf-8")
    _draw([row for row in results.get("peers", []) if "agent_steps_per_s" in row], folder)


def _section(section: Section, rows: list[Row] | None) -> str:
    head = [
        f"## {section.title}",
        "",
        f"`python benchmarks/{section.name}.py`. {section.about}",
        "",
    ]
    if rows is None:
        return "\n".join([*head, NOT_YET, ""])
    notes = [row for row in rows if "machine" in row or "skipped" in row]
    told = [f"- {_note(row)}" for row in notes]
    lines = [*head, *told, *([""] if told else []), *_table([r for r in rows if r not in notes])]
    if section.name == "peers":
        lines += ["", "![agents against agent-steps per second](images/speed.svg)"]
    return "\n".join([*lines, ""])


def _note(row: Row) -> str:
    if "skipped" in row:
        where = f"{row['way']}, {row['agents']:,} agents" if "agents" in row else f"{row['way']}"
        return f"{where}: {row['skipped']}"
    rounds = f"; {row['rounds']} rounds" if "rounds" in row else ""
    return f"{row['machine']}{rounds}"


def _table(rows: list[Row]) -> list[str]:
    """Return a table of rows; one row alone stands upright."""
    if len(rows) == 1:
        cells = [[key, value] for key, value in rows[0].items()]
        return _lines(["", ""], cells)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return _lines(names, [[row.get(name) for name in names] for row in rows])


def _lines(names: list[str], cells: list[list[Any]]) -> list[str]:
    head = " | ".join(name.replace("_", " ") for name in names)
    lines = [f"| {head} |", "|" + "---|" * len(names)]
    return [*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in cells)]


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_cell(item)}" for name, item in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e3 else f"{value:.3g}"
    return "" if value is None else str(value)


def _draw(rows: list[Any], folder: Path) -> None:
    """Draw agents against agent-steps a second, both logarithmic, a line a way."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"svg.hashsalt": "ecosim"}):
        figure, both = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained", sharey=True)
        kinds = {"agent_steps_per_s": "of the clock", "agent_steps_per_cpu_s": "of the processor"}
        for axes, (key, title) in zip(both, kinds.items(), strict=True):
            for name in dict.fromkeys(row["way"] for row in rows):
                own = [row for row in rows if row["way"] == name]
                x, y = [row["agents"] for row in own], [row[key] for row in own]
                axes.loglog(x, y, marker="o", label=name)
            axes.set(xlabel="agents", title=f"per second {title}")
        both[0].set(ylabel="agent-steps per second")
        if rows:
            handles, names = both[1].get_legend_handles_labels()
            figure.legend(handles, names, fontsize="small", loc="outside right center")
        figure.savefig(folder / "images" / "speed.svg", metadata={"Date": None})
        plt.close(figure)
