import { describe, expect, it } from 'vitest';
import { doctorEn } from '../../bin/messages/doctor-en.ts';
import { doctorZh } from '../../bin/messages/doctor-zh.ts';
import { en } from '../../bin/messages/en.ts';
import { zh } from '../../bin/messages/zh.ts';
import { createOutput, detectLanguage } from '../../bin/output.ts';

describe('the language', () => {
  it.each([
    [{}, 'en'],
    [{ LANG: 'zh_CN.UTF-8' }, 'zh'],
    [{ LANG: 'zh' }, 'zh'],
    [{ LANG: 'en_US.UTF-8' }, 'en'],
    [{ LANG: 'de_DE' }, 'en'],
    [{ LC_ALL: 'C', LANG: 'zh_CN' }, 'en'],
    [{ LC_ALL: 'zh_TW', LANG: 'en_US' }, 'zh'],
    [{ LC_MESSAGES: 'zh_CN', LANG: 'en_US' }, 'zh'],
    [{ LC_ALL: 'en_US', LC_MESSAGES: 'zh_CN' }, 'en'],
  ] as const)('of %j is %s', (env, language) => {
    expect(detectLanguage(env)).toBe(language);
  });
});

describe.each([
  ['of the commands', en, zh],
  ['of doctor', doctorEn, doctorZh],
] as [string, Record<string, string>, Record<string, string>][])('the messages %s', (_of, english, chinese) => {
  const keys = Object.keys(english);
  const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

  it('are the same in both languages, with the same placeholders', () => {
    expect(Object.keys(chinese).sort()).toEqual([...keys].sort());
    for (const key of keys) {
      expect([key, placeholders(chinese[key] ?? '')]).toEqual([key, placeholders(english[key] ?? '')]);
    }
  });

  it('are really Chinese, and really English', () => {
    for (const key of keys) {
      expect(english[key]).not.toMatch(/\p{Script=Han}/u);
      expect(chinese[key]).not.toBe('');
    }
    expect(keys.filter((key) => /\p{Script=Han}/u.test(chinese[key] ?? '')).length).toBeGreaterThan(keys.length * 0.9);
  });
});

describe('a message', () => {
  it('is filled in; what is not given stays visible', async () => {
    const output = await createOutput('en');
    expect(output.text('url', { url: 'http://x/$&' })).toBe('URL: http://x/$&');
    expect(output.text('pids', { supervisor: 1 })).toBe('PIDs: supervisor 1, worker {worker}');
    expect((await createOutput('zh')).text('notRunning')).toBe(zh.notRunning);
  });
});
