"""Activations as torch computes them, by the names that `rmtlottery.meanfield.activations` gives to theory."""

import torch

PHI = {"tanh": torch.tanh, "erf": torch.erf, "relu": torch.relu}
