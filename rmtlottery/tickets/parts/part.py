"""`Part`: one group of a Spec's fields, as frozen data."""

from dataclasses import dataclass
from typing import Any, ClassVar

from rmtlottery.tickets.fields import accept, declared, shown


@dataclass(frozen=True)
class Part:
    """One group of a Spec's fields. Subclasses are groups, their subclasses the kinds."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for field in declared(type(self)).values():
            object.__setattr__(self, field.name, accept(field, getattr(self, field.name)))

    def __str__(self) -> str:
        """The kind and every field, as a reader wants them."""
        fields = ", ".join(f"{name} {shown(getattr(self, name)) or 'none'}" for name in declared(type(self)))
        return f"{self.kind}: {fields}" if fields else self.kind

    def to_dict(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in declared(type(self))}
        return {"kind": self.kind} | {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
