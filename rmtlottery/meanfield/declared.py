"""Whether phi, slope and bound as a user declares them belong together, and whether averages of them are right."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rmtlottery.meanfield.gaussian import REACH, Array, both_sides, density, gaussian_mean

Map = Callable[[Array], Array]
POINTS = np.array([0.37, -0.37, 1.13, -1.13, 2.71, -2.71, 0.0137, -0.0137, 6.1, -6.1])
STEP = 1e-5
LENGTHS = np.array([0.1, 1.0, 10.0])
FINER = 186


def check(act: Any, closed: bool) -> None:
    """Raise ValueError unless what an Activation declares is phi's, and averages are right or `closed`: all are given."""
    name, phi, slope = act.name, act.phi, act.slope
    for part, found in (("phi", phi), ("slope", slope)):
        if not callable(found):
            raise ValueError(f"Activation {name!r}: {part} is {found!r}, not a function: declare phi and its slope together")
    check_slope(name, phi, slope)
    check_bound(name, phi, act.bound)
    if act.odd and not np.allclose(phi(POINTS), -phi(-POINTS), rtol=1e-12, atol=0):
        raise ValueError(f"Activation {name!r} is declared odd, and phi(-h) is not -phi(h)")
    if act.homogeneous and not np.allclose(phi(2 * POINTS), 2 * phi(POINTS), rtol=1e-12, atol=0):
        raise ValueError(f"Activation {name!r} is declared homogeneous, and phi(2 h) is not 2 phi(h)")
    if not closed and not all(resolved(f, act.largest) for f in (phi, slope)):
        raise ValueError(
            f"Activation {name!r} turns where the rule does not resolve it: averages are right only for a turn or a kink "
            f"at h = 0, at a scale of about 1; where a limit below q = {act.largest:g} does not help, another phi needs all "
            "the closed forms"
        )
    check_forms(act)


def check_forms(act: Any) -> None:
    """At q = 1, to a fifth: a kink may cost the rule as much, and a wrong form is mostly farther off."""
    squares: list[Map] = [lambda h: act.phi(h) ** 2, lambda h: act.slope(h) ** 2]
    means = {
        "square_mean": squares[0],
        "slope_square_mean": squares[1],
        "pair_mean": squares[0],
        "slope_pair_mean": squares[1],
        "square_slope": lambda h: act.phi(h) * act.slope(h) * h,
        "fourth_mean": lambda h: act.phi(h) ** 4,
        "slope_fourth_mean": lambda h: act.slope(h) ** 4,
    }
    for name, f in means.items():
        form, seen = getattr(act, name), float(gaussian_mean(f, 1.0))
        if form is None:
            continue
        said = float(form(*[np.ones(())] * (3 if "pair" in name else 1)))
        if abs(said - seen) > 0.2 * abs(seen):
            raise ValueError(f"Activation {act.name!r}: {name} is {said:.6g} at q = 1, but the average is {seen:.6g}")


def check_slope(name: str, phi: Map, slope: Map) -> None:
    """A central difference; that of twice the step tells how far to trust it."""
    given, near, far = np.asarray(slope(POINTS), float), difference(phi, STEP), difference(phi, 2 * STEP)
    if given.shape != POINTS.shape or near.shape != POINTS.shape:
        raise ValueError(f"Activation {name!r}: phi and slope must give an array as long as the one they get")
    trust = 1e-6 * np.abs(near).max() + 2 * np.abs(near - far) + 1e-14 / STEP * np.abs(phi(POINTS))
    wrong = np.flatnonzero(~(np.abs(given - near) <= trust))
    if wrong.size:
        at, said, seen = (values[wrong[0]] for values in (POINTS, given, near))
        raise ValueError(
            f"Activation {name!r}: the slope at h = {at:g} is given as {said:.6g}, but phi changes by {seen:.6g} there"
        )


def difference(phi: Map, step: float) -> Array:
    return (np.asarray(phi(POINTS + step), float) - phi(POINTS - step)) / (2 * step)


def check_bound(name: str, phi: Map, bound: float) -> None:
    values = np.abs(phi(POINTS))
    if not values.max() <= bound:
        at = POINTS[values.argmax()]
        raise ValueError(
            f"Activation {name!r}: the bound is given as {bound:g}, but |phi| is {values.max():.6g} at h = {at:g}"
        )


def resolved(f: Map, largest: float) -> bool:
    """Whether the mean and the mean square of f are what a rule of other nodes finds, at the largest length too."""
    far = [largest] if np.isfinite(largest) else []
    lengths = np.array([*LENGTHS[largest > LENGTHS], *far])
    trust = np.array([1e-9] * (lengths.size - len(far)) + [1e-6] * len(far))
    z, weights = both_sides(REACH, FINER)
    values = f(np.sqrt(lengths)[:, None] * z)
    normal = weights * density(z)
    square, plain = values**2 @ normal, values @ normal
    same_square = np.abs(gaussian_mean(lambda h: f(h) ** 2, lengths) - square) <= trust * square
    same_plain = np.abs(gaussian_mean(f, lengths) - plain) <= trust * np.sqrt(square)
    return bool(np.all(same_square & same_plain))
