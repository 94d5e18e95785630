import { describe, expect, it } from 'vitest';
import { isEnabled, readEnvironment, serviceMarker } from '../../lib/env.ts';
import { ERROR_STATUS, ExitError, errorCode, errorMessage, GatewayError } from '../../lib/errors.ts';

describe('the environment', () => {
  it('takes an empty value as unset', () => {
    process.env['XOPC_TEST_EMPTY'] = '';
    process.env['XOPC_TEST_SET'] = 'x';
    const env = readEnvironment();
    delete process.env['XOPC_TEST_EMPTY'];
    delete process.env['XOPC_TEST_SET'];
    expect([env['XOPC_TEST_EMPTY'], env['XOPC_TEST_SET']]).toEqual([undefined, 'x']);
  });

  it.each([
    ['1', true],
    ['TRUE', true],
    ['Yes', true],
    ['on', true],
    ['0', false],
    ['false', false],
    ['2', false],
    [undefined, false],
  ])('has a switch that is "%s": on %s', (value, isOn) => {
    expect(isEnabled({ SWITCH: value }, 'SWITCH')).toBe(isOn);
  });

  it('names the service manager that started us', () => {
    expect(serviceMarker({ XOPC_SERVICE_MARKER: 'systemd' })).toBe('systemd');
    expect(serviceMarker({})).toBeUndefined();
  });
});

describe('an error', () => {
  it('of the API has the status of its code, or another one that it is given', () => {
    for (const [code, status] of Object.entries(ERROR_STATUS)) {
      expect(new GatewayError(code as keyof typeof ERROR_STATUS, 'x').status).toBe(status);
    }
    expect(new GatewayError('AGENT_ERROR', 'x', { status: 504 }).status).toBe(504);
    expect(new GatewayError('CONFLICT', 'x', { cause: 'why' }).cause).toBe('why');
  });

  it('that ends a process has its code and a hint', () => {
    expect(new ExitError(78, 'x', { hint: 'do' })).toMatchObject({ exitCode: 78, hint: 'do', message: 'x' });
  });

  it('of any kind has a message, and a code when the system made it', () => {
    expect([errorMessage(new Error('a')), errorMessage('b'), errorMessage(undefined)]).toEqual(['a', 'b', 'undefined']);
    expect([errorCode({ code: 'ENOENT' }), errorCode({ code: 7 }), errorCode(null), errorCode('x')]).toEqual([
      'ENOENT',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
