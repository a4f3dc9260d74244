"""How do accuracy, the signal, chi and the weights of the FCNet on CIFAR-10 change under pruning, six epochs a level?"""

import rmtlottery as rl

RUNS = [rl.preset("lens_fc_quick").but(seeds=(0, 1, 2))]
FIGURES = [
    ("accuracy", {}),
    ("qmap", {}),
    ("chi", {}),
    ("weights", {}),
    ("histogram", {}),
    ("degrees", {}),
    ("steps", {}),
    ("gap", {}),
]
