"""What do accuracy, signal and weights of the FCNet on CIFAR-10 do under pruning, and which assumption of theory breaks?"""

import rmtlottery as rl

RUNS = {"tickets": rl.preset("lens_fc_quick").but(seeds=(0, 1, 2))}
FIGURES = {
    "accuracy": ("accuracy",),
    "qmap": ("qmap", {"parts": 2}),
    "chi": ("chi", {"parts": 2}),
    "ladder": ("ladder", {"parts": 2}),
    "cmap": ("cmap",),
    "phase": ("phase",),
    "weights": ("weights",),
    "histogram": ("histogram",),
    "degrees": ("degrees",),
    "steps": ("steps",),
    "gap": ("gap",),
}
