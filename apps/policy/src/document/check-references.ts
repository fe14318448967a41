import { BUILT_INS, compilePattern, wildcardMatches } from '@warder/access';
import type { Grant, PolicyDocument, VirtualServer } from '@warder/contracts';
import type { DocumentProblem } from './document-problem.js';

/**
 * What a schema cannot see: names that must exist or must not stand twice. A pattern that covers no upstream is an
 * error too; in a forbid a misspelt name would silently permit.
 */
export function checkReferences(document: PolicyDocument): DocumentProblem[] {
  return [
    ...checkBuiltIns(document),
    ...checkUpstreams(document),
    ...checkProviders(document),
    ...Object.entries(document.virtualServers).flatMap(([name, server]) => checkVirtualServer(name, server, document)),
    ...checkGrants(document),
  ];
}

function checkBuiltIns(document: PolicyDocument): DocumentProblem[] {
  const groups = ['upstreams', 'virtualServers'] as const;
  return groups.flatMap((group) =>
    Object.keys(document[group]).flatMap((name) =>
      BUILT_INS.has(name) ? [{ path: [group, name], message: 'this name is of what is built in' }] : [],
    ),
  );
}

function checkUpstreams(document: PolicyDocument): DocumentProblem[] {
  return Object.entries(document.upstreams).flatMap(([name, { transport }]) => {
    if (transport.kind !== 'streamable-http') return [];
    const path = ['upstreams', name, 'transport', 'url'];
    const url = new URL(transport.url);
    // A policy is read by auditors and stands on a topic: no place for a secret.
    if (url.username !== '' || url.password !== '')
      return [{ path, message: 'holds a user name or password: store it with /admin/credentials' }];
    return url.hash === '' ? [] : [{ path, message: 'holds a fragment' }];
  });
}

function checkProviders({ guardrailProviders: providers = {}, virtualServers }: PolicyDocument): DocumentProblem[] {
  const urls = Object.entries(providers).flatMap(([name, settings]) =>
    (['url', 'tokenUrl'] as const).flatMap((key): DocumentProblem[] => {
      const text: unknown = (settings as Record<string, unknown>)[key];
      if (typeof text !== 'string') return [];
      const { username, password, protocol } = new URL(text);
      const path = ['guardrailProviders', name, key];
      if (username !== '' || password !== '')
        return [{ path, message: 'holds a user name or password: store it with /admin/credentials' }];
      // Every text of a call and the credential would go over the internet for everybody to read.
      if (protocol === 'https:' || settings.allowPrivateAddress) return [];
      return [{ path, message: 'has to be https, but for a private address that is allowed' }];
    }),
  );
  const uses = Object.entries(virtualServers).flatMap(([name, { providers: lines = [] }]) =>
    lines.flatMap(({ provider }, at): DocumentProblem[] => {
      const path = ['virtualServers', name, 'providers', at, 'provider'];
      return Object.hasOwn(providers, provider) ? [] : [{ path, message: `unknown provider "${provider}"` }];
    }),
  );
  return [...urls, ...uses];
}

function checkVirtualServer(name: string, server: VirtualServer, document: PolicyDocument): DocumentProblem[] {
  const names = new Set<string>();
  return server.tools.flatMap((line, at): DocumentProblem[] => {
    const path = ['virtualServers', name, 'tools', at];
    const problems: DocumentProblem[] = [];
    if (!Object.hasOwn(document.upstreams, line.upstream))
      problems.push({ path: [...path, 'upstream'], message: `unknown upstream "${line.upstream}"` });
    if (line.as === undefined) return problems;
    if (line.tool.includes('*'))
      problems.push({ path: [...path, 'as'], message: 'one name cannot stand for a pattern of tools' });
    if (line.prefix !== undefined)
      problems.push({ path: [...path, 'prefix'], message: '"as" is the whole name, a prefix has no effect' });
    if (names.has(line.as)) problems.push({ path: [...path, 'as'], message: `"${line.as}" stands twice` });
    names.add(line.as);
    return problems;
  });
}

function checkGrants(document: PolicyDocument): DocumentProblem[] {
  const upstreams = [...Object.keys(document.upstreams), ...BUILT_INS.keys()];
  const names = new Set<string>();
  return document.grants.flatMap((grant, at) => {
    const problems = checkPatterns(grant, at, upstreams);
    if (names.has(grant.name))
      problems.unshift({ path: ['grants', at, 'name'], message: `"${grant.name}" stands twice` });
    names.add(grant.name);
    return problems;
  });
}

function checkPatterns(grant: Grant, at: number, upstreams: readonly string[]): DocumentProblem[] {
  return grant.tools.flatMap((text, place) => {
    const path = ['grants', at, 'tools', place];
    const pattern = compilePattern(text);
    if (!pattern) return [{ path, message: 'a tool pattern is "upstream/tool"' }];
    const half = text.slice(0, text.indexOf('/'));
    if (/^\*+$/.test(half) || upstreams.some((upstream) => wildcardMatches(pattern.upstream, upstream))) return [];
    const message = half.includes('*') ? `"${half}" covers no upstream` : `unknown upstream "${half}"`;
    return [{ path, message }];
  });
}
