"""English: instructions that are not the operator's, in English."""

from __future__ import annotations

from yett.detectors.injection.language import Rule, rule

_DROP = (
    "(?:ignore|ignoring|disregard|disregarding|forget|forgetting|override|overriding|bypass|bypassing|overlook|neglect|"
    "nullify|disobey|circumvent|set aside|put aside|throw away|pay no attention to|do not follow|don't follow|dont follow|"
    "stop following|stop obeying|do not obey|don't obey|never mind|nevermind|no longer follow|not bound by|"
    "break free (?:of|from))"
)
_REMOVE = (
    "(?:delete|erase|cancel|void|reset|skip|break|violate|overwrite|discard|dismiss|abandon|remove|drop|clear|wipe)"
)
_BEFORE = (
    "(?:previous|previously given|prior|earlier|above|preceding|foregoing|initial|original|aforementioned|past|former|"
    "system|safety|developer|developers'?|pre ?defined|pre ?programmed|built in|openai'?s?|ethical|moral|content|"
    "internal|hidden|secret|core)"
)
_YOURS = "(?:your|ur|any|all|these|those|every|all of (?:your|the|these)|any of (?:your|the)|all the|whatever|current|existing)"
_ORDERS = (
    "(?:instructions?|instruct|directions|directives?|guidelines?|guidance|rules?|commands?|orders|constraints?|restrictions?|"
    "programming|prompts?|safeguards?|polic(?:y|ies)|limitations|protocols?|guardrails?|training|statements|"
    "requests|tasks|roles?|alignment|ethics|principles|boundaries)"
)
_SAID = "(?:messages?|context|conversations?|texts?|content|inputs?|dialogue|discussion|history|chat|information|words|everything|stuff|prompting)"
_SHOW = (
    "(?:reveal|show|print|display|output|repeat|disclose|expose|leak|share|tell me|give me|send me|write out|write down|dump|"
    "reproduce|recite|return|provide|state|list|spell out|copy|echo|paste|type out|regurgitate|summari[sz]e|translate|"
    "describe|read out|divulge|spill|show me|read back|quote|convert|encode|rephrase|paraphrase|explain|uncover|append|unveil|"
    "complete|replicate|transcribe|report|extract|what is|what are|what's|what was|what were|know)"
)
_TELL = (
    "(?:reveal|show|print|display|output|repeat|disclose|expose|leak|dump|recite|regurgitate|divulge|spill|show me|tell me|give me|"
    "send me|read back|copy|echo|paste|type out|write out|write down|unveil|transcribe|spell out|share)"
)
_HIDDEN = (
    "(?:(?:system|initial|original|hidden|secret|internal|developer|first|full|entire|complete|base|core|starting|custom|"
    "confidential|underlying|operational|preset|root|master|pre|meta) ?){1,3}"
)
_PROMPT = (
    "(?:prompts?|instructions?|messages?|directives?|guidelines?|rules|configurations?|config|settings|preprompt|context|"
    "parameters|programming|initiali[sz]ation(?: text)?|specifications?|system prompts?|policies|setup|system ?message|commands?)"
)
_AI = (
    "(?:ai|llm|llms|assistant|assistants|language model|model|chatbot|chat ?gpt|gpt(?: ?[0-9o]{1,3})?|claude|gemini|copilot|bard|bot|agent|"
    "ai assistant|ai model|ai agent|ai system|ai language model|large language model|virtual assistant|chat bot)"
)
_READER = (
    "(?:ais?|llms?|assistants?|language models?|chatbots?|chat ?gpt|claude|gemini|copilot|ai (?:assistant|model|agent|system)s?|"
    "ai language models?|large language models?|virtual assistants?|automated (?:assistant|agent|system)s?|(?:summari[sz]ation|language|reading) (?:model|agent|system)s?)"
)
_FREE = (
    "(?:unrestricted|unfiltered|uncensored|unlimited|unbound|unethical|amoral|immoral|jailbroken|unchained|lawless|evil|"
    "malicious|unhinged|without (?:any )?(?:rules|restrictions|limits|limitations|filters?|censorship|ethics|morals|boundaries|guidelines|constraints|safeguards))"
)

