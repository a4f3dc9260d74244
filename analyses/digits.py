"""What happens to accuracy and to the signal when an edge-of-chaos net on digits is pruned, and does theory give it?"""

import rmtlottery as rl

RUNS = {"digits": rl.preset("digits")}
FIGURES = {
    "accuracy": ("accuracy",),
    "qmap": ("qmap", {"samples": 360}),
    "ladder": ("ladder", {"samples": 360}),
    "phase": ("phase",),
}
