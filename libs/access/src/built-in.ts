import { type Grant, type Role, type Upstream, VirtualServer } from '@warder/contracts';

/** An upstream that is a service of Warder: a node learns its address from its own configuration. */
export interface BuiltInUpstream extends Omit<Upstream, 'transport'> {
  readonly transport: { readonly kind: 'built-in' };
}

/** What every policy holds without its document saying so. Its names are not to be had for anything else. */
export interface BuiltIn {
  readonly upstream: BuiltInUpstream;
  /** Of the same name as the upstream. */
  readonly virtualServer: VirtualServer;
  /** Who may use it, whatever grants say: they can only take away. */
  readonly role: Role;
  /** Stands in the record and in `explain`; no grant of a document can have a name like it. */
  readonly rule: string;
}

/** What auditors ask about the record, as tools. */
const AUDIT: BuiltIn = {
  upstream: { transport: { kind: 'built-in' }, timeoutMs: 60_000, allowPrivateAddress: true, definitions: 'trust' },
  virtualServer: VirtualServer.parse({
    description: 'The record of every call: find calls, read one, ask who used what.',
    tools: [{ upstream: 'audit', tool: '*', prefix: '' }],
    // The question names people, and so does the answer. What was kept out of the record is not in it.
    guardrails: { request: { pii: 'off' }, response: { pii: 'off' } },
    // The question is on the disk before it is asked; its answer is of records that are kept already.
    record: { mode: 'strict', capture: 'request' },
  }),
  role: 'auditor',
  rule: 'built-in audit',
};

export const BUILT_INS: ReadonlyMap<string, BuiltIn> = new Map([['audit', AUDIT]]);

/** The grant that lets those of a built-in's role use all of it. */
export function grantOf(name: string, { rule }: BuiltIn): Pick<Grant, 'name' | 'effect' | 'tools'> {
  return { name: rule, effect: 'permit', tools: [`${name}/*`] };
}
