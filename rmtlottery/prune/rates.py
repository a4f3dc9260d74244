"""Which part of its weights each layer loses at a cut, and whether anything is left in the end."""

from fnmatch import fnmatchcase

from rmtlottery.prune.cut import counts
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import pairs
from rmtlottery.tickets.parts import Prune


def rates(prune: Prune, layers: list[str]) -> dict[str, float]:
    """The rate of each prunable layer: the last one, the read-out, has its own, and patterns name others."""
    rate_of = {name: prune.last_rate if name == layers[-1] else prune.rate for name in layers}
    for pattern, rate in pairs(prune.layer_rates).items():
        named = [name for name in layers if fnmatchcase(name.removesuffix(".weight"), pattern)]
        if not named:
            raise unknown("layer", pattern, [name.removesuffix(".weight") for name in layers])
        rate_of |= dict.fromkeys(named, rate)
    if prune.scope == "global":
        check_one_rate(rate_of)
    return rate_of


def check_one_rate(rate_of: dict[str, float]) -> None:
    """Refuses a ranking of all layers in which some should lose another part than others."""
    if len(set(rate_of.values()) - {0.0}) > 1:
        words = ", ".join(f"{name} {rate:g}" for name, rate in list(rate_of.items())[-2:])
        raise Refusal(
            f"scope = global ranks all layers at one rate, and these differ ({words}): give the last layer "
            "--last-rate 0 to leave it out, or the rate of the others to rank it too"
        )


def kept_at(prune: Prune, sizes: dict[str, int]) -> list[int]:
    """Weights that all layers together keep at level 0, 1, ..."""
    rate_of = rates(prune, list(sizes))
    if prune.scope == "layer":
        return [sum(level) for level in zip(*(counts(sizes[n], rate_of[n], prune.levels) for n in sizes), strict=True)]
    ranked = sum(size for name, size in sizes.items() if rate_of[name])
    left_out = sum(sizes.values()) - ranked
    return [left_out + kept for kept in counts(ranked, max(rate_of.values()), prune.levels)]


def check_survivors(prune: Prune, sizes: dict[str, int]) -> None:
    """Refuses, before anything is trained, a plan that would empty a layer; the layer emptied first is named."""
    rate_of = rates(prune, list(sizes))
    kept = {name: counts(size, rate_of[name], prune.levels) for name, size in sizes.items()}
    emptied = {name: course.index(0) for name, course in kept.items() if 0 in course}
    if emptied and prune.scope == "layer":
        name = min(emptied, key=emptied.__getitem__)
        raise Refusal(
            f"density 0 in {name}: {rate_of[name]:g} a cut leaves none of its {sizes[name]} weights at level "
            f"{emptied[name]}; take levels below {emptied[name]} or a lower rate"
        )
    ranked = {name: size for name, size in sizes.items() if rate_of[name]}
    if prune.scope == "global" and ranked:
        last = counts(sum(ranked.values()), max(rate_of.values()), prune.levels)[-1]
        if last < len(ranked):
            raise Refusal(f"{last} weights for {len(ranked)} layers are left at level {prune.levels}; take fewer levels")
