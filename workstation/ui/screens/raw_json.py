"""Commands and events written as JSON: decoded so that no word of it is lost.

What journals hold may have fields that another version knows; what a person types may
not: a misspelt ``reduce_only`` would be an order that opens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from workstation.model.money import figure_error

__all__ = ["RawError", "decode_strictly"]


class RawError(ValueError):
    """JSON that is none of the types; says which field and what would be right."""


def decode_strictly(text: str, types: Sequence[type[Struct]]) -> Any:
    """Return the struct of a JSON text, one of ``types`` by its tag.

    Raises RawError for what is no JSON, none of them, has a field that the type has
    not, or a figure that no order or account can have. Any: it is one of ``types``.
    """
    try:
        given = msgspec.json.decode(text)
        if not isinstance(given, dict):
            raise RawError("expected an object, such as {…}")
        chosen = _chosen(given, types)
        unknown = given.keys() - {*chosen.__struct_encode_fields__, _tag_field(chosen)}
        if unknown:
            fields = ", ".join(chosen.__struct_encode_fields__)
            raise RawError(f"no field {min(unknown)!r}; there are {fields}")
        found = msgspec.convert(given, chosen, strict=False)
    except msgspec.ValidationError as error:
        raise RawError(str(error)) from error
    except msgspec.DecodeError as error:
        raise RawError(f"not JSON: {error}") from error
    if wrong := figure_error(structs.asdict(found)):
        raise RawError(wrong)
    return found


def _chosen(given: dict[str, object], types: Sequence[type[Struct]]) -> type[Struct]:
    by_tag = {each.__struct_config__.tag: each for each in types}
    tag = given.get(_tag_field(types[0]))
    if tag is None and len(types) == 1:
        return types[0]
    found = by_tag.get(tag) if isinstance(tag, str) else None
    if found is None:
        known = ", ".join(str(each) for each in by_tag)
        raise RawError(f"type: found {tag!r}; there are {known}")
    return found


def _tag_field(type_: type[Struct]) -> str:
    return type_.__struct_config__.tag_field or "type"
