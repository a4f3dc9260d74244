"""Does LeNet-300-100 on MNIST keep its accuracy when it is cut, and do its tickets need their own init?"""

import rmtlottery as rl

RUNS = {
    "tickets": rl.preset("lenet_300_100").but(epochs=5, levels=14, seeds=(0, 1, 2, 3, 4)),
    "fresh init": ("tickets", {"control": "fresh_init"}),
}
FIGURES = {"accuracy": ("accuracy",), "gap": ("gap",), "weights": ("weights",), "degrees": ("degrees",)}
