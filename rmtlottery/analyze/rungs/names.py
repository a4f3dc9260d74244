"""The rungs of the ladder: predictions that each drop one assumption of the rung before."""

MEASURED, PROBES = "measured", "iid probes"
T0, T1, T2 = "T0 nominal", "T1 survivors' std, dense fan-in", "T2 density x second moment"
T3, T3H = "T3 layer by layer", "T3h their histogram for the Gaussian"
T4, T5, T5B, T6 = "T4 rows and biases", "T5 full profile", "T5b finite in-degree", "T6 means"
T7, T8, T9, T9B = "T7 linear covariance", "T8 covariance", "T9 classes", "T9b classes in parts"

SOURCES = (MEASURED, T0, T1, T2, T3, T3H, T4, T5, T5B, T6, T7, T8, T9, T9B, PROBES)

# What each rung no longer assumes. T1 is the wrong normalisation and T3h has no derivation: they are no rungs to stand on.
DROPPED = {
    T0: "nothing",
    T2: "the nominal variance",
    T3: "that layers are alike",
    T4: "that units are alike, and biases random",
    T5: "that inputs of a unit are alike",
    T5B: "that a unit has very many inputs",
    T6: "that activations have mean 0",
    T7: "that inputs and activations are uncorrelated",
    T8: "that covariance passes linearly",
    T9: "that inputs are one Gaussian",
    T9B: "that a class is one Gaussian",
}
LADDER = tuple(DROPPED)
NONE, UNTOLD = "none", "untold"
NOTHING = "nothing"  # that is skipped
