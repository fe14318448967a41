import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rewrapAll, type SealedRow } from './rewrap-all.js';
import type { SealContext, SecretStore, StoreHealth, StoreState } from './secret-store.js';

/** One real store that the test may turn keys of and take away. */
export interface ContractStore {
  /** Another opening of the same store, as a second process has it. */
  open(): Promise<SecretStore>;
  /** Makes a new key the one that seals; the earlier ones still open. */
  turnKey(): Promise<void>;
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
  /** What its health says while it is away. */
  readonly awayState: StoreState;
}

const AT: SealContext = { table: 'connection', row: 'con_1', column: 'refresh_token', generation: 7 };
const bytes = (text: string) => Buffer.from(text, 'utf8');

/** What every implementation of `SecretStore` guarantees. `start` is called before each test, `end` after it. */
export function secretStoreContract(
  label: string,
  scene: { start(): Promise<ContractStore>; end?(): Promise<void> },
): void {
  describe(`SecretStore: ${label}`, () => {
    let real: ContractStore;
    let store: SecretStore;
    const opened: SecretStore[] = [];
    const open = async () => {
      const another = await real.open();
      opened.push(another);
      return another;
    };

    beforeEach(async () => {
      real = await scene.start();
      store = await open();
    });
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
      await scene.end?.();
    });

    it('gives back what was put, by name, with a version that grows', async () => {
      expect(await store.get('static/files')).toBeUndefined();
      expect(await store.read('static/files')).toBeUndefined();
      expect(await store.put('static/files', 'Bearer one ü\n<&>')).toBe(1);
      expect(await store.put('static/files', '')).toBe(2);
      expect(await store.read('static/files')).toEqual({ value: '', version: 2 });
      await store.put('static/mail', 'x'.repeat(65_536));
      const another = await open();
      expect((await another.get('static/mail'))?.length).toBe(65_536);
      expect(await another.list()).toEqual(['static/files', 'static/mail']);
      expect(await another.remove('static/mail')).toBe(true);
      expect(await store.remove('static/mail')).toBe(false);
      expect(await store.get('static/mail')).toBeUndefined();
      expect(await store.list()).toEqual(['static/files']);
    });

    it('changes nothing when the version before is not the expected one', async () => {
      await expect(store.put('static/files', 'x', 1)).rejects.toMatchObject({ reason: 'conflict' });
      expect(await store.put('static/files', 'one', 0)).toBe(1);
      await expect(store.put('static/files', 'two', 0)).rejects.toMatchObject({ reason: 'conflict' });
      expect(await store.put('static/files', 'two', 1)).toBe(2);
      await expect(store.put('static/files', 'lost', 1)).rejects.toMatchObject({ reason: 'conflict' });
      expect(await store.read('static/files')).toEqual({ value: 'two', version: 2 });
    });

    it('lets one of many writers win that expected the same version', async () => {
      const writers = Array.from({ length: 8 }, (_, at) => store.put('static/files', `writer ${at}`, 0));
      const settled = await Promise.allSettled(writers);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const lost = settled.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(new Set(lost.map(({ reason }) => reason))).toEqual(new Set(['conflict']));
      expect((await store.read('static/files'))?.version).toBe(1);
    });

    it('takes no name that leaves its place, and no value past its bound or that UTF-8 cannot hold', async () => {
      for (const name of [
        '../x',
        'static/../x',
        'static',
        'static/x/',
        'static/x?version=1',
        'static/{{x}}',
        'a/b/c/d/e',
      ])
        await expect(store.put(name, 'x')).rejects.toMatchObject({ reason: 'name' });
      await expect(store.put('static/x', 'x'.repeat(65_537))).rejects.toMatchObject({ reason: 'too-large' });
      await expect(store.put('static/x', '\ud800')).rejects.toMatchObject({ reason: 'damaged' });
      await expect(store.seal(Buffer.alloc(65_537), AT)).rejects.toMatchObject({ reason: 'too-large' });
      expect(await store.list()).toEqual([]);
    });

    it('opens a sealed value where it was sealed, in another process too, and nowhere else', async () => {
      const sealed = await store.seal(bytes('rt_canary ü'), AT);
      expect(sealed).not.toContain('rt_canary');
      expect(await store.seal(bytes('rt_canary ü'), AT)).not.toBe(sealed);
      expect((await (await open()).open(sealed, AT)).toString('utf8')).toBe('rt_canary ü');
      expect(await store.open(await store.seal(Buffer.alloc(0), AT), AT)).toHaveLength(0);
      for (const other of [{ table: 'client' }, { row: 'con_2' }, { column: 'access_token' }, { generation: 6 }])
        await expect(store.open(sealed, { ...AT, ...other })).rejects.toMatchObject({ reason: 'damaged' });
      await expect(store.seal(bytes('x'), { ...AT, row: '' })).rejects.toThrow(TypeError);
      await expect(store.seal(bytes('x'), { ...AT, generation: NaN })).rejects.toThrow(TypeError);
    });

    it('opens no altered value, at whatever place it was altered', async () => {
      const sealed = await store.seal(bytes('secret'), AT);
      const body = sealed.split('.').slice(-3).join('.').length;
      for (let at = sealed.length - body; at < sealed.length; at += 1) {
        const flipped = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
        await expect(store.open(flipped, AT)).rejects.toMatchObject({ reason: 'damaged' });
      }
      for (const text of ['', 'secret', sealed.slice(0, -3), `${sealed}=`, ` ${sealed}`, sealed.toUpperCase()])
        await expect(store.open(text, AT)).rejects.toMatchObject({ reason: 'damaged' });
    });

    it('seals with the newest key, opens what earlier ones sealed, and rewraps what is not current', async () => {
      const before = await store.seal(bytes('one'), AT);
      expect(await store.rewrap(before, AT)).toBe(before);
      await real.turnKey();
      const turned = await open();
      expect((await turned.open(before, AT)).toString()).toBe('one');
      const after = await turned.rewrap(before, AT);
      expect(after).not.toBe(before);
      expect(await turned.rewrap(after, AT)).toBe(after);
      expect((await turned.open(after, AT)).toString()).toBe('one');
      expect((await store.open(after, AT)).toString()).toBe('one');
      await expect(turned.rewrap('nonsense', AT)).rejects.toMatchObject({ reason: 'damaged' });
    });

    it('seals named secrets anew after a turn of the key, without changing their version', async () => {
      for (const name of ['static/a', 'static/b', 'static/c']) await store.put(name, name);
      await real.turnKey();
      const turned = await open();
      const progress = await turned.reencrypt();
      expect(progress).toMatchObject({ failed: 0 });
      expect(progress.done).toBe(progress.total);
      expect((await turned.reencrypt()).changed).toBe(0);
      expect(await store.read('static/b')).toEqual({ value: 'static/b', version: 1 });
    });

    it('rewraps the sealed values of an owner page by page, a value written meanwhile left alone', async () => {
      const table = new Map<string, SealedRow<SealContext>>();
      for (const id of ['1', '2', '3', '4', '5']) {
        const context = { ...AT, row: id };
        table.set(id, { id, sealed: await store.seal(bytes(`value ${id}`), context), context });
      }
      await real.turnKey();
      const turned = await open();
      const newer = { ...AT, row: '2', generation: 8 };
      const written = { id: '2', sealed: await turned.seal(bytes('newer'), newer), context: newer };
      const done: number[] = [];
      const progress = await rewrapAll<SealContext>({
        rows: {
          count: async () => table.size,
          page: async (after, limit) => [...table.values()].filter(({ id }) => id > (after ?? '')).slice(0, limit),
          replace: async (row, sealed) => {
            if (row.id === '2') table.set('2', written);
            if (table.get(row.id)?.sealed !== row.sealed) return false;
            table.set(row.id, { ...row, sealed });
            return true;
          },
        },
        rewrap: (sealed, context) => turned.rewrap(sealed, context),
        pageRows: 2,
        tell: (each) => done.push(each.done),
      });
      expect(progress).toEqual({ total: 5, done: 5, changed: 4, failed: 0 });
      expect(done).toEqual([1, 2, 3, 4, 5]);
      expect((await store.open(table.get('2')?.sealed ?? '', newer)).toString()).toBe('newer');
      expect((await store.open(table.get('5')?.sealed ?? '', { ...AT, row: '5' })).toString()).toBe('value 5');
    });

    it('says that it is away, refuses with that reason, and tells when it is back', async () => {
      await store.put('static/files', 'one');
      const told: StoreHealth[] = [];
      const stop = store.onStateChange((health) => told.push(health));
      expect(await store.health()).toMatchObject({ state: 'ok' });
      expect(told).toEqual([]);
      await real.takeAway();
      expect(await store.health()).toMatchObject({ state: real.awayState, detail: expect.any(String) });
      await expect(store.put('static/files', 'canary-of-put')).rejects.toMatchObject({ isUnavailable: true });
      await expect(store.get('static/files')).rejects.toMatchObject({ isUnavailable: true });
      await expect(store.list()).rejects.toMatchObject({ isUnavailable: true });
      expect(JSON.stringify(told)).not.toContain('canary');
      await real.giveBack();
      expect(await store.get('static/files')).toBe('one');
      expect(await store.health()).toMatchObject({ state: 'ok' });
      expect(told.map(({ state }) => state)).toEqual([real.awayState, 'ok']);
      stop();
    });

    it('is of no use once closed', async () => {
      const sealed = await store.seal(bytes('x'), AT);
      await store.close();
      await expect(store.put('static/files', 'x')).rejects.toMatchObject({ reason: 'closed' });
      await expect(store.get('static/files')).rejects.toMatchObject({ reason: 'closed' });
      await expect(store.open(sealed, AT)).rejects.toMatchObject({ reason: 'closed' });
      await expect(store.seal(bytes('x'), AT)).rejects.toMatchObject({ reason: 'closed' });
    });
  });
}
