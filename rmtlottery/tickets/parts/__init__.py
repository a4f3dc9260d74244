"""The parts of a Spec: frozen groups of fields, one class a kind.

A field's annotation carries its help text and its bounds. A new field's default must be the former behaviour,
because a spec.json written before it does not name it.
"""

from rmtlottery.tickets.parts.data import Cifar10, Cifar100, Data, Digits, Given, Mnist, Teacher
from rmtlottery.tickets.parts.init import (
    DeltaOrthogonal,
    DividedBias,
    Glorot,
    He,
    Init,
    Law,
    Normal,
    Orthogonal,
    Own,
    Passed,
)
from rmtlottery.tickets.parts.keeping import Affine, Chart, Projection, Record, Said, Sum
from rmtlottery.tickets.parts.net import FC, Conv, LeNet, Module, Net, Padding, Phi, Readout, Resnet, Resnet18, Sharing, Skip
from rmtlottery.tickets.parts.origin import Origin, Taken
from rmtlottery.tickets.parts.part import Part
from rmtlottery.tickets.parts.pruning import AtInit, Prune, Scope, Trained, Untrained
from rmtlottery.tickets.parts.training import SGD, Adam, Constant, Cosine, Optimiser, Schedule, Steps, Target

__all__ = [
    "FC",
    "SGD",
    "Adam",
    "Affine",
    "AtInit",
    "Chart",
    "Cifar10",
    "Cifar100",
    "Constant",
    "Conv",
    "Cosine",
    "Data",
    "DeltaOrthogonal",
    "Digits",
    "DividedBias",
    "Given",
    "Glorot",
    "He",
    "Init",
    "Law",
    "LeNet",
    "Mnist",
    "Module",
    "Net",
    "Normal",
    "Optimiser",
    "Origin",
    "Orthogonal",
    "Own",
    "Padding",
    "Part",
    "Passed",
    "Phi",
    "Projection",
    "Prune",
    "Readout",
    "Record",
    "Resnet",
    "Resnet18",
    "Said",
    "Schedule",
    "Scope",
    "Sharing",
    "Skip",
    "Steps",
    "Sum",
    "Taken",
    "Target",
    "Teacher",
    "Trained",
    "Untrained",
]
