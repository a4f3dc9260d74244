"""Next-character prediction on the bundled GNU General Public License (see data/README.md)."""

import torch

from rmtlottery.datasets.bundled import bundled
from rmtlottery.datasets.dataset import Dataset, Split, assemble
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Text

TEST = 5  # one part in so many, the last


def text(data: Text) -> Dataset:
    """A place for each character shown, one-hot; classes are the symbols, in sorted order.

    The text is cut in two and samples are taken from each part: no character of the test part stands in a sample to learn
    from. Validation samples are drawn among the latter, as ever, and share characters with neighbours that are trained on.
    """
    words = plain(bundled("gpl-3.txt").read_text("ascii"))
    symbols = sorted(set(words))
    read = torch.tensor([symbols.index(character) for character in words])
    cut = len(read) - len(read) // TEST
    if data.places + data.every >= len(read) - cut:
        raise Refusal(
            f"places = {data.places} and every = {data.every} leave fewer than two samples in the test part, the last "
            f"{len(read) - cut} of {len(read)} characters; take numbers that add up to less than that"
        )
    learn, test = (samples(part, data, len(symbols)) for part in (read[:cut], read[cut:]))
    return assemble(learn, test, shape=(data.places, len(symbols)), classes=len(symbols), validation=data.validation)


def plain(words: str) -> str:
    """In lower case, and any white space is one space."""
    return " ".join(words.lower().split())


def samples(read: torch.Tensor, data: Text, symbols: int) -> Split:
    """Every so many characters the next `places`, as bytes and as a view of the whole: overlaps are held once."""
    hot = torch.eye(symbols, dtype=torch.uint8)[read[:-1]].flatten()
    x = hot.unfold(0, data.places * symbols, data.every * symbols)
    return Split(x, read[data.places :: data.every])
