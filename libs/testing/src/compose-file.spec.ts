import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkoutRoot } from './compose-cluster.js';
import { readComposeFile } from './compose-file.js';
import { ComposePlaces, portsOf } from './compose-places.js';

const root = checkoutRoot();
const file = readComposeFile(join(root, 'docker-compose.yml'));
const ports = new Map(portsOf(file).map((name, at) => [name, 40_000 + at]));
const places = new ComposePlaces(file, ports, { root, volumes: '/volumes' });
const serviceOf = (name: string) => {
  const service = file.services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return service;
};

describe('docker-compose.yml', () => {
  it('has a process per service, two ingress nodes, a balancer, Kafka and Postgres', () => {
    expect(file.services.map(({ name }) => name)).toEqual([
      'setup',
      'kafka',
      'topics',
      'postgres',
      'identity',
      'policy',
      'credentials',
      'guardrails',
      'audit',
      'ingress-1',
      'ingress-2',
      'balancer',
      'everything',
      'welcome',
    ]);
  });

  it('checks the health of everything that stays', () => {
    const unchecked = file.services.filter(({ isOneShot, healthTest }) => !isOneShot && healthTest.length === 0);
    expect(unchecked.map(({ name }) => name)).toEqual(['everything']);
  });

  it('names only commands of the tree: scripts, or mains that a source builds', () => {
    let seen = 0;
    for (const { command } of file.services) {
      for (const word of command.filter((part) => /^(apps|deploy)\//.test(part))) {
        seen += 1;
        const source = word.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
        const file = word.includes('/dist/') ? source : word;
        expect(existsSync(join(root, file)) ? 'there' : `missing: ${file}`).toBe('there');
      }
    }
    expect(seen).toBeGreaterThanOrEqual(11);
  });

  it('gives each ingress node a volume of its own for its journal', () => {
    const journals = ['ingress-1', 'ingress-2'].map((name) =>
      serviceOf(name).mounts.find(({ target }) => target === '/var/lib/warder/node'),
    );
    expect(new Set(journals.map((mount) => mount?.source)).size).toBe(2);
  });

  it('publishes one door, on loopback', () => {
    const published = file.services.filter(({ publishedPorts }) => publishedPorts.length > 0);
    expect(published.map(({ name }) => name)).toEqual(['balancer']);
    expect(readFileSync(join(root, 'docker-compose.yml'), 'utf8')).toContain("ports: ['127.0.0.1:8080:8080']");
  });

  it('gives the sealed secrets to credentials alone', () => {
    const mounting = file.services.filter(({ mounts }) => mounts.some(({ source }) => source === 'secret-store'));
    expect(mounting.map(({ name }) => name)).toEqual(['credentials']);
    const naming = file.services.filter(({ environment }) => 'WARDER_SECRETS__KEYRING_FILE' in environment);
    expect(naming.map(({ name }) => name)).toEqual(['credentials']);
  });

  it('lets no service see another’s password of the broker', () => {
    for (const { name, mounts } of file.services) {
      const secrets = mounts.filter(({ source }) => source.startsWith('secrets-')).map(({ source }) => source);
      if (name === 'setup' || secrets.length === 0) continue;
      expect(`${name} ${secrets.length}`).toBe(`${name} 1`);
    }
  });
});

describe('as plain processes', () => {
  it('services find each other on loopback, each port another one', () => {
    const environment = places.environmentOf(serviceOf('ingress-1'));
    expect(environment['WARDER_BUS__BROKERS']).toBe(`127.0.0.1:${ports.get('kafka:9092')}`);
    expect(environment['WARDER_LISTEN__HOST']).toBe('127.0.0.1');
    expect(environment['WARDER_LISTEN__PORT']).toBe(String(ports.get('ingress-1:8080')));
    expect(environment['WARDER_PUBLIC_URL']).toBe(`http://localhost:${ports.get('balancer:8080')}`);
    expect(environment['WARDER_TRUSTED_PROXIES']).toBe('127.0.0.0/8');
    const nodes = places.environmentOf(serviceOf('balancer'))['WARDER_INGRESS'];
    expect(nodes).toBe(
      `http://127.0.0.1:${ports.get('ingress-1:8080')},http://127.0.0.1:${ports.get('ingress-2:8080')}`,
    );
  });

  it('volumes are directories, bind mounts files of the tree, and health checks ask the service itself', () => {
    const ingress = serviceOf('ingress-2');
    const environment = places.environmentOf(ingress);
    expect(environment['WARDER_JOURNAL__DIR']).toBe('/volumes/node-2/journal');
    expect(environment['WARDER_SESSION_KEY_FILE']).toBe('/volumes/secrets-ingress/session-key');
    expect(environment['WARDER_STDIO_FILE']).toBe(join(root, 'deploy/stdio.yaml'));
    expect(places.wordsOf(ingress.healthTest, ingress)).toEqual([
      'node',
      'deploy/healthcheck.mjs',
      `http://127.0.0.1:${ports.get('ingress-2:8080')}/readyz`,
    ]);
    const kafka = serviceOf('kafka');
    expect(places.wordsOf(kafka.command, kafka)).toEqual(['sh', join(root, 'deploy/kafka/start.sh')]);
  });
});
