"""What every command shares: flags with did-you-mean, help, one sentence instead of a traceback, exit codes.

0 all done; 2 nothing usable; 3 partial results, the faults named; 130 stopped by Ctrl-C.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field, accept, choices, shown

DONE, UNUSABLE, PARTIAL, STOPPED = 0, 2, 3, 130


class Page(NamedTuple):
    """The help of a command; `groups` is title -> fields."""

    usage: str
    about: str
    example: str
    groups: Mapping[str, Iterable[Field]]

    def __str__(self) -> str:
        lines = [f"usage: {self.usage}", "", self.about, "", "example:", f"  {self.example}"]
        for title, fields in self.groups.items():
            lines += ["", f"{title}:", *(option_line(field) for field in fields)]
        return "\n".join(lines)


def option_line(field: Field) -> str:
    words = f": {', '.join(choices(field))}" if choices(field) else ""
    default = "" if field.default in (None, "", False, ()) else f" [{shown(field.default)}]"
    flag = "--" + field.name.replace("_", "-")
    return f"  {flag:<18} {field.help}{words}{default}"


def parse(words: Sequence[str], page: Page) -> tuple[list[str], dict[str, Any]]:
    """(positional words, flag -> value) of a command line; `--help` prints the page and ends the command."""
    fields = {field.name: field for group in page.groups.values() for field in group}
    rest, places, flags = list(words), [], {}
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            print(page)
            raise SystemExit(DONE)
        if not word.startswith("-") or word == "-":
            places.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = name.replace("-", "_")
        if name not in fields:
            raise unknown("option", word.partition("=")[0], ("--" + known.replace("_", "-") for known in fields))
        flags[name] = accept(fields[name], value if equals else following(fields[name], rest))
    return places, flags


def following(field: Field, rest: list[str]) -> str:
    """The value of a flag that stands in the next word; a true-or-false flag may stand alone."""
    alone = not rest or rest[0].startswith("--")
    if field.kind is bool and (alone or rest[0] not in ("true", "false")):
        return "true"
    if alone:
        raise Refusal(f"--{field.name.replace('_', '-')} is given no value")
    return rest.pop(0)


def run(command: Callable[[Sequence[str]], int], again: str = "") -> None:
    """Run a command on sys.argv and exit with its code; `again` is the command that goes on after Ctrl-C."""
    try:
        sys.exit(command(sys.argv[1:]))
    except Refusal as refusal:
        fail(str(refusal), UNUSABLE)
    except KeyboardInterrupt:
        fail(f"stopped; to go on: {again}" if again else "stopped", STOPPED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(UNUSABLE)
    except OSError as error:
        reason = ": ".join(str(word) for word in (error.filename, error.strerror or error) if word)
        fail(f"cannot go on: {reason}; what was finished is kept: mend that, then run it again", UNUSABLE)
    except MemoryError:
        fail("this does not fit into memory; take smaller widths, fewer samples or a smaller --seed-batch", UNUSABLE)


def tell(outcome: Any) -> None:
    """Print what an analysis or a study found: headlines, what was left out, faults on stderr, the report's path."""
    for line in outcome.headlines:
        print(line)
    for line in outcome.skipped:
        print(f"skipped: {line}")
    for fault in outcome.faults:
        print(f"fault: {fault}", file=sys.stderr)
    print(f"report: {outcome.report}")


def fail(sentence: str, code: int) -> None:
    print(f"rmtlottery: {sentence}", file=sys.stderr)
    sys.exit(code)
