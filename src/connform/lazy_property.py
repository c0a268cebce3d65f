"""A property that is computed when it is first read, and then stored in the instance.

Layer 0, no IO. In Python 3.11, `functools.cached_property` has one lock for all instances, and a child that is forked
while a thread holds it would wait for ever. This one has no lock: threads that read at the same time may each compute
the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy_property(Generic[T]):  # noqa: N801  (used as a function, as `property` is)
    """A property whose value is stored in the instance's `__dict__`, which is read from then on."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value = self._compute(instance)
        object.__setattr__(instance, self._name, value)  # `instance.__dict__` would make a dict for each of thousands
        return value
