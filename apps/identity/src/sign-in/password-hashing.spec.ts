import { expect, it } from 'vitest';
import { PasswordHashing } from './password-hashing.js';

it('knows a password by what is kept of it, and no other', async () => {
  const hashing = new PasswordHashing({ runningMax: 1, waitingMax: 1 });
  const kept = await hashing.hashed('correct horse battery');
  expect(kept).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
  expect(await hashing.matches(kept, 'correct horse battery')).toBe(true);
  expect(await hashing.matches(kept, 'correct horse batterz')).toBe(false);
});

it('works on so many at once, lets so many wait in their order, and refuses the rest at once', async () => {
  const hashing = new PasswordHashing({ runningMax: 1, waitingMax: 2 });
  const ended: string[] = [];
  const begun = ['first', 'second', 'third', 'fourth'].map((name) =>
    hashing.hashed(name).then(
      () => ended.push(name),
      (error: { status: number; code: string; retryAfterMs: number }) =>
        ended.push(`${name}: ${error.status} ${error.code} ${error.retryAfterMs}`),
    ),
  );
  await Promise.all(begun);
  expect(ended).toEqual(['fourth: 503 WDR_PASSWORDS_BUSY 1000', 'first', 'second', 'third']);
});

it('has its whole room again after a flood, and after work that failed', async () => {
  const hashing = new PasswordHashing({ runningMax: 1, waitingMax: 1 });
  await Promise.allSettled(Array.from({ length: 10 }, () => hashing.hashed('x')));
  // A cost that scrypt does not take.
  await expect(hashing.matches('scrypt$3$8$3$AAAA$AAAA', 'x')).rejects.toThrow(/Invalid scrypt param/i);
  const both = await Promise.allSettled([hashing.hashed('x'), hashing.hashed('y'), hashing.hashed('z')]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
});
