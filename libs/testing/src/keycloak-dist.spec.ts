import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keycloakCacheDir, keycloakEnvironment, resolveKeycloak } from './keycloak-dist.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-keycloak-dist-'));
  vi.stubEnv('WARDER_KEYCLOAK_CACHE', join(dir, 'cache'));
  vi.stubEnv('PATH', `${dir}:${process.env.PATH ?? ''}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

describe('Keycloak on a machine that cannot have it', () => {
  it('is missed in one sentence that says what to install, and leaves nothing half made behind', async () => {
    writeFileSync(join(dir, 'mvn'), '#!/bin/sh\necho "not here" >&2\nexit 127\n');
    chmodSync(join(dir, 'mvn'), 0o755);
    const failure = await resolveKeycloak().catch((error: Error) => error.message);
    expect(failure).toMatch(/^No Keycloak for the tests: [^\n]*Java 17 and Maven[^\n]*\.$/);
    expect(readdirSync(keycloakCacheDir())).toEqual([]);
  });
});

describe('the environment of a Keycloak', () => {
  it('has no variable that Keycloak would take for an option, nor one that changes its Java', () => {
    vi.stubEnv('KC_CACHE', '/some/dir');
    vi.stubEnv('JAVA_OPTS', '-Xmx8g');
    const names = Object.keys(keycloakEnvironment());
    expect(names).toContain('PATH');
    expect(names.filter((name) => /^(KC_|JAVA_OPTS)/.test(name))).toEqual([]);
  });
});
