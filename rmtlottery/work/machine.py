"""How the processor is set while a unit is worked on."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled(threads: int) -> Iterator[None]:
    """So many threads, and products in fp32 that are not rounded to TF32's ten bits; as before afterwards."""
    import torch

    cudnn = torch.backends.cudnn
    before = torch.get_num_threads(), torch.get_float32_matmul_precision(), cudnn.allow_tf32
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("highest")
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])
        cudnn.allow_tf32 = before[2]


def tf32() -> str:
    """Whether a GPU may round what goes into a product in fp32 to TF32."""
    import torch

    loose = torch.get_float32_matmul_precision() != "highest" or torch.backends.cudnn.allow_tf32
    return "on" if loose and torch.cuda.is_available() else "off"
