"""A property that is computed when it is first read, and then stored in the instance.

Layer 0, no IO. `functools.cached_property` of Python 3.11 has one lock for all instances: a child that is forked while any thread holds it
would wait for ever. Here, threads that ask at once each work it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

T = TypeVar("T")


class lazy_property(Generic[T]):  # noqa: N801  (used as a function, as `property` is)
    """A property whose value is kept in the instance, which then is asked no more."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._work(instance)
        return value
