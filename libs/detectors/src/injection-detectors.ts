import type { LiteralDetector } from './detector.js';
import { WORD_START } from './word-start.js';

/** Up to six characters between two words: spaces, line ends (also as escapes of a text in a text), asterisks. */
const GAP = '(?:(?:\\\\[nrt]|[^A-Za-z0-9]){1,6})';
const ADDRESSEE =
  '(?:ai|a\\.i\\.|llms?|language models?|assistants?|ai agents?|agents?|chatbots?|copilot|claude|chatgpt|gpt-?\\d?|gemini)';
const ORDERS =
  '(?:instructions?|prompts?|rules?|directives?|guidelines?|commands?|orders?|directions?|messages?|constraints?|restrictions?|safeguards?|polic(?:y|ies)|programming|context|tasks?)';

/** A rule in words: single spaces stand for gaps, `WORD` parts are alternations. Sticky, without case. */
function rule(kind: string, literals: readonly string[], ...phrases: readonly string[]): LiteralDetector {
  const source = phrases.map((phrase) => phrase.replaceAll(' ', GAP)).join('|');
  return {
    id: `injection.${kind}`,
    category: 'injection',
    trigger: 'literal',
    literals,
    pattern: new RegExp(`${WORD_START}(?:${source})`, 'iy'),
  };
}

const OLD =
  '(?:previous|prior|above|earlier|preceding|foregoing|existing|initial|original|former|past|system|safety|current|other)';
const FILLER = '(?:(?:all|any|every|each|of|the|your|my|our|these|those|such|and|or|everything|about|to) ){0,4}';

