import type { Config } from '../../lib/config/schema.ts';

/** A model by its provider: `provider/model`, split at the first slash. */
export type ModelRef = { provider: string; model: string };

/** What a turn of one agent runs with; defaults are filled in. */
export type AgentProfile = {
  agentId: string;
  /** References to try in order; empty when nothing is configured. */
  models: readonly string[];
  systemPrompt: string | undefined;
  maxTokens: number;
  temperature: number | undefined;
  historyLimit: number;
};

const DEFAULT_MAX_TOKENS = 8_192;
const DEFAULT_HISTORY_LIMIT = 50;

/** The profile of an agent: its own settings, else those of `agents.defaults`, else the built-in ones. */
export function readAgentProfile({ agents }: Config, agentId: string): AgentProfile {
  const own = agents.list.find((agent) => agent.id === agentId);
  const { defaults } = agents;
  return {
    agentId,
    models: listModels(own?.model ?? defaults.model),
    systemPrompt: own?.systemPrompt ?? defaults.systemPrompt,
    maxTokens: own?.maxTokens ?? defaults.maxTokens ?? DEFAULT_MAX_TOKENS,
    temperature: own?.temperature ?? defaults.temperature,
    historyLimit: own?.historyLimit ?? defaults.historyLimit ?? DEFAULT_HISTORY_LIMIT,
  };
}

/** The two halves of a model reference; undefined when one is missing. The model's own name may hold slashes. */
export function parseModelRef(ref: string): ModelRef | undefined {
  const slash = ref.indexOf('/');
  if (slash <= 0 || slash === ref.length - 1) return undefined;
  return { provider: ref.slice(0, slash), model: ref.slice(slash + 1) };
}

type ModelChoice = Config['agents']['defaults']['model'];

function listModels(choice: ModelChoice): string[] {
  if (choice === undefined) return [];
  return typeof choice === 'string' ? [choice] : [choice.primary, ...choice.fallbacks];
}
