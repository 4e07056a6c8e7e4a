"""Types that several answers share: a value that does not fit takes its field's default."""

from datetime import datetime
from typing import Annotated

import msgspec

#: A moment that names its zone.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
#: Nothing that is counted is below zero, or beyond what a column holds.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
