"""Whether phi, slope and bound as a user declares them belong together, and whether averages of them are right."""

from collections.abc import Callable

import numpy as np

from rmtlottery.meanfield.gaussian import REACH, Array, both_sides, density, gaussian_mean

Map = Callable[[Array], Array]
POINTS = np.array([0.37, -0.37, 1.13, -1.13, 2.71, -2.71, 0.0137, -0.0137, 6.1, -6.1])
STEP = 1e-5
LENGTHS = np.array([0.1, 1.0, 10.0])
FINER = 186


def check(name: str, phi: Map, slope: Map, bound: float, odd: bool, closed: bool) -> None:
    """Raise ValueError unless slope, bound and oddness are phi's, and averages are right or `closed` says all are given."""
    for part, found in (("phi", phi), ("slope", slope)):
        if not callable(found):
            raise ValueError(f"Activation {name!r}: {part} is {found!r}, not a function: declare phi and its slope together")
    check_slope(name, phi, slope)
    check_bound(name, phi, bound)
    if odd and not np.allclose(phi(POINTS), -phi(-POINTS), rtol=1e-12, atol=0):
        raise ValueError(f"Activation {name!r} is declared odd, and phi(-h) is not -phi(h)")
    if not closed and not all(resolved(f) for f in (phi, slope)):
        raise ValueError(
            f"Activation {name!r} turns where the rule does not resolve it: averages are right only for a turn or a kink "
            "at h = 0, at a scale of about 1, and another phi needs all the closed forms"
        )


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


def resolved(f: Map) -> bool:
    """Whether the mean and the mean square of f are what a rule of other nodes finds."""
    z, weights = both_sides(REACH, FINER)
    values = f(np.sqrt(LENGTHS)[:, None] * z)
    normal = weights * density(z)
    square, plain = values**2 @ normal, values @ normal
    off_square = np.abs(gaussian_mean(lambda h: f(h) ** 2, LENGTHS) - square) <= 1e-9 * square
    off_plain = np.abs(gaussian_mean(f, LENGTHS) - plain) <= 1e-9 * np.sqrt(square)
    return bool(np.all(off_square & off_plain))
