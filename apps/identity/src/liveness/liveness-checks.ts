import type { AdminActor } from '@warder/postgres';
import type { IdentityStore } from '../identity.store.js';
import { Principal } from '../principal.entity.js';
import type { AccessEndings } from '../signals/access-endings.store.js';
import type { StillThere } from '../sign-in/still-there.js';
import type { Due, LivenessStore } from './liveness.store.js';

/** Questions under way at a time. */
const AT_A_TIME = 8;

export interface LivenessChecksParts {
  readonly store: Pick<IdentityStore, 'change'>;
  readonly liveness: LivenessStore;
  readonly endings: AccessEndings;
  /** By their ids; each never throws. */
  readonly providers: ReadonlyMap<string, (refreshToken: string) => Promise<StillThere>>;
  /** What became of a question: `there`, `gone`, `lost` or `away`. */
  readonly counted: (provider: string, became: string) => void;
  readonly onAway: (told: { provider: string; detail: string }) => void;
}

/** Asks providers that send nothing whether those who signed in are still there. */
export class LivenessChecks {
  constructor(private readonly parts: LivenessChecksParts) {}

  /** Asks of everybody who is due now. @returns how many they were */
  async run(): Promise<number> {
    let asked = 0;
    for (;;) {
      const due = await this.parts.liveness.claim(AT_A_TIME);
      await Promise.all(due.map((each) => this.check(each)));
      asked += due.length;
      if (due.length < AT_A_TIME) return asked;
    }
  }

  private async check(due: Due): Promise<void> {
    const { liveness, providers, counted, onAway } = this.parts;
    const { provider, refreshToken } = due;
    // A day has passed since we lost the token, and the person has not been seen.
    if (refreshToken === undefined) return this.end(due, 'gone');
    const ask = providers.get(provider);
    if (ask === undefined) return;
    const answer = await ask(refreshToken);
    if (answer.is === 'there') {
      await liveness.there(due, answer.refreshToken);
      return counted(provider, 'there');
    }
    // It may be the token before the one that a node, now dead, was given: no word on the person.
    if (answer.is === 'gone') return this.end(due, due.isUnclear ? 'lost' : 'gone');
    await liveness.away(due, answer.isUnclear);
    counted(provider, 'away');
    onAway({ provider, detail: answer.detail });
  }

  /** Who is gone is kept out until seen again; of whom nothing can be said any more only what was signed in to ends. */
  private async end(due: Due, became: 'gone' | 'lost'): Promise<void> {
    const { store, liveness, endings, counted } = this.parts;
    const { principalId, provider } = due;
    const by: AdminActor = { principal: null, token: null, client: { name: provider, by: 'liveness' }, address: '' };
    const why = { why: became === 'gone' ? 'refresh token refused' : 'refresh token lost', provider };
    await store.change(async (manager) => {
      const isCurrent = became === 'gone' ? await liveness.forget(manager, due) : await liveness.lose(manager, due);
      const principal = isCurrent ? await manager.findOneBy(Principal, { id: principalId }) : null;
      if (principal === null) return;
      if (became === 'gone') await endings.suspend(manager, principal, `sign-in/${provider}`, by, why);
      else await endings.signOut(manager, principal, by, why);
    });
    counted(provider, became);
  }
}
