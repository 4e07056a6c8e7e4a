"""Reads what fits of a value whose format has drifted: a spoilt field costs itself, not the rest.

Pages decode their whole state into typed structs in one go; only when that fails do they come
here, so that this way may be slow.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin

import attrs
import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_UNIONS = (Union, UnionType)


@attrs.frozen(str=False)
class Misfit(ValueError):
    """A field without which its owner is worth nothing is missing or spoilt."""

    field: str
    value: object

    def __str__(self) -> str:
        return self.named({})

    def named(self, words: Mapping[str, str]) -> str:
        """The complaint with a field called by another word: no price in 'нет'."""
        found = "" if self.value is msgspec.UNSET else f" in {self.value!r}"
        return f"no {words.get(self.field, self.field)}{found}"


#: What stands for a letter that cannot be read.
SPOILT_LETTER = "\ufffd"


class NotJson(ValueError):
    """Bytes that are not JSON, even when their letters are mended."""


class TooDeep(NotJson):
    """JSON whose brackets go deeper than anybody means: 1,000 levels and more."""


#: What a decoder raises for bytes that do not fit: broken JSON, another format, no UTF-8,
#: an abyss of brackets.
UNFIT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def in_utc(moment: datetime | None) -> datetime | None:
    """The moment in UTC. None for what is out of the calendar there, as the year 1 may be."""
    try:
        return moment and moment.astimezone(UTC)
    except OverflowError:
        return None


def parse(text: bytes) -> object:
    """Decode JSON, mending bytes that are not UTF-8, halves of characters cut in two, and tabs
    and line ends that stand in texts as they are.

    Raises NotJson for anything else, TooDeep for an abyss of brackets.
    """
    try:
        return msgspec.json.decode(text)
    except UNFIT:
        pass  # the letters may be spoilt and the rest be right
    try:
        value = json.loads(text.decode("utf-8", "replace"), strict=False)
        dumped = json.dumps(value, ensure_ascii=False)
        mended = dumped.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return msgspec.json.decode(mended)
    except RecursionError:
        raise TooDeep("its brackets go too deep") from None
    except (ValueError, *UNFIT) as spoilt:
        raise NotJson(str(spoilt)) from None


def read(value: object, shape: type[S], *, essential: Iterable[str] = ()) -> S:
    """Read what fits of an object into a struct; what does not fit takes its default.

    Raises Misfit when a field without a default, or one named in `essential` and not null, does
    not fit, at any depth.
    """
    if not isinstance(value, dict):
        raise Misfit(shape.__name__, value)
    essential = frozenset(essential)
    kept = {}
    for field in msgspec.structs.fields(shape):
        given = value.get(field.encode_name, msgspec.UNSET)
        try:
            if given is not msgspec.UNSET or field.required:
                kept[field.name] = _fit(given, field.type, essential)
        except msgspec.ValidationError:
            if field.required or field.encode_name in essential:
                raise Misfit(field.encode_name, given) from None
        except Misfit as misfit:
            if field.required or misfit.field in essential:
                raise
    return shape(**kept)


def _fit(value: object, shape: object, essential: frozenset[str]) -> object:
    """The value as the type wants it. Raises msgspec.ValidationError when it cannot be."""
    try:
        return msgspec.convert(value, shape, strict=False)
    except msgspec.ValidationError:
        for form in _forms(shape):
            fitted = _fit_form(value, form, essential)
            if fitted is not msgspec.UNSET:
                return fitted
        raise


def _fit_form(value: object, form: object, essential: frozenset[str]) -> object:
    if form is str and type(value) is int:
        return str(value)
    if isinstance(form, type) and issubclass(form, msgspec.Struct) and isinstance(value, dict):
        return read(value, form, essential=essential)
    inner = get_args(form)
    if get_origin(form) in (list, tuple) and isinstance(value, list):
        fitting = _fitting(value, inner[0], essential)
        return tuple(fitting) if get_origin(form) is tuple else list(fitting)
    if get_origin(form) is dict and isinstance(value, dict):
        return {
            key: fitted
            for key, one in value.items()
            for fitted in _fitting([one], inner[1], essential)
        }
    return msgspec.UNSET


def _fitting(
    values: Iterable[object], shape: object, essential: frozenset[str]
) -> Iterable[object]:
    for value in values:
        try:
            yield _fit(value, shape, essential)
        except msgspec.ValidationError:
            continue
        except Misfit as misfit:
            if misfit.field in essential:
                raise


def _forms(shape: object) -> tuple[object, ...]:
    """The members of a union, or the type itself, without annotations."""
    if get_origin(shape) is Annotated:
        return _forms(get_args(shape)[0])
    if get_origin(shape) in _UNIONS:
        return tuple(form for member in get_args(shape) for form in _forms(member))
    return (shape,)
