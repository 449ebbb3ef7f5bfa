"""Every test, stage and folder that docs/guarantees.md names exists."""

import re
import subprocess
import sys
from pathlib import Path

text = Path("docs/guarantees.md").read_text()
named = set(re.findall(r"`([^`\s]+)`", text))
paths = {name for name in named if "/" in name and name != "errors/"}
tests = {name for name in named if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){3,}", name)}
code = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "functions/**/*.rs", "tests/**/*.rs"],
    capture_output=True,
    text=True,
    check=True,
)
sources = "\n".join(Path(path).read_text() for path in code.stdout.splitlines() if Path(path).exists())
gone = {path for path in paths if not Path(path).exists()}
gone |= {test for test in tests if not re.search(rf"\b{test}(\(| =>)", sources)}
print(f"{len(paths)} paths and {len(tests)} tests of docs/guarantees.md looked up")
if gone:
    print(f"FAILED docs/guarantees.md names what does not exist: {sorted(gone)}", file=sys.stderr)
failed = int(bool(gone) or not paths or not tests)
print(f"test result: {'FAILED' if failed else 'ok'}. {1 - failed} passed; {failed} failed;")
sys.exit(failed)
