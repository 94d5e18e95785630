import type { Reply } from '../core/exchange.ts';
import type { Dialect } from './errors.ts';
import type { ActiveSettings } from './settings.ts';

const defaultModels = ['emu-small', 'emu-large'];
// The lists must not change between two calls, so neither does the date in them.
const modelDate = '2025-01-01T00:00:00Z';

/** `GET /v1/models` in the caller's dialect. */
export function listModels(dialect: Dialect, settings: ActiveSettings): Reply {
  const ids = settings.models ?? defaultModels;
  if (dialect === 'openai') {
    const created = Date.parse(modelDate) / 1000;
    return json({ object: 'list', data: ids.map((id) => ({ id, object: 'model', created, owned_by: 'emulator' })) });
  }
  const data = ids.map((id) => ({ type: 'model', id, display_name: id, created_at: modelDate }));
  return json({ data, has_more: false, first_id: ids.at(0) ?? null, last_id: ids.at(-1) ?? null });
}

/** `GET /api/tags` as Ollama answers it. */
export function listTags(settings: ActiveSettings): Reply {
  const models = (settings.models ?? defaultModels).map((name) => ({
    name,
    model: name,
    modified_at: modelDate,
    size: 1_000_000_000,
    digest: '0'.repeat(64),
    details: {
      parent_model: '',
      format: 'gguf',
      family: 'emu',
      families: ['emu'],
      parameter_size: '1B',
      quantization_level: 'Q4_0',
    },
  }));
  return json({ models });
}

function json(value: unknown): Reply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
