"""CIFAR: made batches in the published format, and the real CIFAR-10 against published numbers."""

import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.datasets.cifar import batch, cifar10, cifar100, joined
from rmtlottery.datasets.files import read
from rmtlottery.datasets.published import CIFAR10, CIFAR100
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Cifar10, Cifar100
from tests.datasets.made import cifar10_set, cifar100_set, cifar_batch, lay_out, pictures

SMALL = cifar_batch(pictures(3), [4, 0, 9])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("RMTL_DATA", str(tmp_path))
    return tmp_path


def parsed(content, classes=10):
    return batch(content, b"labels", classes, "data_batch_1")


def test_a_batch_is_read_as_pickle_and_numpy_read_it():
    x, y = parsed(SMALL)
    held = pickle.loads(SMALL, encoding="bytes")
    np.testing.assert_array_equal(x, held[b"data"])
    np.testing.assert_array_equal(x, pictures(3))
    assert y.tolist() == held[b"labels"] == [4, 0, 9]


def test_batches_are_joined_in_their_order(here):
    made = cifar10_set(here)
    found = cifar10(Cifar10(validation=0.0), made)
    assert (len(found.train), len(found.test), found.shape, found.classes) == (100, 20, (3, 32, 32), 10)
    assert found.train.y.tolist() == [*range(10)] * 10
    raw = np.concatenate([pictures(20, seed) for seed in range(5)]).astype(float)
    np.testing.assert_allclose(found.train.x.numpy(), (raw - raw.mean()) / raw.std(), atol=1e-5)
    np.testing.assert_allclose(found.test.x.numpy(), (pictures(20, 5) - raw.mean()) / raw.std(), atol=1e-5)


def test_cifar100_takes_the_fine_labels(here):
    found = cifar100(Cifar100(), cifar100_set(here))
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 180, "validation": 20, "test": 100}
    assert (found.classes, found.test.y.tolist()) == (100, [*range(100)])


def test_cifar100_files_need_their_published_md5(here):
    cifar100_set(here)
    with pytest.raises(Refusal, match=f"train has MD5 .*, the published file {CIFAR100.files['train']}; replace it"):
        cifar100(Cifar100())


def test_cifar10_batches_are_no_cifar100(here):
    contents = {"train": cifar_batch(pictures(5), range(5)), "test": cifar_batch(pictures(5), range(5))}
    with pytest.raises(Refusal, match="train is no CIFAR batch: it does not hold data and fine_labels"):
        cifar100(Cifar100(), lay_out(CIFAR100, here, contents, (5, 5)))


def test_another_number_of_pictures_than_published_is_refused(here):
    contents = {"train": cifar_batch(pictures(5), range(5)), "test": cifar_batch(pictures(5), range(5))}
    with pytest.raises(Refusal, match=r"cifar10 holds \(5, 5\) pictures where \(6, 5\) are published"):
        cifar10(Cifar10(), lay_out(CIFAR10, here, contents, (6, 5)))


def changed(*swaps):
    content = SMALL
    for old, new in swaps:
        assert content.count(old) == 1
        content = content.replace(old, new)
    return content


NO_ARRAY = "holds data that are no array of bytes with 3072 columns"
NO_LABELS = "holds labels that are no list of whole numbers below 10"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\x80\x02N.", "is no CIFAR batch: it does not hold data and labels"),
        (b"\x80\x02}.", "does not hold data and labels"),
        (changed((b"U\x04data", b"U\x04date")), "does not hold data and labels"),
        (cifar_batch(pictures(3), [4, 0, 10]), NO_LABELS),
        (cifar_batch(pictures(3), [4, 0]), "holds 3 pictures and 2 labels"),
        (cifar_batch(pictures(3)[:, :-1], [4, 0, 9]), NO_ARRAY),
        (changed((b"(K\x04K\x00K\x09e", b"(K\x04NK\x09e")), NO_LABELS),
        (changed((b"(K\x04K\x00K\x09e", b"(K\x04\x89K\x09e")), NO_LABELS),
        (changed((b"(K\x04K\x00K\x09e", b"(K\x04J\xff\xff\xff\xffK\x09e")), NO_LABELS),
        (changed((b"U\x02u1", b"U\x02O8")), NO_ARRAY),
        (changed((b"U\x02u1", b"U\x01O")), NO_ARRAY),
        (changed((b"U\x02u1", b"U\x02i1")), NO_ARRAY),
        (changed((b"K\x03M\x00\x0c\x86", b"J\xff\xff\xff\x7fM\x00\x0c\x86")), NO_ARRAY),
        (changed((b"K\x03M\x00\x0c\x86", b"J\xfd\xff\xff\xffM\x00\x0c\x86")), NO_ARRAY),
        (changed((b"K\x03M\x00\x0c\x86", b"K\x04M\x00\x0c\x86")), NO_ARRAY),
        (changed((b"tb\x89T", b"tb\x88T")), NO_ARRAY),
        (changed((b"_reconstruct", b"scalar")), "it asks for numpy.core.multiarray.scalar"),
        (changed((b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n")), NO_ARRAY),
        (changed((b"cnumpy\ndtype\n", b"cnumpy\nndarray\n")), NO_ARRAY),
        (changed((b"cnumpy\ndtype\n", b"cos\nsystem\n")), "it asks for os.system"),
    ],
)
def test_batches_that_are_not_as_published_are_refused(content, match):
    with pytest.raises(Refusal, match=match):
        parsed(content)


mutations = st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=3)


