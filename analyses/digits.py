"""What happens to accuracy and to the signal's length when an edge-of-chaos net on digits is pruned?"""

import rmtlottery as rl

RUNS = [rl.preset("digits")]
FIGURES = [("accuracy", {}), ("qmap", {"samples": 360})]
