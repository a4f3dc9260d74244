"""Intrinsic dimensions that others have published, by data and by how many weights and biases the net has."""

LI, GARGIULO = "Li et al. 2018", "Gargiulo 2023"
Known = dict[tuple[str, int, bool], dict[str, int]]

# 90 % accuracy on MNIST; 45 % (Li) and 46 % (Gargiulo) on CIFAR-10. Li: Fastfood. Gargiulo: the best test epoch of one
# seed, dense or Fastfood. The last key says whether the threshold is local, .9 of the same net's direct accuracy.
PUBLISHED: Known = {
    ("mnist", 199_210, False): {LI: 750, GARGIULO: 600},
    ("mnist", 44_426, False): {LI: 290, GARGIULO: 170},
    ("mnist", 286_334, False): {LI: 600, GARGIULO: 350},
    ("mnist", 3_640_574, False): {LI: 2000, GARGIULO: 900},
    ("mnist", 193_370, False): {LI: 425, GARGIULO: 400},
    ("mnist", 199_210, True): {LI: 525},
    ("mnist", 44_426, True): {LI: 275},
    ("mnist", 286_334, True): {LI: 450},
    ("mnist", 3_640_574, True): {LI: 1400},
    ("mnist", 193_370, True): {LI: 400},
    ("mnist pixels shuffled", 199_210, False): {LI: 750},
    ("mnist pixels shuffled", 44_426, False): {LI: 1400},
    ("cifar10", 1_393_610, False): {LI: 7000},
    ("cifar10", 1_051_930, False): {GARGIULO: 5000},
    ("cifar10", 62_006, False): {LI: 1000, GARGIULO: 600},
    ("cifar10", 658_238, False): {LI: 2750},
    ("cifar10", 16_397_726, False): {LI: 35000},
    ("cifar10", 297_734, False): {LI: 2500},
    ("cifar10", 62_006, True): {LI: 2900},
}


def published(data: str, ambient: int, local: bool) -> str:
    """Author and number, of each that there is."""
    return ", ".join(f"{who} {number}" for who, number in PUBLISHED.get((data, ambient, local), {}).items())
