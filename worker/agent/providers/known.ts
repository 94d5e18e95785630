/** What we know about a public provider. */
type KnownProvider = {
  api: 'openai' | 'anthropic';
  baseUrl: string;
  /** Environment variables that may hold its key, first one wins. */
  keyNames: readonly string[];
};

/** Providers that need nothing but a key; `openai` means any server that speaks chat completions. */
export const KNOWN_PROVIDERS: ReadonlyMap<string, KnownProvider> = new Map([
  entry('openai', 'https://api.openai.com/v1'),
  entry('anthropic', 'https://api.anthropic.com/v1', { api: 'anthropic' }),
  entry('google', 'https://generativelanguage.googleapis.com/v1beta/openai', {
    keyNames: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  }),
  entry('deepseek', 'https://api.deepseek.com/v1'),
  entry('groq', 'https://api.groq.com/openai/v1'),
  entry('mistral', 'https://api.mistral.ai/v1'),
  entry('openrouter', 'https://openrouter.ai/api/v1'),
  entry('xai', 'https://api.x.ai/v1'),
  entry('moonshotai', 'https://api.moonshot.ai/v1', { keyNames: ['MOONSHOT_API_KEY'] }),
  entry('dashscope', 'https://dashscope.aliyuncs.com/compatible-mode/v1'),
  entry('minimax', 'https://api.minimax.io/v1'),
  entry('zai', 'https://api.z.ai/api/paas/v4'),
  entry('cerebras', 'https://api.cerebras.ai/v1'),
  entry('fireworks', 'https://api.fireworks.ai/inference/v1'),
  entry('together', 'https://api.together.xyz/v1'),
  entry('huggingface', 'https://router.huggingface.co/v1', { keyNames: ['HF_TOKEN'] }),
  entry('vercel-ai-gateway', 'https://ai-gateway.vercel.sh/v1', { keyNames: ['AI_GATEWAY_API_KEY'] }),
  entry('ollama', 'http://127.0.0.1:11434/v1'),
]);

function entry(id: string, baseUrl: string, special: Partial<KnownProvider> = {}): [string, KnownProvider] {
  return [id, { api: 'openai', baseUrl, keyNames: [`${id.toUpperCase()}_API_KEY`], ...special }];
}
