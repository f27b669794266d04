import { describe, expect, it } from 'vitest';
import { defaultListenerLimits, resolveListenerLimits } from '../../src/http/listener-limits.ts';

describe('resolveListenerLimits', () => {
  it('completes what is given with the defaults', () => {
    expect(resolveListenerLimits()).toEqual(defaultListenerLimits);
    expect(resolveListenerLimits({ headerBytes: 1 })).toEqual({
      ...defaultListenerLimits,
      headerBytes: 1,
    });
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('refuses %d', (value) => {
    expect(() => resolveListenerLimits({ keepAliveTimeoutMs: value })).toThrow(
      `keepAliveTimeoutMs must be a whole number from 1 to 2147483647, not ${value}`,
    );
  });

  it('names every mistake at once', () => {
    expect(() =>
      resolveListenerLimits({ headerBytes: 0, maxConnections: -1, headersTimeoutMs: 40_000 }),
    ).toThrow(/headerBytes.*maxConnections.*headersTimeoutMs must not exceed requestTimeoutMs/);
  });
});
