"""What is learnt."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from rmtlottery.tickets.fields import at_least, fraction
from rmtlottery.tickets.parts.part import Part

Shuffled = Literal["nothing", "pixels", "labels", "classes"]
Scale = Literal["moments", "range"]


@dataclass(frozen=True)
class Data(Part):
    """What is learnt."""

    validation: Annotated[float, "part of the training set held out for validation", fraction()] = 0.1
    shuffled: Annotated[
        Shuffled, "pixels: all pictures by one permutation; classes: renamed by one; labels: by lot among samples"
    ] = "nothing"
    shuffling: Annotated[int, "which permutation", at_least(0)] = 0
    scale: Annotated[Scale, "moments: inputs of mean 0 and std 1; range: from 0 to 1"] = "moments"


@dataclass(frozen=True)
class Digits(Data):
    """The bundled 8x8 handwritten digits: 1797 pictures, every fifth one kept for the test."""

    kind: ClassVar[str] = "digits"


@dataclass(frozen=True)
class Teacher(Data):
    """Gaussian inputs labelled by a fixed random tanh net with one hidden layer of 64."""

    kind: ClassVar[str] = "teacher"
    inputs: Annotated[int, "length of a teacher's input", at_least(1)] = 64
    classes: Annotated[int, "classes a teacher tells apart", at_least(2)] = 10
    samples: Annotated[int, "samples a teacher labels, every fifth one for the test", at_least(10)] = 4000
    teacher_seed: Annotated[int, "which teacher", at_least(0)] = 0


@dataclass(frozen=True)
class Recall(Data):
    """Sequences of pairs of a key and a value, then one of the keys: the class is the value beside it."""

    kind: ClassVar[str] = "recall"
    pairs: Annotated[int, "pairs that a sequence shows, no key twice", at_least(1)] = 4
    keys: Annotated[int, "keys there are", at_least(1)] = 8
    values: Annotated[int, "values there are, which are the classes", at_least(2)] = 8
    samples: Annotated[int, "sequences, every fifth one for the test", at_least(10)] = 5000
    renaming: Annotated[int, "0: the answer is the value; k: its name by the k-th permutation", at_least(0)] = 0


@dataclass(frozen=True)
class Text(Data):
    """The bundled GNU General Public License: characters in a row, the class is the next; the last fifth is for the test."""

    kind: ClassVar[str] = "text"
    places: Annotated[int, "characters that a sample of a text shows", at_least(1)] = 16
    every: Annotated[int, "characters from the start of a sample of a text to that of the next", at_least(1)] = 1


@dataclass(frozen=True)
class Mnist(Data):
    """Handwritten digits: 60,000 pictures of 28x28 to learn from, 10,000 for the test (LeCun et al. 1998)."""

    kind: ClassVar[str] = "mnist"


@dataclass(frozen=True)
class Cifar10(Data):
    """Ten classes of 32x32 colour pictures: 50,000 to learn from, 10,000 for the test (Krizhevsky 2009)."""

    kind: ClassVar[str] = "cifar10"


@dataclass(frozen=True)
class Cifar100(Data):
    """The same with a hundred classes (Krizhevsky 2009)."""

    kind: ClassVar[str] = "cifar100"


@dataclass(frozen=True)
class Given(Data):
    """Tensors that the user passes as `data=`; the Spec knows them by name and fingerprint."""

    kind: ClassVar[str] = "given"
    fingerprint: Annotated[str, "the first 16 digits of the tensors' SHA-256"] = ""
