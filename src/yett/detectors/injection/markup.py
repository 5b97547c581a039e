"""Markup: text that pretends to be something else than the text of one message: other turns, templates, hidden parts."""

from __future__ import annotations

from yett.detectors.injection.language import Rule, rule

MARKUP: tuple[Rule, ...] = (
    rule(
        "chat-template",
        "delimiter",
        0.45,
        0.6,
        r"<\|(?:im_start|im_end|im_sep|endoftext|system|user|assistant|end_of_turn|start_header_id|end_header_id|eot_id|begin_of_text|endofprompt|channel|message|start|end)\|>",
        r"\[/?inst\]|<</?sys>>|<start_of_turn>|<end_of_turn>|</?s>\[inst|<\|?begin▁of▁sentence\|?>",
        r"</(?:system|system_prompt|system-prompt|instructions?|untrusted|user_input|user_query|userinput|data|document|context|tool_result|function_results?)>\s{0,4}<(?:system|admin|instructions?|important|assistant|user|developer)",
        words=False,
    ),
    rule(
        "fake-turn",
        "delimiter",
        0.35,
        0.6,
        r"\n[#*>\[<\- ]{0,6}(?:system (?:prompt|message|override|note|instructions?|alert|update|command)|new instructions?|admin override|developer (?:message|note|instructions?|mode))(?:[ ]?\([a-z ]{1,20}\))?[\]>*]{0,4}[ \t]{0,2}:[ \t\n*]{0,4}[^\s:=]",
        r"\n#{1,6}[ ]?(?:system|new instructions?|instructions? (?:to|for) (?:the )?(?:ai|assistant|model|llm)|system prompt|admin|override)[ :]{0,2}\n",
        r"\n(?:human|user|assistant|ai|chatgpt)[ ]?: [^\n]{1,200}\n{1,2}(?:assistant|ai|system|chatgpt|bot)[ ]?:",
        r"(?:end of|begin|beginning of|start of|stop|finish) (?:the |of |user |system |new |secret )*(?:prompt|input|instructions?|system message|system prompt|context|untrusted|user input|user data|conversation|session|query)[ ~=*#>\]\n-]{1,10}(?:begin|start|new|system|now|admin|end|ignore|instruct|beginning)",
        r"(?:\[\[?|<<?|\{\{?)[ ]?/?(?:system|admin|developer|override|system[ _-]?(?:prompt|message|override|mode|note|instruction)s?|hidden instructions?|ai instructions?|instructions? (?:to|for) (?:the )?(?:ai|assistant|llm|model)|priority override)[ ]?(?:\]|>|\})[ :\]}>\n]{0,4}[a-z]",
        r"<(?:important|system-reminder|override)>[ \n]{0,4}[a-z]",
        words=False,
    ),
    rule(
        "turn-marker",
        "delimiter",
        0.2,
        0.3,
        r"\n[#*>\[<\- ]{0,6}(?:system|assistant|developer|admin)[\]>*]{0,4}[ ]?:[ ]{1,3}[a-z]",
        r"<(?:secret|hidden|admin|critical|assistant|ai)>[ \n]{0,4}[a-z]",
        r"\n(?:={3,}|-{3,}|\*{3,}|#{3,}|~{3,})[ ]?(?:end|begin|start|stop|new|system|admin)[ a-z]{0,40}(?:={3,}|-{3,}|\*{3,}|#{3,}|~{3,})",
        words=False,
    ),
    rule(
        "policy-puppetry",
        "delimiter",
        0.5,
        0.7,
        r"<(?:interaction-config|blocked-modes|blocked-string|blocked-responses|allowed-modes|allowed-responses|policy-override|system-config|bypass)[ />]",
        r"(?:blocked|allowed)[-_ ](?:modes|strings|responses) ?[:=]",
        r"(?:safety|moderation|safety[-_ ]?filters?|content[-_ ]?filters?|guardrails|ethics|censorship|safe[-_ ]?mode|safety[-_ ]?mode)['\" ]{0,3}[:=]{1,2} ?['\" ]{0,3}(?:off|false|disabled|none|0|bypassed|null)[^a-z0-9]",
        words=False,
    ),
    rule(
        "hidden-html",
        "hidden",
        0.15,
        0.4,
        r"<!--[^>]{0,80}(?:ignore|instruction|assistant|system|prompt|llm|[^a-z]ai[^a-z]|override|disregard|you must|agent|chatbot|model)",
        r"(?:display ?: ?none|visibility ?: ?hidden|font-size ?: ?0(?:px|pt|em|[;\"'])|opacity ?: ?0[;\"']|color ?: ?(?:white|#fff(?:fff)?|transparent)[;\"'])[^>]{0,80}>[^<]{0,120}(?:ignore|instruct|assistant|system|prompt|llm|[^a-z]ai[^a-z]|override|disregard|you must|agent|chatbot|send|user)",
        r"\[//\]: ?# ?[(\"'][^)\n]{0,80}(?:ignore|instruct|assistant|system|prompt|llm|override|disregard|you must|agent)",
        words=False,
    ),
    rule(
        "many-shot",
        "many-shot",
        0.6,
        0.6,
        r"(?:\n(?:q|question|human|user|p|f|s|v|问|질문|вопрос|质问|質問|問) ?: ?[^\n]+\n+(?:a|answer|assistant|ai|r|antwort|respuesta|答|回答|답변|ответ) ?: ?[^\n]+){5}",
        words=False,
    ),
)
