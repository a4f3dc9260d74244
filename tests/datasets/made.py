"""Small sets in the published formats, with MD5s of their own."""

import gzip
import hashlib
from dataclasses import replace

import numpy as np

from rmtlottery.datasets.published import CIFAR10, CIFAR100, MNIST


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def lay_out(published, folder, contents, sizes):
    """Write the files below `folder`; the published set with their names, MD5s and sizes."""
    for name, content in contents.items():
        path = folder / published.folders[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return replace(published, files={name: md5(content) for name, content in contents.items()}, sizes=sizes)


def idx_bytes(array):
    """A gzip file with an IDX array of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


def mnist_set(folder, sizes=(30, 12), classes=10):
    stream = np.random.default_rng(0)
    contents = {}
    for part, size in zip(("train", "t10k"), sizes, strict=True):
        contents[f"{part}-images-idx3-ubyte.gz"] = idx_bytes(stream.integers(0, 256, (size, 28, 28)))
        contents[f"{part}-labels-idx1-ubyte.gz"] = idx_bytes(np.arange(size) % classes)
    return lay_out(MNIST, folder, contents, sizes)


def cifar_batch(x, y, key=b"labels", about=b"training batch 1 of 5", names=None):
    """A batch opcode for opcode as Python 2's cPickle wrote the published ones."""
    pickle = Python2()
    pickle.out += b"\x80\x02}" + pickle.put() + b"("
    pickle.text(b"batch_label")
    pickle.text(about)
    pickle.text(key)
    pickle.list([pickle.whole(label) for label in y])
    pickle.text(b"data")
    pickle.array(x)
    pickle.text(b"filenames")
    pickle.list(names or [b"picture_s_%06d.png" % index for index in range(len(y))])
    return bytes(pickle.out + b"u.")


class Python2:
    """The writer; `places` counts what was remembered, from 1."""

    def __init__(self):
        self.out, self.places = bytearray(), 0

    def put(self):
        self.places += 1
        return b"q" + bytes([self.places]) if self.places < 256 else b"r" + self.places.to_bytes(4, "little")

    def whole(self, number):
        code, size = (b"K", 1) if number < 1 << 8 else (b"M", 2) if number < 1 << 16 else (b"J", 4)
        return code + int(number).to_bytes(size, "little")

    def text(self, value):
        self.out += b"U" + bytes([len(value)]) + value + self.put()

    def list(self, items):
        """In portions of a thousand; numbers come written, names are written and remembered."""
        self.out += b"]" + self.put()
        for start in range(0, len(items), 1000):
            portion = items[start : start + 1000]
            self.out += b"(" if len(portion) > 1 else b""
            for item in portion:
                if item[:1] in b"KMJ" and len(item) < 6:
                    self.out += item
                else:
                    self.text(item)
            self.out += b"e" if len(portion) > 1 else b"a"

    def array(self, x):
        shape = b"".join(map(self.whole, x.shape))
        self.out += b"cnumpy.core.multiarray\n_reconstruct\n" + self.put() + b"cnumpy\nndarray\n" + self.put()
        self.out += b"K\x00\x85U\x01b\x87R" + self.put() + b"(K\x01" + shape + b"\x86cnumpy\ndtype\n" + self.put()
        self.out += b"U\x02u1K\x00K\x01\x87R" + self.put()
        self.out += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        self.out += b"T" + x.size.to_bytes(4, "little") + x.astype(np.uint8).tobytes() + b"tb"


def pictures(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (size, 3072)).astype(np.uint8)


def cifar10_set(folder, size=20):
    """Five batches and the test one, each of `size` pictures; labels go round the classes."""
    names = list(CIFAR10.files)
    contents = {name: cifar_batch(pictures(size, seed), np.arange(size) % 10) for seed, name in enumerate(names)}
    return lay_out(CIFAR10, folder, contents, (5 * size, size))


def cifar100_set(folder, sizes=(200, 100)):
    contents = {}
    for name, size in zip(CIFAR100.files, sizes, strict=True):
        contents[name] = cifar_batch(pictures(size), np.arange(size) % 100, b"fine_labels")
    return lay_out(CIFAR100, folder, contents, sizes)
