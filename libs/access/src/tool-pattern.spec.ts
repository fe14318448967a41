import { describe, expect, it } from 'vitest';
import {
  compilePattern,
  compileWildcard,
  parseCanonicalTool,
  patternMatches,
  wildcardMatches,
} from './tool-pattern.js';

const matches = (pattern: string, name: string) => {
  const compiled = compilePattern(pattern);
  const tool = parseCanonicalTool(name);
  return compiled !== undefined && tool !== undefined && patternMatches(compiled, tool);
};

describe('a tool pattern', () => {
  it.each([
    ['files/read', 'files/read', true],
    ['files/read', 'files/read_all', false],
    ['files/*', 'files/read', true],
    ['files/*', 'files/a/b', true],
    ['*/read', 'files/read', true],
    ['*/read', 'files/x/read', false],
    ['file*/re*d', 'files/read', true],
    ['file*/re*d', 'files/red', true],
    ['files/re*ed', 'files/red', false],
    ['files/a*a', 'files/a', false],
    ['files/*a*b*', 'files/xxayyb', true],
    ['files/*a*b*', 'files/xxbyya', false],
    ['files/**', 'files/read', true],
    ['files/rea.', 'files/read', false],
    ['*/*', 'files/READ', true],
    ['files/read', 'files/READ', false],
  ])('%s on %s is %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('never lets a star of the upstream half reach over the slash', () => {
    expect(matches('a*/x', 'a/b/x')).toBe(false);
    expect(matches('*/x', 'a/b/x')).toBe(false);
  });

  it('matches nothing where a half is missing', () => {
    for (const broken of ['', '*', '/', 'files', 'files/', '/read']) expect(matches(broken, 'files/read')).toBe(false);
    for (const broken of ['', 'files', 'files/', '/read']) expect(matches('*/*', broken)).toBe(false);
  });

  it('does not back-track on a hostile pattern and name', () => {
    const pattern = compileWildcard(`${'*a'.repeat(90)}*b`);
    const started = process.cpuUsage();
    expect(wildcardMatches(pattern, 'a'.repeat(100_000))).toBe(false);
    expect(process.cpuUsage(started).user).toBeLessThan(200_000);
  });
});
