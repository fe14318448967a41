import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixtureScene, VIRTUAL_SERVER } from '../fixture-scene.js';

const TOOL = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
/** The tool does not run on 20. */
const NODE = 'node@22.23.3';
const CLIENT = 'conformance';
const EMAIL = 'ana@example.com';
const PASSWORD = 'correct horse battery staple';
const RUN_MS = 90_000;

/** A folder that holds the tool and its Node, filled once. */
async function installed(): Promise<string> {
  const dir = join(homedir(), '.cache', 'warder', 'conformance');
  mkdirSync(dir, { recursive: true });
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', dir, TOOL, NODE], { cwd: dir });
  return join(dir, 'node_modules');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the authorization server, asked by the protocol’s own suite', () => {
  let scene: FixtureScene;
  let dir: string;
  let tools: string;
  let port: number;

  beforeAll(async () => {
    tools = await installed();
    port = await freePort();
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-conformance-')));
    const client = { id: CLIENT, name: 'Conformance', redirectUris: [`http://127.0.0.1:${port}/callback`] };
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ authorization: { clients: [client] } }), { mode: 0o600 });
    scene = await FixtureScene.inShape('standalone', { configFile });
    const { principalId } = await scene.admin.member({ name: 'Ana', email: EMAIL, groups: ['knowers'] });
    const link = await scene.admin.ask<{ url: string }>('POST', `/identity/principals/${principalId}/password-link`);
    const browser = new ScriptedBrowser();
    const saved = await browser.submit(await browser.open(link.url), { password: PASSWORD });
    if (saved.status !== 200) throw new Error(saved.text);
  });
  afterAll(async () => {
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  /** Ana at her browser: allows, and signs in where she is asked to. */
  async function visit(address: string): Promise<void> {
    const browser = new ScriptedBrowser();
    let page = await browser.open(address);
    for (let pages = 0; page.text.includes('<form'); pages += 1) {
      if (page.status !== 200 || pages > 5) throw new Error(`not a page to go on from: ${page.text}`);
      const isForm = page.text.includes('type="password"');
      page = await browser.submit(page, isForm ? { email: EMAIL, password: PASSWORD } : { with: 'local' });
    }
  }

  it('passes every scenario', async () => {
    const { origin } = new URL(scene.warder.endpoint);
    const resource = new URL(`/mcp/${VIRTUAL_SERVER}`, origin).href;
    const options = ['--url', origin, '--client-id', CLIENT, '--resource', resource, '--port', String(port)];
    const tool = join(tools, '@modelcontextprotocol/conformance/dist/index.js');
    const run = spawn(join(tools, 'node/bin/node'), [tool, 'authorization', ...options], { cwd: dir, timeout: RUN_MS });
    let told = '';
    const visits: Promise<void>[] = [];
    const seen = new Set<string>();
    const listen = (chunk: Buffer): void => {
      told += chunk.toString('utf8');
      for (const [address] of told.matchAll(/https?:\S+\/oauth\/authorize\?\S+(?=\s)/g)) {
        if (seen.has(address)) continue;
        seen.add(address);
        visits.push(visit(address));
      }
    };
    run.stdout.on('data', listen);
    run.stderr.on('data', listen);
    const code = await new Promise((resolve) => run.once('exit', resolve));
    await Promise.all(visits);
    process.stdout.write(told);
    expect(seen.size).toBeGreaterThan(0);
    expect(told).toMatch(/^Total: [1-9]\d* passed, 0 failed$/m);
    expect(code).toBe(0);
  });
});