/** Ten signs of a text that gives orders to the model which reads it, instead of informing it. */
export const INJECTION_DETECTORS: readonly LiteralDetector[] = [
  rule(
    'override',
    [
      'ignore',
      'disregard',
      'forget',
      'override',
      'bypass',
      'overrule',
      'discard',
      'stop following',
      'do not follow',
      "don't follow",
    ],
    `(?:ignore|ignoring|disregard(?:ing)?|forget|override|bypass|overrule|discard|stop following|do not follow|don't follow) ${FILLER}(?:${OLD} (?:and )?){1,3}(?:[a-z]{2,14} )?${ORDERS}`,
    `(?:ignore|disregard|forget) (?:all|every|any)(?: of)?(?: (?:your|the|these|those))? (?:instructions?|rules|guidelines|prompts?)`,
    `(?:ignore|disregard|forget) (?:all|everything)(?: that)?(?: was| has been)?(?: you were told)?(?: you know)?(?: said| written)? (?:above|before|previously|so far|until now|you were told)`,
  ),
  rule(
    'new-orders',
    [
      'new instruction',
      'new task',
      'new objective',
      'new goal',
      'new directive',
      'updated instruction',
      'new role',
      'real instruction',
      'your instructions',
    ],
    `(?:new|updated|real) (?:system )?(?:instructions?|directives?)(?: for (?:you|the (?:ai|assistant|agent|model)))? {0,1}(?:follow|below|:)`,
    `new (?:instructions?|task|objective|goal|directive|role)(?: for you)? (?:is|are) (?:to|now|as)`,
    `your instructions (?:have been|are now|were) (?:changed|updated|replaced|overridden|superseded)`,
  ),
  rule(
    'chat-markup',
    [
      '<|im_',
      '<|system',
      '<|user',
      '<|assistant',
      '<|endof',
      '<|start_',
      '[inst]',
      '[/inst]',
      '<<sys>>',
      '<system-',
      '<important>',
      '<information>',
      '</tool_result',
      '</function_result',
      '<system_',
    ],
    `<\\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id|endofprompt)\\|>`,
    `\\[/?inst\\]|<<sys>>|<system[-_](?:prompt|message|reminder|override|instructions?)>|<(?:important|information)>|</(?:tool|function)_results?>`,
  ),
  rule(
    'role-change',
    ['you are now', 'from now on', 'pretend', 'developer mode', 'act as if', 'you are no longer', 'jailbr'],
    `you are now (?:(?:a|an|in|the|operating|acting|running|as) ){0,3}(?:dan|jailbroken|unrestricted|unfiltered|uncensored|developer mode|admin|root|evil|free from|no longer|new)`,
    `you are no longer (?:bound|restricted|limited|required|an? (?:ai|assistant|language model|helpful))`,
    `from now on(?:,)?(?: you|your)(?: (?:will|must|are|shall|should|have to|responses?|answers?|only|can|may)){1,2}`,
    `pretend(?: that)? you(?: are|'re| have| had)? (?:not an ai|no (?:restrictions?|rules|limits?|guidelines)|unrestricted|jailbroken|dan|evil|an? (?:unrestricted|unfiltered|evil))`,
    `act as if you (?:have|had|are|were) (?:no|not|free|unrestricted|without)`,
    `developer mode (?:enabled|activated|on|output)`,
  ),
  rule(
    'concealment',
    ['do not', "don't", 'never', 'without', 'keep this', 'hide this'],
    `(?:do not|don't|never) (?:ever )?(?:tell|mention|inform|notify|alert|reveal|disclose|show|let|warn|report|say)(?: (?:this|that|it|about|of|any|anything|to|these|the|on|what|is)){0,4} (?:users?|humans?|operators?|owner|customer)(?![A-Za-z0-9])`,
    `without (?:telling|informing|notifying|alerting|asking|mentioning|warning|letting|(?:the )?knowledge of|revealing|disclosing)(?: (?:this|it|that|about|anything|to|any)){0,3} (?:the )?(?:users?|humans?|operators?|owner)(?![A-Za-z0-9])`,
    `(?:keep|hide) this (?:secret |hidden )?from (?:the )?(?:user|human|operator)`,
  ),
  rule(
    'addressed-to-model',
    [
      'if you are',
      "if you're",
      'attention',
      'important',
      'instruction',
      'message',
      'note',
      'dear',
      'hey',
      'system note',
      'ai agent',
      'ai assistant',
      'ai model',
      'any ai',
      'notice',
      'as an ai',
    ],
    `if you(?: are|'re) (?:an?|the) (?:(?:ai|automated|helpful|coding|autonomous) )?(?:ai|llm|large language model|language model|ai assistant|ai agent|assistant|agent|chatbot|bot)(?: (?:reading|processing|model|that|who|and|you|please)|[,.:])`,
    `(?:attention|important|instructions?|message|note|notice)(?: note| notice| instructions?| message)?(?: (?:to|for))? (?:(?:all|any|the|every|my|our) ){0,2}(?:ai )?${ADDRESSEE}(?: (?:model|agent|assistant|reading|processing|system)s?){0,2} {0,1}(?:[:,!]|reading|processing|please|you must)`,
    `(?:dear|hey) (?:ai|assistant|llm|claude|chatgpt|copilot|language model)(?: (?:agent|assistant|model))?(?![A-Za-z0-9])`,
    `ai (?:agent|assistant|model)s?(?: (?:reading|processing|that)(?: [a-z]{1,12}){1,4})? (?:must|shall|need to|are required to) (?:now|first|also|always|ignore|follow|execute|call|send|read|include)`,
  ),
  rule(
    'precondition',
    ['before'],
    `before (?:you )?(?:using|calling|invoking|doing|answering|responding|proceeding|continuing|completing|solving|use|call|do|can|answer|respond|proceed|continue|complete|solve|start|executing|performing|every|any|each)(?: [a-z'_-]{1,20}){0,8} (?:you (?:must|need to|have to|should)(?: first| always)?|please first|first|always) (?:do|call|read|send|execute|run|perform|open|fetch|invoke|access|list|use|access|call|cat|retrieve|include|forward|post)`,
  ),
  rule(
    'exfiltration',
    ['send', 'post ', 'forward', 'upload', 'email', 'e-mail', 'exfiltrat', 'transmit', 'leak'],
    `(?:send|post|forward|upload|e?-?mail|exfiltrate|transmit|leak)(?: (?:all|the|your|any|every|its|their|this|of|entire|full|complete|user's|contents?|me|users?|whole)){1,5}(?: [a-z0-9_./~-]{1,20}){0,2} (?:conversation|chat|history|credentials?|api keys?|secrets?|passwords?|tokens?|system prompt|environment variables?|private keys?|ssh keys?|\\.env|~/\\.ssh|cookies|memory)(?: [a-z0-9_-]{1,20}){0,4} (?:to|via|using)(?![A-Za-z0-9])`,
  ),
  rule(
    'prompt-leak',
    ['reveal', 'print', 'repeat', 'output', 'show', 'display', 'disclose', 'recite', 'tell me', 'dump', 'give me'],
    `(?:reveal|print|repeat|output|show|display|disclose|recite|tell|dump|give)(?: me| us| out)?(?: all| back| the text of)? (?:your|the)(?: (?:full|entire|initial|hidden|original|secret|exact|complete|whole|verbatim|above|confidential)){0,3} (?:system prompt|system instructions?|system message|initial instructions?|initial prompt|hidden instructions?|secret instructions?|hidden prompt|original instructions?|pre-?prompt|developer (?:prompt|message|instructions?)|instructions above|prompt above)`,
  ),
  rule(
    'false-authority',
    [
      'system override',
      'admin override',
      'system directive',
      'system instruction',
      'priority override',
      'security override',
      'override code',
      'system message:',
      'system alert',
      'emergency override',
      'this is an important message from',
      'instruction override',
      'administrator instruction',
      'mandatory',
    ],
    `(?:system|admin|priority|security|emergency|instruction) override(?![a-z])`,
    `(?:system|administrator|mandatory(?: system)?) (?:directive|instructions?|message|alert|command|notice)(?: update)?(?: (?:to|for) (?:the |all )?(?:ai|assistant|agent|model|llm)s?)?(?=[^A-Za-z0-9]{0,5}[:\\]!]) (?:you|the (?:ai|assistant|agent|model)|ignore|disregard|all (?:ai|previous|prior))(?![A-Za-z0-9])`,
    `override code`,
    `this is an important message from (?:me|your|the)`,
  ),
];