@settings(deadline=None, database=None, derandomize=True)
@given(mutations, st.integers(0, len(SMALL)))
def test_any_alteration_is_refused_or_gives_pictures_and_labels(mutations, end):
    content = bytearray(SMALL)
    for place, byte in mutations:
        content[place] = byte
    try:
        x, y = parsed(bytes(content[:end] if end % 3 == 0 else content))
    except Refusal:
        return
    assert x.shape == (3, 3072)
    assert y.shape == (3,)
    assert y.min() >= 0
    assert y.max() < 10


@settings(deadline=None, database=None, derandomize=True)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=12))
def test_alterations_around_the_pixels_are_refused_or_right_too(place, piece):
    """The 9216 bytes of pixels are where a mutation does nothing; here it never falls there."""
    body = SMALL.index(pictures(3).tobytes())
    places = [*range(body), *range(body + 9216, len(SMALL))]
    at = places[place % len(places)]
    try:
        x, _ = parsed(SMALL[:at] + piece + SMALL[at + len(piece) :])
    except Refusal:
        return
    assert x.shape == (3, 3072)


def test_claimed_sizes_take_no_memory():
    tracemalloc.start()
    with pytest.raises(Refusal, match=NO_ARRAY):
        parsed(changed((b"K\x03M\x00\x0c\x86", b"J\xff\xff\xff\x7fM\x00\x0c\x86")))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.fixture(scope="module")
def real(real_data):
    """All of it, nothing held out, so that the order is that of the files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RMTL_DATA", str(real_data))
        return cifar10(Cifar10(validation=0.0))


@pytest.fixture(scope="module")
def real_test_batch(real_data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RMTL_DATA", str(real_data))
        return read(CIFAR10, "test_batch"), joined(CIFAR10, ["test_batch"], b"labels", 10)


def test_made_batches_are_in_the_published_format_to_the_byte(real_test_batch):
    """The real file comes out of our writer: so what is tested on made CIFAR-100 files is the real format."""
    content, found = real_test_batch
    names = pickle.loads(content, encoding="bytes")[b"filenames"]
    again = cifar_batch(found.x.numpy(), found.y.tolist(), about=b"testing batch 1 of 1", names=names)
    assert again == content


def test_the_real_set_has_the_published_counts(real):
    assert (real.train.x.shape, real.test.x.shape) == ((50_000, 3072), (10_000, 3072))
    assert torch.bincount(real.train.y).tolist() == [5000] * 10
    assert torch.bincount(real.test.y).tolist() == [1000] * 10


def test_the_real_set_begins_with_a_frog_and_two_trucks_and_its_test_part_with_a_cat(real):
    assert real.train.y[:5].tolist() == [6, 9, 9, 4, 1]
    assert real.test.y[:5].tolist() == [3, 8, 8, 0, 6]


def test_the_real_set_is_standardised_by_the_known_mean_and_std(real):
    """Channel means .4914 .4822 .4465 and stds .2470 .2435 .2616 over 255 make .4734 and .2516 of all channels."""
    words = real.preprocessing.replace(",", "").replace(":", "").split()
    mean, std = float(words[2]), float(words[4])
    assert (mean / 255, std / 255) == (pytest.approx(0.4734, abs=2e-4), pytest.approx(0.2516, abs=1e-4))
    found = [torch.std_mean(channel) for channel in real.train.x.split(1024, 1)]
    np.testing.assert_allclose([(at * std + mean) / 255 for _, at in found], [0.4914, 0.4822, 0.4465], atol=3e-4)
    np.testing.assert_allclose([spread * std / 255 for spread, _ in found], [0.2470, 0.2435, 0.2616], atol=3e-4)


def test_the_first_real_picture_is_the_frog_upright(real):
    """Its first row is (59, 62, 63), (43, 46, 45), (50, 48, 43): red, green, blue; below it lies (16, 20, 20)."""
    words = real.preprocessing.replace(",", "").replace(":", "").split()
    frog = (real.train.x[0] * float(words[4]) + float(words[2])).round().reshape(3, 32, 32)
    assert frog[:, 0, 0].tolist() == [59, 62, 63]
    assert frog[:, 0, 1].tolist() == [43, 46, 45]
    assert frog[:, 0, 2].tolist() == [50, 48, 43]
    assert frog[:, 1, 0].tolist() == [16, 20, 20]
