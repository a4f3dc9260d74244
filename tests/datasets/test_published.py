"""The tables: what is written in them twice agrees, and what cannot be checked offline is at least well formed."""

import importlib.machinery
import importlib.util
import re
from pathlib import Path

import pytest

from rmtlottery.datasets.published import CIFAR10, MNIST, PUBLISHED

UNPACK = Path(__file__).parents[2].parent / "shared" / "data" / "unpack"


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)
def test_every_set_names_files_by_md5_and_several_mirrors(published):
    sums = [*published.files.values(), *([published.archive_md5] if published.archive else [])]
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in sums)
    assert len(set(sums)) == len(sums)
    assert len(published.mirrors) >= 2
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in published.mirrors)


@pytest.mark.skipif(not UNPACK.exists(), reason=f"{UNPACK} is not here")
def test_md5s_are_those_by_which_the_real_files_were_laid_out():
    loader = importlib.machinery.SourceFileLoader("unpack", str(UNPACK))
    sums = importlib.util.module_from_spec(importlib.util.spec_from_loader("unpack", loader))
    loader.exec_module(sums)
    for published, others in ((MNIST, 0), (CIFAR10, 1)):
        folder = published.folders[0]
        known = {name.partition("/")[2]: md5 for name, md5 in sums.MD5.items() if name.startswith(f"{folder}/")}
        assert published.files.items() <= known.items()
        assert len(known) == len(published.files) + others
