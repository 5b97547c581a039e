"""Walk the string leaves of a decoded JSON body in document order, each with the ordinal that `patch` finds its bytes by.

*Every* leaf is visited, known field or not: a secret in `metadata`, in a tool's schema or in a field that only some other
server understands leaves the building just the same. Object names and long integers are shown to the detectors too, with
the index UNPATCHABLE: they can be found but not rewritten, so an obligation to redact them becomes a refusal.
"""

from __future__ import annotations

import re
from typing import Any

from yett.dialects.strict_json import MAX_DEPTH
from yett.errors import Refusal
from yett.model.segment import Segment

UNPATCHABLE = -1
LONG_INTEGER = 10**11  # 12 digits: the shortest number that could be a payment card

# Names that every request of this API consists of; showing them to the detectors again and again would be waste.
COMMON_NAMES = frozenset(
    "role content type text name id index object created model messages tools function parameters properties required "
    "description tool_calls tool_call_id arguments strict temperature top_p n stream stream_options include_usage stop "
    "max_tokens max_completion_tokens presence_penalty frequency_penalty logit_bias user seed response_format json_schema "
    "schema additionalProperties items enum title default anyOf tool_choice parallel_tool_calls logprobs top_logprobs "
    "image_url url detail input_audio data format file file_data filename metadata store reasoning_effort service_tier "
    "choices message finish_reason usage prompt_tokens completion_tokens total_tokens prompt_tokens_details cached_tokens "
    "completion_tokens_details reasoning_tokens system_fingerprint refusal annotations audio_tokens token bytes logprob "
    "accepted_prediction_tokens rejected_prediction_tokens delta error code param".split()
)


# Fields whose text is something else than the rest of its message.
ROLE_OF = {
    "tool_calls": "arguments",
    "function_call": "arguments",
    "filename": "filename",
    "url": "url",
    "refusal": "refusal",
    "reasoning": "reasoning",  # OpenRouter, vLLM
    "reasoning_content": "reasoning",  # DeepSeek, vLLM
    "annotations": "annotation",  # pages that an answer rests on: their titles are written by strangers
    "documents": "document",  # retrieved, beside the messages: vLLM, Cohere
}
# Fields that hold a word or an id of the protocol, nobody's text; as long as that is what they hold.
PROTOCOL = frozenset("role type id tool_call_id detail format".split())
_LONGEST_ID = 64
_SPACE = re.compile(r"\s")


class Leaves:
    """Collects segments over one body; the ordinal counter runs through all calls of `walk`, in document order."""

    __slots__ = ("next_index", "segments")

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.next_index = 0

    def walk(self, value: Any, role: str, depth: int = 0) -> None:
        """Visit `value` and everything below it. Raises Refusal("json_too_deep")."""
        if depth > MAX_DEPTH:
            raise Refusal("json_too_deep", f"The JSON is nested deeper than {MAX_DEPTH} levels.")
        kind = type(value)
        if kind is dict:
            for name, item in value.items():
                if name not in COMMON_NAMES:
                    self.segments.append(Segment(name, role, UNPATCHABLE))
                if name in PROTOCOL and type(item) is str and len(item) <= _LONGEST_ID and not _SPACE.search(item):
                    self.walk(item, "other", depth + 1)
                else:
                    self.walk(item, role if role == "definition" else ROLE_OF.get(name, role), depth + 1)
        elif kind is list:
            for item in value:
                self.walk(item, role, depth + 1)
        elif kind is str:
            if value:
                self.segments.append(Segment(value, role, self.next_index))
            self.next_index += 1
        elif kind is int and (value >= LONG_INTEGER or value <= -LONG_INTEGER):
            self.segments.append(Segment(str(value), role, UNPATCHABLE))
