import type { SecretFormat } from './issued-key.js';

/** Keys with a fixed beginning, middle or end that their issuers document. */
export const AI_FORMATS: readonly SecretFormat[] = [
  ['anthropic-admin-key', 'Anthropic admin key', ['sk-ant-admin01-{aA0_-:80-120}']],
  ['huggingface-token', 'Hugging Face token', ['hf_{aA0:30-40}', 'api_org_{aA:34}']],
  ['replicate-token', 'Replicate token', ['r8_{aA0:37}']],
  ['groq-key', 'Groq API key', ['gsk_{aA0:48-60}']],
  ['perplexity-key', 'Perplexity API key', ['pplx-{aA0:40-60}']],
  ['xai-key', 'xAI API key', ['xai-{aA0:70-90}']],
  ['fireworks-key', 'Fireworks AI key', ['fw_{aA0:22-30}']],
  ['together-key', 'Together AI key', ['tgp_v1_{aA0_-:40-50}']],
  ['cerebras-key', 'Cerebras key', ['csk-{a0:40-60}']],
  ['nvidia-key', 'NVIDIA API key', ['nvapi-{aA0_-:60-80}']],
  ['elevenlabs-key', 'ElevenLabs key', ['sk_{h:48}']],
  ['langsmith-key', 'LangSmith key', ['lsv2_pt_{h:32}_{h:10}', 'lsv2_sk_{h:32}_{h:10}']],
  ['langfuse-key', 'Langfuse secret key', ['sk-lf-{h:8}-{h:4}-{h:4}-{h:4}-{h:12}']],
  ['pinecone-key', 'Pinecone key', ['pcsk_{aA0:5-6}_{aA0:60-70}']],
  ['weights-and-biases-key', 'Weights and Biases key', ['wandb_v1_{aA0_:60-90}']],
  ['tavily-key', 'Tavily key', ['tvly-{aA0_-:32-60}']],
  ['firecrawl-key', 'Firecrawl key', ['fc-{h:32}']],
  ['jina-key', 'Jina AI key', ['jina_{aA0_-:55-65}']],
  ['voyage-key', 'Voyage AI key', ['pa-{aA0_-:43}']],
  ['apify-token', 'Apify token', ['apify_api_{aA0:36}']],
  ['browserbase-key', 'Browserbase key', ['bb_live_{aA0_-:27}']],
  ['helicone-key', 'Helicone key', ['sk-helicone-{a0-:27-40}']],
  ['e2b-key', 'E2B key', ['e2b_{h:40}']],
];
