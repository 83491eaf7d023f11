from typing import Any

from hl7apy.core import Message

def parse_message(
    message: str,
    validation_level: int | None = ...,
    find_groups: bool = ...,
    message_profile: Any = ...,
    report_file: str | None = ...,
    force_validation: bool = ...,
) -> Message: ...
