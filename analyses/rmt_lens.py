"""Do mean-field theory and random matrices hold in the tickets of the RMT slides, and which masks need no iterating?"""

import rmtlottery as rl

# The rates of STUDY are the best of several by validation accuracy of the dense net: docs/rmt_lens.
SEEDS = (0, 1, 2)
FC = rl.preset("lens_fc").but(lr=3e-4, seeds=SEEDS)
ORTHOGONAL = rl.preset("lens_fc_orthogonal").but(lr=3e-4, seeds=SEEDS)
DIVIDED = rl.preset("lens_fc_divided").but(lr=3e-4, seeds=SEEDS)
CONV = rl.preset("lens_conv_small").but(lr=3e-3, seeds=SEEDS)
SGD = FC.but(optimiser={"kind": "sgd", "lr": 0.003})

# Six epochs a level are enough to rank masks. Levels 7, 10 and 13 keep 21, 11 and 5.5 %.
QUICK = rl.preset("lens_fc_quick").but(seeds=(0, 1, 2, 3, 4))
LEVELS = (13, 10, 7)
RATES = (3e-4, 1e-3, 3e-3)
FOUND = (
    "shuffle_mask",
    "shuffle_mask,rescale",
    "shuffle_mask,rescale_units",
    "shuffle_mask,equal_lengths",
    "init_mask",
    "init_mask,equal_lengths",
    "snip_mask",
    "snip_mask,equal_lengths",
    "grasp_mask",
    "synflow_mask",
    "aligned_mask,rescale",
    "local_mask,equal_lengths",
    "local_init_mask,equal_lengths",
    "one_cut_mask",
    "one_cut_mask,equal_lengths",
)
MATCHED = (
    "rewound",
    "rescale",
    "equal_lengths",
    "first_layer_mask",
    "other_layers_mask",
    "first_layer_mask,equal_lengths",
    "other_layers_mask,equal_lengths",
    "in_degree_mask,equal_lengths",
    "out_degree_mask,equal_lengths",
    "degree_mask,equal_lengths",
    "fresh_init",
    "fresh_init,equal_lengths",
    "keep_signs",
    "flip_signs",
    "shuffle_entries",
    "scatter",
)

# A fifth of the weights, by lot, at the edge and at the slides' 2.24: over the dense fan-in, and over the kept one.
FIFTH = QUICK.but(prune={"kind": "at_init", "criterion": "random", "levels": 1, "rate": 0.8, "last_rate": 0.8})
STDS = {"1.4": 1.4, "2.24": 2.24, "1.4 kept": 1.4 / 0.2**0.5, "2.24 kept": 2.24 / 0.2**0.5}

# A narrow dense net with weights from the ticket's law, the same with signals of equal length, and one drawn at the edge.
NARROW = ("small_dense", "small_dense,equal_lengths", "small_dense,fresh_init")

# A comma would end the name where runs are asked for by name.
ARMS = {
    f"{arm.replace(',', '+')} {level} {rate:g}": ("tickets", {"control": arm, "at": (level,), "lr": rate})
    for level in LEVELS
    for rate in RATES
    for arm in (*FOUND, *MATCHED, *NARROW)
}

# After 50 epochs a level, at 5.5 % and at the 41 % where tickets are best: the base, imp, and masks that did best after 6.
BEST = (
    "shuffle_mask",
    "rewound",
    "shuffle_mask,equal_lengths",
    "init_mask,equal_lengths",
    "local_init_mask,equal_lengths",
    "equal_lengths",
)
LONG = {
    f"long {arm.replace(',', '+')} {level} {rate:g}": ("normal", {"control": arm, "at": (level,), "lr": rate})
    for rate in (3e-4, 1e-3)
    for level in (13, 4)
    for arm in BEST
}
STUDY = {"normal": FC, "orthogonal": ORTHOGONAL, "sgd": SGD, "divided": DIVIDED, "conv": CONV}
FIFTHS = {
    f"std {words} {rate:g}": FIFTH.but(sigma_w=std, lr=rate, name=f"lens_std_{words.replace(' ', '_')}-lr={rate:g}")
    for words, std in STDS.items()
    for rate in (3e-4, 1e-3)
}

RUNS = {"tickets": QUICK} | STUDY | {"resnet": rl.preset("lens_resnet")} | FIFTHS | ARMS | LONG
FIGURES = {
    "accuracy": ("accuracy", {}, [*STUDY, "resnet"]),
    "accuracy-stopped": ("accuracy", {"stopped": True}, [*STUDY, "resnet"]),
    "gap": ("gap", {}, ["normal", "resnet"]),
    "weights": ("weights", {}, ["normal"]),
    "weights-arms": ("weights", {}, ["orthogonal", "sgd", "divided", "conv"]),
    "histogram": ("histogram", {}, ["normal"]),
    "qmap": ("qmap", {"parts": 2}, ["normal"]),
    "qmap-arms": ("qmap", {"parts": 2}, ["orthogonal", "sgd", "divided"]),
    "qmap-conv": ("qmap", {}, ["conv"]),
    "chi": ("chi", {"parts": 2}, ["normal"]),
    "cmap": ("cmap", {}, ["normal"]),
    "ladder": ("ladder", {"parts": 2}, ["normal"]),
    "degrees": ("degrees", {}, ["normal"]),
    "jacobian": ("jacobian", {}, ["normal"]),
    "verdict": ("verdict", {}, ["normal"]),
    "skips": ("skips", {}, ["resnet"]),
    "accuracy-std": ("accuracy", {}, FIFTHS),
    "recipes": ("recipes", {}, ["tickets", *ARMS]),
    "recipes-long": ("recipes", {}, ["normal", *LONG]),
    "recipes-stopped": ("recipes", {"stopped": True}, ["normal", *LONG]),
    "trainability": ("trainability", {}, ["tickets", *ARMS]),
}
