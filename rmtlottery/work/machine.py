"""How the machine is set while a unit is worked on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

Switch = tuple[Any, str, Any]


@contextmanager
def settled(threads: int, device: str = "cpu") -> Iterator[None]:
    """So many threads, this device, fp32 that is fp32, and kernels that sum in one order; as before afterwards."""
    import torch

    wanted = [*exact(), (torch.backends.cudnn, "deterministic", True), (torch.backends.cudnn, "benchmark", False)]
    before, held = torch.get_num_threads(), [getattr(holder, name) for holder, name, _ in wanted]
    try:
        torch.set_num_threads(threads)
        for holder, name, value in wanted:
            setattr(holder, name, value)
        with ExitStack() as stack:
            if device != "cpu":
                stack.enter_context(torch.cuda.device(device))
            yield
    finally:
        torch.set_num_threads(before)
        for (holder, name, _), value in zip(wanted, held, strict=True):
            setattr(holder, name, value)


def exact() -> list[Switch]:
    """What keeps products in fp32 from being rounded to TF32 or bf16, by the names of this torch's time."""
    import torch

    backends: Any = torch.backends
    if hasattr(backends.cuda.matmul, "fp32_precision"):
        rooms = (backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul)
        return [(room, "fp32_precision", "ieee") for room in rooms]
    return [(backends.cuda.matmul, "allow_tf32", False), (backends.cudnn, "allow_tf32", False)]


def tf32() -> str:
    """Whether a GPU may round what goes into a product in fp32 to TF32."""
    import torch

    loose = any(getattr(holder, name) in (True, "tf32") for holder, name, _ in exact())
    return "on" if loose and torch.cuda.is_available() else "off"
