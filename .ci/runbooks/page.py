"""docs/operations.md, taken apart: its headings, and the commands below each."""

import re
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path("docs/operations.md")


@dataclass
class Block:
    """The commands of one fence, and why they are not tried, if they are not."""

    code: str
    not_tried: str | None


@dataclass
class Section:
    title: str
    level: int
    text: str = ""
    blocks: list[Block] = field(default_factory=list)


def sections():
    """The page's sections in order. Text and blocks belong to the nearest heading above them."""
    found, fence, reason = [], None, None
    for line in PAGE.read_text().splitlines():
        if fence is not None:
            if line == "```":
                found[-1].blocks.append(Block("\n".join(fence), reason))
                fence, reason = None, None
            else:
                fence.append(line)
        elif line == "```sh":
            fence = []
        elif line.startswith("```"):
            raise SystemExit(f"{PAGE}: the fence {line} is neither sh nor closed")
        elif heading := re.fullmatch(r"(#+) (.+)", line):
            found.append(Section(heading[2], len(heading[1])))
        elif comment := re.fullmatch(r"<!-- not tried: (.+) -->", line):
            reason = comment[1]
        else:
            found[-1].text += line + "\n"
    return found


def anchor(title):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-")
