"""Checks that every batch of this crate parses as T-SQL: `python3 crates/dlock-mssql/tests/sql.py`.

Needs `pip install sqlfluff`. A batch is a `const NAME: &str` of the sources whose text has a
statement in it.
"""

import pathlib
import re
import sys

from sqlfluff.core import Linter

SOURCES = pathlib.Path(__file__).parent.parent / "src"
CONST = re.compile(r'const (\w+): &str = "\\\n(.*?)";', re.DOTALL)


def batches():
    for path in sorted(SOURCES.rglob("*.rs")):
        for name, text in CONST.findall(path.read_text(encoding="utf-8")):
            if re.search(r"\b(SELECT|EXEC)\b", text):
                yield f"{path.name}: {name}", text


def main():
    linter = Linter(dialect="tsql")
    found = failed = 0
    for name, text in batches():
        found += 1
        problems = [str(problem) for problem in linter.parse_string(text).violations]
        failed += bool(problems)
        print(f"{name}: {'; '.join(problems) or 'ok'}")
    if found == 0:
        sys.exit("no batch was found")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
