"""Which published data sets are here, and get the others."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rmtlottery import console
from rmtlottery.datasets import files
from rmtlottery.datasets.download import download, missing
from rmtlottery.datasets.published import PUBLISHED, Published
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field

COMMAND = "python -m rmtlottery.datasets"
FLAGS = [
    Field("root", str, "folder that holds the data [$RMTL_DATA, or ~/.cache/rmtlottery]", (), None),
    Field("mirror", str, "address of a folder with the files, asked before the known ones", (), None),
]
ABOUT = "\n".join(
    [
        "Say which data sets are here and where, or get some; what is there with the right MD5 is not fetched again,",
        "and what broke off goes on where it stopped.",
        "",
        f"sets: {', '.join(PUBLISHED)}",
    ]
)
PAGE = console.Page(f"{COMMAND} [list | get SET ...] [--root DIR] [--mirror URL]", ABOUT, f"{COMMAND} list", {"get": FLAGS})


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, PAGE)
    root = Path(flags["root"]).expanduser() if "root" in flags else files.root()
    match places:
        case [] | ["list"]:
            for published in PUBLISHED.values():
                print(state(published, root))
        case ["get", _, *_]:
            for published in [chosen(name) for name in places[1:]]:
                get(published, root, [flags["mirror"]] if "mirror" in flags else [])
        case _:
            raise Refusal(
                f"{' '.join(places)!r} is neither list nor get and a set ({', '.join(PUBLISHED)}): {COMMAND} get mnist"
            )
    return console.DONE


def chosen(name: str) -> Published:
    if name not in PUBLISHED:
        raise unknown("data set", name, PUBLISHED)
    return PUBLISHED[name]


def get(published: Published, root: Path, mirrors: Sequence[str]) -> None:
    fetched = download(published, root, mirrors)
    share = f"{len(fetched)} of {len(published.files)} files fetched"
    print(f"{published.name}: {share}, all of them checked, in {folder(published, root)}")
    if root.resolve() != files.root().resolve():
        print(f"to use it: export RMTL_DATA={shlex.quote(str(root.resolve()))}")


def state(published: Published, root: Path) -> str:
    """One line: whether the files are all there with their MD5s, and where."""
    lacking = missing(published, root)
    if not lacking:
        return f"{published.name:<10} in {folder(published, root)}, checked"
    share = f"{len(lacking)} of {len(published.files)} files missing or damaged"
    return f"{published.name:<10} {share} in {folder(published, root)}: {files.GET} {published.name}"


def folder(published: Published, root: Path) -> Path:
    return files.place(published, next(iter(published.files)), root).parent


if __name__ == "__main__":
    console.run(main, shlex.join(["python", "-m", "rmtlottery.datasets", *sys.argv[1:]]))
