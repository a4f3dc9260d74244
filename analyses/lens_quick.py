"""What do accuracy, signal and weights of the FCNet on CIFAR-10 do under pruning, and which assumption of theory breaks?"""

import rmtlottery as rl

RUNS = [rl.preset("lens_fc_quick").but(seeds=(0, 1, 2))]
FIGURES = [
    ("accuracy", {}),
    ("qmap", {"parts": 2}),
    ("chi", {"parts": 2}),
    ("ladder", {"parts": 2}),
    ("cmap", {}),
    ("phase", {}),
    ("weights", {}),
    ("histogram", {}),
    ("degrees", {}),
    ("steps", {}),
    ("gap", {}),
]
