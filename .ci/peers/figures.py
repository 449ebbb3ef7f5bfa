"""The ratios of one run or several, and those that docs/measurements.md states: `figures.py RUNS.txt`
compares them, `figures.py --write RUNS.txt` writes them.

Times are noisy, so the comparison is loose; .ci/instructions/run is the strict guard.
"""
import re
import statistics
import sys

PAGE = "docs/measurements.md"
# How many times as bad as stated a busy machine may look.
TOLERANCE = 2.0

# Name, how a run prints it, and whether more is better.
FIGURES = {
    "uniform": (r"^full job, uniform: .*, ([\d.]+) times its MD5", False),
    "mixed": (r"^full job, mixed: .*, ([\d.]+) times its MD5", False),
    "python": (r"^python with .*: 1 to ([\d.]+) ", True),
    "node": (r"^node with .*: 1 to ([\d.]+) ", True),
}
# The page's rows. Their figures are in the order of the names.
ROWS = [
    (re.compile(r"(\| full job[^|]*\| )([\d.]+)( times one MD5 [^|]*, )([\d.]+)( on mixed [^|]*\|)"), "uniform", "mixed"),
    (re.compile(r"(\| the same event[^|]*\| )([\d.]+)( times as long in Python, )([\d.]+)( in Node[^|]*\|)"), "python", "node"),
]


def main(arguments):
    write = arguments[0] == "--write"
    with open(arguments[-1], encoding="utf-8") as file:
        runs = file.read()
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    measured = {}
    for name, (pattern, _) in FIGURES.items():
        found = [float(figure) for figure in re.findall(pattern, runs, re.MULTILINE)]
        if not found:
            sys.exit(f"peers: no run says the figure {name}")
        measured[name] = statistics.median(found)
    worse = []
    for pattern, first, second in ROWS:
        row = pattern.search(page)
        if row is None:
            sys.exit(f"peers: {PAGE} has no row for {first} and {second}")
        for name, stated in ((first, float(row[2])), (second, float(row[4]))):
            more_is_better = FIGURES[name][1]
            factor = stated / measured[name] if more_is_better else measured[name] / stated
            print(f"{name}: {measured[name]:.2f}, {PAGE}: {stated}")
            if factor > TOLERANCE:
                worse.append(name)
        text = f"{row[1]}{measured[first]:.1f}{row[3]}{measured[second]:.1f}{row[5]}"
        page = page.replace(row[0], text)
    if write:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    elif worse:
        sys.exit(f"peers: {TOLERANCE} times as bad as {PAGE} says: {', '.join(worse)}")


main(sys.argv[1:])
