"""One layer cut at a rate, as a Spec asks for it."""

from rmtlottery.prune.cut import removed, without_lowest


def cut(scores, mask, rate):
    return without_lowest(scores, mask, removed(int(mask.sum()), rate))
