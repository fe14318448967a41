import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.js';

describe('the command line', () => {
  it('has a default for everything, relative to where it is called', () => {
    expect(parseCommandLine([], '/home/ana')).toEqual({
      port: 8080,
      dataDir: '/home/ana/.warder',
      configFile: undefined,
      readyFile: undefined,
    });
  });

  it('reads each flag', () => {
    const words = ['--port', '0', '--data-dir=/data', '--config', 'my.yaml', '--ready-file', 'run/ready.json'];
    expect(parseCommandLine(words, '/home/ana')).toEqual({
      port: 0,
      dataDir: '/data',
      configFile: '/home/ana/my.yaml',
      readyFile: '/home/ana/run/ready.json',
    });
  });

  it.each([
    [['--port', '70000'], '--port'],
    [['--port', 'x'], '--port'],
    [['--prot', '1'], '--prot'],
    [['start'], 'start'],
  ])('refuses %j and names what is wrong', (words, expected) => {
    expect(() => parseCommandLine(words, '/')).toThrow(expected);
  });
});
