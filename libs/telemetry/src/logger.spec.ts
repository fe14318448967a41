import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { scrub } from './scrub.js';

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  write(createLogger('identity', { destination: { write: (line) => void (text += line) } }));
  return text;
}

describe('the logger', () => {
  it('never prints a token, wherever it stands', () => {
    const text = linesOf((log) => {
      log.info({ token: 'wdr_0123456789abcdef' }, 'issued');
      log.info({ request: { headers: { authorization: 'Bearer wdr_0123456789abcdef' } } }, 'asked');
      log.error(new Error('refused wdr_0123456789abcdef'), 'seen Bearer abcdefgh12345678');
    });
    expect(text).not.toContain('0123456789abcdef');
    expect(text).not.toContain('abcdefgh12345678');
    expect(text).toContain('wdr_[redacted]');
  });

  it('never prints the password of a URL', () => {
    const text = linesOf((log) => log.error({ url: 'postgres://warder:hunter22@db:5432/warder' }, 'cannot connect'));
    expect(text).toContain('postgres://warder:[redacted]@db:5432/warder');
    expect(text).not.toContain('hunter22');
  });

  it('leaves every line valid JSON that names the service', () => {
    const text = linesOf((log) => log.info({ database: { password: 'x"y' } }, 'started'));
    expect(JSON.parse(text)).toMatchObject({
      service: 'identity',
      msg: 'started',
      database: { password: '[redacted]' },
    });
  });
});

it('scrubs a long line in linear time', () => {
  const startedAtMs = performance.now();
  scrub('a.'.repeat(200_000));
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
});
