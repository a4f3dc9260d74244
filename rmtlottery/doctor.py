"""Is this machine fit: versions, device, folders, disk, and theory against closed forms?"""

import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rmtlottery import console
from rmtlottery.refusal import Refusal

COMMAND = "python -m rmtlottery.doctor"
PAGE = console.Page(
    COMMAND, "Print versions, device, data folders and disk, then check the arithmetic against closed forms.", COMMAND, {}
)


def main(words: Sequence[str]) -> int:
    places, _ = console.parse(words, PAGE)
    if places:
        raise Refusal(f"the doctor takes no {places[0]!r}: {COMMAND}")
    for line in (*machine(), *folders()):
        print(line)
    failed = [name for name, check in CHECKS.items() if not told(name, check)]
    print(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}" if failed else "all is well")
    return console.UNUSABLE if failed else console.DONE


def machine() -> Iterator[str]:
    import torch

    from rmtlottery.work.unit import cores, provenance

    yield from (f"{name:<12} {value}" for name, value in provenance().items())
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    yield f"{'device':<12} {device}; {cores()} cores; bf16 matrix products {bf16()}"


def bf16() -> str:
    """Whether the processor has its own instructions for them."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return "unknown"
    return "in hardware" if "bf16" in path.read_text() else "emulated"


def folders() -> Iterator[str]:
    from rmtlottery.datasets.bundled import bundled
    from rmtlottery.datasets.download import missing
    from rmtlottery.datasets.files import GET
    from rmtlottery.datasets.files import root as root_of_data
    from rmtlottery.datasets.published import PUBLISHED
    from rmtlottery.train.fit import default_root

    root = default_root().absolute()
    there = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    yield f"{'runs':<12} {root} ({free:.1f} GB free{'' if os.access(there, os.W_OK) else '; NOT writable'})"
    yield f"{'bundled':<12} {bundled('digits.npz')} (checksum right)"
    for published in PUBLISHED.values():
        lacking = missing(published, root_of_data())
        told_missing = (
            f"{len(lacking)} of {len(published.files)} files missing or damaged in {root_of_data()}: {GET} {published.name}"
        )
        yield f"{published.name:<12} {told_missing if lacking else f'in {root_of_data()}, checked'}"


def told(name: str, check: Callable[[], float]) -> bool:
    """Run one check, print how far off it was, and say whether that is rounding."""
    error = check()
    print(f"{'check':<12} {name}: off by {error:.1e}{'' if error < 1e-9 else ' - FAILED'}")
    return error < 1e-9


def quadrature() -> float:
    """E erf(sqrt(q) z)^2 = (2/pi) asin(2q / (1 + 2q)), from q = 1e-6 to 1e4."""
    import numpy as np
    from scipy.special import erf

    from rmtlottery.meanfield import gaussian_mean

    q = np.logspace(-6, 4, 41)
    exact = 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))
    return float(np.abs(gaussian_mean(lambda h: erf(h) ** 2, q) / exact - 1).max())


def edge() -> float:
    """The critical sigma_w of relu is sqrt(2), and chi on tanh's critical line is 1."""
    from rmtlottery.meanfield import critical_sigma_w, fixed_point

    tanh = abs(float(fixed_point(critical_sigma_w(0.3), 0.3).chi) - 1)
    return max(tanh, abs(float(critical_sigma_w(0.3, "relu")) - math.sqrt(2)))


def finite_net() -> float:
    """A net of one unit a layer and a known weight gives tanh of tanh."""
    import torch

    from rmtlottery.nets import build
    from rmtlottery.tickets.parts import FC

    net = build(FC(widths=(1, 1)), (1,), 1)
    weights = {name: torch.full(shape, 0.5, dtype=torch.float64) for name, shape in net.shapes.items()}
    out = net.logits(weights, torch.ones(1, 1, dtype=torch.float64)).item()
    return abs(out - (0.5 * math.tanh(0.5 * math.tanh(1.0) + 0.5) + 0.5))


def cut_counts() -> float:
    """15 cuts of 20 % and 10 % leave 27,670, 2,306 and 529 weights."""
    from rmtlottery.prune.cut import counts

    kept = (counts(3072 * 256, 0.2, 15)[-1], counts(256 * 256, 0.2, 15)[-1], counts(2560, 0.1, 15)[-1])
    return float(kept != (27670, 2306, 529))


CHECKS = {
    "Gaussian quadrature": quadrature,
    "edge of chaos": edge,
    "finite net": finite_net,
    "pruning counts": cut_counts,
}

if __name__ == "__main__":
    console.run(main, " ".join([COMMAND, *sys.argv[1:]]))
