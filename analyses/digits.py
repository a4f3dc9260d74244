"""What happens to accuracy and to the signal when an edge-of-chaos net on digits is pruned, and does theory give it?"""

import rmtlottery as rl

RUNS = [rl.preset("digits")]
FIGURES = [("accuracy", {}), ("qmap", {"samples": 360}), ("ladder", {"samples": 360}), ("phase", {})]
