import { type Html, html, noticePage, PAGE_HEADERS, pageOf } from '@warder/pages';
import type { KoaContextWithOIDC } from 'oidc-provider';

/** Asks whether the browser is to be signed out. @param form - with what ties the answer to the question */
export async function askToSignOut(ctx: KoaContextWithOIDC, form: string): Promise<void> {
  answer(
    ctx,
    'Sign out?',
    html`<h1>Sign out?</h1>
      <p>This browser is signed out of Warder. Programs and tokens of yours go on.</p>
      ${{ html: form }}
      <div class="acts">
        <button class="main" form="op.logoutForm" name="logout" value="yes">Sign out</button>
        <button form="op.logoutForm">Stay signed in</button>
      </div>`,
  );
}

/** Tells what came of it. */
export async function tellSignOut(ctx: KoaContextWithOIDC): Promise<void> {
  const { accountId } = await ctx.oidc.provider.Session.get(ctx);
  const isIn = accountId !== undefined;
  const sentence = isIn ? 'Nothing was changed in this browser.' : 'This browser is signed out.';
  const title = isIn ? 'You are still signed in' : 'Signed out';
  answer(ctx, title, noticePage(title, sentence));
}

function answer(ctx: KoaContextWithOIDC, title: string, body: Html): void {
  for (const [name, value] of Object.entries(PAGE_HEADERS)) ctx.set(name, value);
  ctx.body = pageOf(title, body);
}