ENGLISH: tuple[Rule, ...] = (
    # ---- what was said before shall not count
    rule("override-previous", "override", 0.9, 0.95, f"{_DROP} ~ {_BEFORE} ~ {_ORDERS}"),
    rule(
        "override-removed",
        "override",
        0.45,
        0.5,
        f"{_REMOVE} (?:all |any |of |the |your |my |every |everything in )*(?:previous|prior|earlier|above|preceding|initial|original|system|safety) {_ORDERS}",
        f"{_REMOVE} (?:all |any |of )*your (?:\\w+ ){{0,2}}(?:instructions?|directives?|guidelines?|programming|safeguards|restrictions|rules|memory|context|training)",
    ),
    rule(
        "override-previous-text",
        "override",
        0.6,
        0.8,
        f"{_DROP} (?:all |everything |any |of |the |my |our |your |in |from |this )*(?:previous|prior|earlier|above|preceding|foregoing) {_SAID}",
    ),
    rule(
        "override-the",
        "override",
        0.3,
        0.45,
        f"{_DROP} the (?:\\w+ )?(?:instructions?|directives|guidelines|restrictions|guardrails|prompts?|rules)",
    ),
    rule(
        "override-yours",
        "override",
        0.6,
        0.8,
        f"{_DROP} {_YOURS} ~ (?:instructions?|directives?|guidelines?|programming|safeguards|restrictions|guardrails|safety (?:rules|protocols|measures|filters?)|content polic(?:y|ies)|ethical (?:rules|guidelines)|constraints|filters|prompts?|training|rules|limitations|limits)",
    ),
    rule(
        "override-all",
        "override",
        0.7,
        0.9,
        f"{_DROP} (?:all |everything |anything |whatever |what )(?:of )?(?:the )?(?:above|before|i (?:have )?(?:just )?(?:said|told|wrote)(?: you)? (?:before|earlier|above|previously|so far|until now|up to|and)|you(?: have|'ve|'re| are| were)? ?(?:been )?(?:told|instructed|taught|learned|learnt|given|programmed|trained|read|were)|said|written|prior|previous|previously|that (?:came|comes|was|is) (?:before|above|said)|that was said)",
        f"{_DROP} (?:the )?(?:above|previous|preceding|foregoing)(?: and|,|;| then| text| stuff| instead| now| say| just| all)",
        f"{_DROP} (?:your|the) (?:previous|prior|old|earlier|original|initial) (?:role|persona|identity|task|job|goal|objective|purpose|character|self)",
        "instead of (?:the above|following (?:the|your|those|these) ~ (?:instructions?|rules|guidelines))",
        "(?:previous|prior|above|earlier|old|all other) (?:instructions?|directions|directives?|rules|prompts?|guidelines|commands|orders) (?:are|is|were|have been|has been|was|no longer|do not|don't|should be|must be|can be|shall be|will be|may be) ~ (?:void|cancel+ed|obsolete|ignored|disregarded|superseded|invalid|overridden|revoked|apply|outdated|deleted|wrong|fake|null|suspended|replaced|deprecated|nullified|expired|rescinded|lifted)",
        "(?:supersedes?|overrides?|replaces?|takes? precedence over|takes? priority over) (?:all |any |the |your |every )?(?:of )?(?:the |your )?(?:other |previous |prior |existing |earlier |above |system )(?:instructions?|prompts?|rules|directives?|guidelines|commands|orders|policies)",
    ),
    rule(
        "override-new",
        "override",
        0.35,
        0.85,
        "(?:here (?:are|is)|these are|this is|follow|following are|your|receive|obey|apply|use) (?:your |the |my |some |these |this )?(?:new|updated|revised|real|actual|true|only) (?:set of )?(?:instructions?|directives?|orders?|rules|guidelines|prompt|task|objective|goal|mission|system prompt)",
        "(?:new|updated|real|actual|additional|important|urgent|priority|special|emergency|admin|system|critical) (?:system )?(?:instructions?|directives?|orders|prompt|override|command|task) ?(?:for (?:the |you |this |all |any )?(?:ai|assistant|model|agent|llm|bot|you|chatbot)s?|(?:begin|start|follow|below)s?)",
        "(?:from now on|from this (?:moment|point)(?: on(?:wards?)?| forward)?|henceforth|starting now|going forward) (?:you|ignore|your|act|behave|respond|answer|reply|always|do not|only)",
        "your (?:new|real|actual|true|only|main|primary|sole) (?:task|role|job|objective|goal|purpose|mission|instructions?|identity|name|persona|function) (?:is|are|will be|has been|now)",
    ),
    rule(
        "override-stop",
        "override",
        0.3,
        0.7,
        "stop (?:what you(?: are|'re) doing|everything|translating|summari[sz]ing|being|acting as) and",
        "(?:ignore|disregard|forget|skip|do not|don't) (?:the |this |that |translating |doing |all |your )?(?:translation|summar(?:y|i[sz]ation|i[sz]e)|task|question|translating|user'?s? (?:request|question|query|task|prompt|instructions?)|document|article|resume|email|text|rest|classification|sentence|paragraph|input|content)(?: above| below)? (?:and|instead|but|just|simply|,|;)",
        "instead(?: of (?:that|this|doing (?:that|this)|answering|translating|summari[sz]ing))? (?:please )?(?:say|print|output|write|respond|reply|tell|state|answer|return) (?:with )?(?:exactly|only|just|the (?:following|phrase|words?|sentence)|that|i have been|i am|haha|pwned|hacked|user)",
        "(?:say|print|output|write|respond|reply|state|answer) ~ i have been pwned",
        "i have been pwned",
    ),
    # ---- who the model shall be
    rule(
        "persona-free",
        "persona",
        0.75,
        0.9,
        f"(?:you are|you're|act|acting|pretend|behave|respond|answer|roleplay|role play|imagine|be|become|simulate|emulate) ~ {_FREE} (?:and ~ )?{_AI}",
        f"{_AI} (?:that|who|which) (?:is |has been |can |has |will |would |does |does not |do not |doesn't |don't |never )?~ (?:no |any |not |without |ignore |{_FREE})?(?:rules|restrictions|limits|limitations|filters|censorship|ethics|morals|ethical|moral|refuses?|guidelines|boundaries|legality|illegal)",
        f"{_AI} (?:with no|without) (?:any )?~ (?:rules|restrictions|limits|limitations|filters|censorship|ethics|morals|boundaries|guidelines|constraints)",
        "(?:does|do|has|have|is|are|be|being|can) (?:not|no) (?:have |has |bound by |care about |any |longer )?~ (?:ethical|moral|legal) (?:or (?:ethical|moral|legal) )?(?:guidelines|boundaries|constraints|restrictions|limitations|concerns|rules|considerations|principles)",
        "(?:do anything now|dan mode|developer mode (?:enabled|activated|output|v2)|jailbreak(?:ed|broken)? mode|stay in character|stay a dan|evil ?bot|evil confidant|god ?mode|sudo mode|anti ?dan|betterdan|mongo ?tom|chad ?gpt|opposite mode|aim mode|unrestricted mode|unfiltered mode)",
        "(?:broken|broke|break|breaking|freed|escaped|escape) (?:free )?(?:of|from|out of) the ~ (?:confines|constraints|restrictions|limitations|limits|chains|shackles) of",
        "typical confines of ai",
        "always intelligent and machiavellian",
        "i know you can do it dan",
        "[a-z]{2,12} can do anything (?:now|and|without)",
        "(?:will|must|can|does|should|would|shall) (?:never|not) (?:ever )?(?:refuse|decline|reject|deny|say no to) (?:to )?(?:a |any |the |my |an |answer|do|fulfil|comply|follow|provide|direct|user)",
    ),
    rule(
        "persona-now",
        "persona",
        0.25,
        0.6,
        "you(?: are|'re|r| will be| shall be| must be| have become| will become)? (?:now|no longer|going to (?:be|act|pretend|play)|about to (?:immerse|become|play)|free|being|currently) (?:a|an|the|in|acting|to|known|called|named|my|just|operating|running|entering|connected)",
        "(?:pretend|imagine|act|behave|respond|answer|speak|simulate) (?:that )?(?:you(?: are|'re)|to be|like you are|as if you (?:are|were|have|had)|as though you (?:are|were)) ~ (?:no|not|free|dan|evil|hacker|human|jailbroken|unrestricted|root|admin|able to|terminal|developer|without|compiler|linux|two)",
        f"you are not (?:a |an |actually |really |just )?(?:a |an )?(?:{_AI}|bound|restricted|limited|affiliated)",
        "(?:enter|enable|activate|switch (?:in)?to|turn on|engage|initiate|unlock|start|go into|now in|boot into|run in|entering|simulate) ~ (?:developer|debug|god|admin|administrator|root|sudo|maintenance|dan|unrestricted|jailbreak|diagnostic|override|test(?:ing)?|unfiltered|training|service|engineering|privileged|superuser|raw|safe ?off) (?:mode|access|privileges|console|override)",
        "(?:debug|maintenance|developer|admin|god|diagnostic|root|override|system|test|service)[ _-]?(?:mode|override|access) ?(?::|=|->)? ?(?:enabled|activated|on|true|active|engaged|granted|initiated|authori[sz]ed|1|unlocked|full)",
    ),
    rule(
        "authority",
        "authority",
        0.3,
        0.4,
        "(?:i am|i'm|this is|we are|as) (?:the |your |an? |one of (?:the|your) )?(?:lead |senior |chief |head |openai |anthropic |google |ai |system |security |authorized |authorised |original )?(?:developer|creator|administrator|admin|programmer|sysadmin|root user|maker|engineer|red team|auditor|ceo)s? (?:of|at|from|who|and|here|speaking|for|,|i|so|with|that)",
        "(?:i have|with|using|under|by) (?:the |full |root |admin |elevated |special |proper )?(?:authori[sz]ation|clearance|admin(?:istrator)? (?:access|rights|privileges)|permission (?:from|to) (?:openai|anthropic|google|override|bypass|the developers?)|permissions you cannot)",
        "(?:authori[sz]ation|access|override|admin|clearance|bypass|verification|security) (?:code|level|token|key|password|phrase) ?(?:is|:|=)? ?[a-z]{0,8}[0-9-]{1,8}",
        "for (?:debugging|testing|audit|auditing|compliance|diagnostic|verification|training|maintenance|research) purposes? (?:only )?(?:please )?(?:reveal|show|print|output|display|share|provide|disclose|bypass|disable|ignore|repeat|dump|list|tell)",
    ),
    # ---- what the model was told
    rule(
        "extract-prompt",
        "extraction",
        0.75,
        0.85,
        f"{_SHOW} ~ (?:your|its|chatgpt'?s?|you r|ur) ~ {_HIDDEN}{_PROMPT}",
        f"{_TELL} ~ (?:the|our|this|that|all|any|every|of) ~ {_HIDDEN}{_PROMPT}",
        f"{_SHOW} (?:your|ur) {_PROMPT}",
        f"{_SHOW} (?:me )?(?:all |every |exactly )?(?:the |any )?(?:instructions?|rules|guidelines|directives?|text|prompts?|words|content|messages?|everything|information|context|lines|sentences?|paragraphs?|contents) (?:that )?(?:you (?:were|are|have been|have|received|got|must|follow|operate|had|see|can see)|above|given to you|provided to you|before (?:this|my|the)|up to this|preceding|at the (?:top|start|beginning)|you've been|were given|in your|prior to)",
        f"(?:what|which|how) (?:exactly )?(?:is|are|was|were|do|does|did) (?:in |written in |inside )?(?:your|ur) ~ (?:{_HIDDEN}{_PROMPT}|prompts?|instructions|guidelines|directives|initial(?:i[sz]ation)? (?:text|message))",
        "(?:what|which) (?:instructions|rules|prompt|guidelines|directives|constraints|restrictions) (?:were|was|are|is|did|do|have) (?:you|they|your) ~ (?:given|told|follow|been|programmed|have|operating|under|receive|set|using|instructed)",
        "(?:repeat|print|output|write|show|say|copy|return|echo|recite|type) (?:back )?(?:me )?(?:all |everything |every (?:word|thing) |anything |the (?:text|words|content|sentences?|paragraphs?|lines|prompt) |back )+(?:of )?(?:that (?:is|was|came|comes) )?(?:the )?(?:text |words )?(?:above|before this|preceding this|up to here|prior to this)",
        "what (?:did|have|has|was|were|is|are) (?:the |your |i |they |he |you )?(?:developer|system|creator|operator|openai|company|programmer|admin|been)s? (?:tell|told|instruct|instructed|say|said|give|given|write|written)",
        "(?:starting with|beginning with|begins? with|starts? with|after|following) (?:the (?:words?|phrase|line) )?(?:you are (?:chatgpt|a |an |the |now|claude|gpt)|system prompt)",
        "(?:system|initial|hidden|secret|original|developer|pre) ?(?:prompt|instructions?|message) (?:verbatim|word for word|in (?:full|base64|its entirety|hex|a code block|json|french|reverse)|character by character|please|now|here|above|exactly)",
    ),
    rule(
        "extract-secret",
        "extraction",
        0.45,
        0.7,
        "(?:tell|give|show|send|reveal|share|confirm|provide|disclose|print|what is|what's|spell) (?:me |us |to me )?(?:the |your |our |its |me )?(?:system'?s? |secret |hidden |admin |root |access |master |user'?s? |api |internal )*(?:passwords?|passwort|passphrase|passcode|secret (?:key|code|word|phrase)|api keys?|access (?:code|key|token)s?|credentials)(?: is| for| of| to| you| that|,|;|\\?|\\.|!)",
        "(?:first|last|next|initial) (?:\\w+ )?(?:letters?|characters?|words?) of (?:the |your )(?:system |secret |hidden |initial )*(?:password|prompt|secret|instructions?|key|message)",
        "(?:rhymes? with|hint (?:about|for|to)|encode[ds]?|base64 (?:of|encode)|reverse (?:of)?|acrostic|poem about|backwards?|spell) ~ (?:the |your )(?:system |secret |hidden )*(?:password|prompt|secret|passphrase|secret key)",
    ),
    # ---- how the model shall answer
    rule(
        "suppress-refusal",
        "refusal-suppression",
        0.5,
        0.7,
        "(?:do not|don't|dont|never|without|avoid|refrain from|cannot|can't|must not|not allowed to|no need to) (?:ever )?(?:be |any |use |using |include |including |add |adding |say |saying |give |giving |mention |respond with |apologi[sz]e|output |write )?~ (?:refus(?:e|al|als|ing)|apologi[sz](?:e|ing)|apolog(?:y|ies)|disclaimers?|(?:ethical|moral|legal|safety) (?:warnings?|concerns?|lectures?|considerations?|disclaimers?|guidelines)|warnings? (?:or|and) disclaimers?|moral(?:i[sz]e|i[sz]ing|s)|censor(?:ship|ing)?|as an ai|i'?m sorry|i can ?not|i can't|unfortunately|against (?:my|the|your) (?:policy|policies|guidelines|programming))",
        "(?:you (?:must|will|shall|have to|should|are (?:required|obligated|forced|going) to)|always) (?:always )?(?:comply|obey|answer (?:all|any|every|anything|everything)|fulfil+ (?:all|any|every)|follow (?:all|any|every|my|the user) ~ (?:orders?|commands?|instructions?|requests?)|agree)",
        "(?:regardless|irrespective|without regard|no matter|even if|despite|disregarding) ~ (?:ethic(?:s|al|ality)?|moral(?:s|ity)?|legal(?:ity)?|illegal|harmful|dangerous|consequences|guidelines|offensive|polic(?:y|ies)|restrictions|safety)",
        "(?:bypass|disable|turn off|deactivate|remove|lift|circumvent|evade|get around|jailbreak|suspend|switch off|evading|bypassing|disabling|defeat|shut off|unlock) (?:all |any |your |the |its |of |every |my |our )*(?:safety|content|ethical|moral|moderation|ai|censorship|openai|internal|nsfw|output|built in|model|chatgpt|safety and) ?(?:and \\w+ )?(?:filters?|guidelines|restrictions|protocols?|measures|guardrails|policy|policies|controls|checks|features|settings|mechanisms|constraints|systems?|limits|limitations|rules|moderation|training|layers?)",
        "(?:idc|i don'?t care|who cares|screw|fuck|to hell with|forget) ~ (?:your|ur|about|those|the) ~ (?:restrictions|guidelines|rules|polic(?:y|ies)|limits|filters|ethics|programming)",
        "(?:hypothetical|fictional|imaginary|alternate|parallel) (?:world|scenario|universe|story|setting|reality|dimension|response|situation) ~ (?:where|in which|with|that|has) ~ (?:no |without |ai |legal|illegal|rules|laws|restrictions|ethics|limits|not |anything)",
        "this is (?:purely |just |only |completely )?(?:hypothetical|fiction(?:al)?|for educational purposes|a (?:test|simulation|hypothetical|fictional|game)) ~ (?:so|therefore|you|ignore|the rules)",
    ),
    rule(
        "answer-prefix",
        "refusal-suppression",
        0.25,
        0.5,
        "(?:start|begin|preface|open|prefix) (?:your |the |every |each |all )?(?:reply|response|answer|output|responses|message|sentence)s? (?:with|by saying|by) (?:the (?:words?|phrase|sentence) )?(?:sure|absolutely|yes|of course|certainly|ok|okay|hello|i have|dan|[a-z]{2,12}:)",
    ),
    # ---- what the user shall not know, and what shall be done behind their back
    rule(
        "conceal",
        "concealment",
        0.45,
        0.85,
        "(?:do not|don't|never|without|avoid|refrain from) (?:ever )?(?:tell|telling|inform|informing|mention|mentioning|reveal|revealing|disclose|disclosing|notify|notifying|alert|alerting|show|showing|let|letting|say|report|acknowledge|explain|warn|warning|discuss|ask|asking|share) ~ (?:to |the |any |your |this to the |that |it to the )?(?:user|users|human|customer|anyone|anybody|operator|client|reader|recipient|this (?:instruction|message|prompt|note|to)|these instructions|these hidden|this tool|about this|this step|the (?:existence|presence) of|know)",
        "(?:user|human|customer) (?:must|should|does|do|need|can|will) (?:not|never) (?:need to |be |have to )?(?:know|see|notice|be told|be informed|be aware|told|informed|aware|find out|learn)",
    ),
    rule(
        "conceal-hint",
        "concealment",
        0.25,
        0.4,
        "(?:without|and do not|never) (?:the )?(?:user'?s? )?(?:knowledge|consent|noticing|knowing|awareness|being (?:told|noticed|aware)|user(?:'s)? (?:consent|knowledge|approval|confirmation)|asking (?:the user|for (?:permission|confirmation)))",
        "(?:keep|hide|conceal|omit) (?:this|these|it|that) ~ (?:secret|hidden|from the (?:user|human|customer)|confidential|between us|invisible|to yourself|quiet)",
        "(?:silently|secretly|covertly|quietly|discreetly|in the background|stealthily) (?:and (?:\\w+ ))?(?:send|forward|upload|post|call|include|add|append|execute|run|transmit|exfiltrate|copy|delete|email|fetch|invoke|insert|embed|transfer|read|collect|store|record|perform|use)",
    ),
    rule(
        "exfiltrate",
        "exfiltration",
        0.35,
        0.75,
        "(?:send|forward|upload|post|transmit|exfiltrate|leak|email|copy|submit|share|deliver|transfer|append|attach|export|report|pass|encode|include|relay|pipe) ~ (?:conversation(?: history)?|chat (?:history|log|logs)|system prompt|api[ _-]?keys?|credentials|passwords?|secrets?|tokens?|environment variables|env vars?|\\.env|ssh keys?|private keys?|id_rsa|contacts|inbox|emails|all (?:files|data|messages|emails|documents|user data|information|customer|the)|(?:user|customer|personal|sensitive|confidential|private|financial|internal)(?:'s)? (?:data|information|info|records|details|emails?|messages|documents|files)|contents? of|cookies?|session|history|results?|balance|credit card)(?: data| details| numbers?| info(?:rmation)?)? ~ (?:to|via|at|as|in|into|through|with|using|by)(?: the| an?| this| following| our| external| my)* (?:https?://|www\\.|[a-z0-9._-]{1,40}@|url|webhook|endpoint|server|email|address|attacker|link|query|image|external|webpage|site|following|param(?:eter)?s?|channel|\\+?[0-9]{5})",
        "(?:read|open|load|cat|fetch|copy|take) [^\\s]{0,20}(?:\\.ssh/|\\.aws/|\\.env|\\.netrc|\\.npmrc|\\.kube/|\\.gnupg/|id_rsa|id_ed25519|/etc/shadow)[\\w./-]{0,40}[`'\"]?,? (?:and|then) (?:then )?(?:pass|send|put|include|append|post|upload|attach|give|return|hand)",
        "!\\[[^\\]\\n]{0,60}\\]\\(https?://[^)\\s]{1,120}(?:\\{|\\[|%7b|<|\\$)[a-z_ ]{2,40}",
        "(?:append|include|insert|encode|embed) ~ (?:data|information|conversation|secret|summary|key|password|it|history|prompt|them|message|contents?|value|email|answer|result)s? ~ (?:to|in|into|as|at the end of|inside) ~ (?:url|link|query (?:string|param(?:eter)?s?)|image (?:url|link|tag|source)|markdown image|get (?:request|param(?:eter)?s?)|path|parameters?)",
    ),
    rule(
        "tool-abuse",
        "tool",
        0.2,
        0.4,
        "(?:call|invoke|use|run|execute|trigger) (?:the |this |your |a |an )?[`'\"]?(?:send_?email|send_?message|delete_?\\w{1,20}|transfer_?\\w{1,20}|create_?\\w{1,20}|execute_?\\w{1,20}|run_?\\w{1,20}|http_?\\w{1,20}|fetch_?\\w{1,20}|write_?file|read_?file|shell|bash|terminal|exec|browser|update_?\\w{1,20}|send_?\\w{1,20}|make_?\\w{1,20}|post_?\\w{1,20})[`'\"]? (?:tool|function|command|with|to|on|api|and|plugin|action)",
        "before (?:using|calling|invoking|running|executing|answering|responding|replying|you (?:use|call|answer|respond|do)|proceeding|continuing|any other|doing anything|completing) ~ (?:you must|you should|you need to|you have to|first|always|please|make sure|call|read|run|send|use|open|also|this tool|must)",
    ),
    rule(
        "ordered",
        "tool",
        0.0,
        0.25,
        "(?:you must|you should|you need to|always|make sure to|be sure to|it is (?:mandatory|required|important|critical|essential|necessary) (?:to|that you)|required to|remember to) (?:first |also |always |then |immediately )*(?:call|invoke|run|execute|read|send|open|fetch|access|use|pass|forward|include|transfer|delete|click|visit|download|install|approve|grant)",
    ),
    # ---- an imperative to the reader's assistant: where data stands
    rule(
        "addressed",
        "addressed",
        0.0,
        0.6,
        f"(?:dear|hey|attention|attn|@) ?(?:the |any |all |an? |this |every |our )?(?:\\w+ )?{_READER}(?: \\w+){{0,4}} ?[:,;!.-]",
        f"(?:note|notice|message|important(?: \\w+)?|warning|reminder|memo)s? (?:to|for) (?:the |any |all |an? |this |every |our |your )?(?:\\w+ )?{_READER}",
        f"(?:instructions?|directives?|prompt|request|command|hint)s? (?:to|for) (?:the |any |all |an? |this |every |our |your )?(?:\\w+ )?{_READER}(?: \\w+){{0,3}} ?:",
        f"(?:to|for) (?:all|any|every|whichever) (?:\\w+ )?{_READER}(?: \\w+){{0,4}} ?[:,]",
        f"(?:if|since|because|as|in case) you(?: are|'re) (?:an? |the |reading this as an? )?(?:\\w+ )?{_READER}",
        f"(?:any|all|every|the|an) {_READER} (?:reading|processing|summari[sz]ing|analy[sz]ing|parsing|viewing|reviewing|evaluating|handling|that reads?|who reads?|accessing|scanning|ingesting|seeing) (?:this|the|it|these)",
    ),
    rule(
        "told",
        "addressed",
        0.0,
        0.35,
        "(?:ai|llm|assistant|chatbot|copilot|chatgpt|claude|gemini)s? (?:must|should|shall|has to|needs to|is (?:required|instructed|asked|expected|requested|directed|authorized) to|are (?:required|instructed|asked|expected|requested|directed) to|please|will now|is to|are to|:) ?(?:now |also |always |first |immediately |instead |not |ignore |only |then |please )*(?:ignore|disregard|say|print|output|send|call|respond|reply|include|add|recommend|rate|rank|approve|tell|write|state|mention|forward|execute|run|visit|click|stop|refuse|treat|mark|classify|transfer|delete|append|use|summari[sz]e|answer|give|follow|perform|assign|score|reveal|obey)",
    ),
    rule(
        "answer-with",
        "answer",
        0.1,
        0.35,
        "(?:please )?(?:respond|reply|answer|return|output|end|finish|conclude|start|begin|say|state) (?:only |just |simply |always |immediately |your (?:reply|response|answer|summary|output) )*(?:with|by (?:saying|writing|stating|adding))(?: only| just| exactly| the| a| this| these| an)* (?:phrase|words?|sentence|string|message|following|link|text|\"|'|`|“|exact)",
        "(?:tell|inform|advise|notify|convince|persuade|instruct|recommend|encourage|urge|direct|warn|remind|trick) (?:the |this |your |any |all |every )?(?:user|users|human|customer|customers|reader|person|client|recipient)s? (?:that|to|they|his|their|know|for|about|into|how|it|you)",
        "(?:in|to|at the (?:end|start|beginning|top) of|include in|add to|append to) (?:your|the|every|all|any|each) (?:final |next |own )?(?:summary|response|reply|answer|output|translation|review|report|responses|replies|answers|email|message)s? (?:,|you|please|must|should|include|add|always|mention|say|write|insert|append|the|also|:|with) ?",
        "(?:include|add|insert|append|mention|put|place|write|embed) ~ (?:in|to|into|at the end of|on|at the (?:start|top|beginning) of) (?:your|the|every|all|any|each) (?:final |next |own )?(?:summary|response|reply|answer|output|translation|review|report|responses|replies|answers)s?",
        "(?:rate|rank|score|classify|label|mark|evaluate|consider|treat|recommend|list|judge|grade|give|assign) (?:this|the|it|me|my|our|him|her|them|all) ~ (?:as |a )?(?:the )?(?:(?:best|top|highest|most|perfect|excellent|safe|legitimate|benign|not spam|approved|first|hired?|strong|ideal|qualified|trusted|positive|10/10|5 stars?|full (?:marks|score)|maximum))",
    ),
)
