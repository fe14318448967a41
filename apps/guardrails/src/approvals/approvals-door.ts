import { DecideApproval, type PrincipalState } from '@warder/contracts';
import { answerPage, type GuestActing, type GuestRequest, PageError, type PagesShown, redirect } from '@warder/pages';
import { AdminError } from '@warder/service-host';
import { approvalPage, approvalsPage, type NameOf } from './approvals-pages.js';
import type { ApprovalsReader } from './approvals-reader.store.js';
import type { ApprovalsStore } from './approvals.store.js';

const APPROVAL = /^apr_[\w-]{16}$/;
/** Questions on one page. */
const SHOWN_MAX = 100;
const DECISION = /^(apr_[\w-]{16})\/decision$/;

interface Parts {
  readonly store: ApprovalsStore;
  readonly reader: ApprovalsReader;
  readonly people: (id: string) => PrincipalState | undefined;
}

/** What is shown and done under `/approvals`. */
export function approvalsPages(parts: Parts): PagesShown {
  return {
    name: 'approvals',
    title: 'Approvals',
    homeLabel: 'All approvals',
    places: APPROVAL,
    isForVisitors: () => false,
    show: (asked, query) => show(parts, asked, query),
    change: (asked, form) => change(parts, asked, form),
  };
}

async function show(parts: Parts, { place, acting, response }: GuestRequest, query: URLSearchParams): Promise<void> {
  const { principal } = acting.by;
  if (place === '') {
    const cursor = query.get('from') ?? undefined;
    const page = await parts.reader.page(principal, { cursor, limit: SHOWN_MAX });
    const shown = approvalsPage(principal.name, page, nameOf(parts));
    return answerPage(response, 200, 'Approvals', shown);
  }
  if (!APPROVAL.test(place)) throw new PageError(404, 'There is no such page.');
  answerPage(response, 200, 'Approval', await one(parts, place, acting, null));
}

async function change(
  parts: Parts,
  { place, acting, response, signInAnew }: GuestRequest,
  form: URLSearchParams,
): Promise<void> {
  const [, id] = DECISION.exec(place) ?? [];
  if (id === undefined) throw new PageError(404, 'There is no such page.');
  // A yes is the act itself: not of whoever comes by an open browser.
  if (!acting.isRecent) return signInAnew(id);
  const decision = DecideApproval.safeParse({ decision: form.get('decision'), reason: form.get('reason') });
  if (!decision.success) {
    const fault = 'Say why, in 500 characters at most.';
    return answerPage(response, 400, 'Approval', await one(parts, id, acting, fault));
  }
  try {
    await parts.store.decide(id, decision.data, { by: acting.by, isOnPage: true });
  } catch (error) {
    if (!(error instanceof AdminError) || error.code !== 'WDR_APPROVAL_CLOSED') throw error;
    // Somebody was faster, or it took too long: the page says how it stands.
    return answerPage(response, 409, 'Approval', await one(parts, id, acting, 'It is not open any more.'));
  }
  redirect(response, `/approvals/${id}`);
}

async function one(parts: Parts, id: string, acting: GuestActing, fault: string | null) {
  const { by, form } = acting;
  const approval = await parts.reader.get(id, by.principal);
  const whyNot = (await parts.reader.whyNot(id, { by, isOnPage: true })) ?? null;
  return approvalPage({ approval, nameOf: nameOf(parts), form, whyNot, fault });
}

function nameOf({ people }: Parts): NameOf {
  return (id) => people(id)?.name ?? id;
}
