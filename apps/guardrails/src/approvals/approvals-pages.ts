import { faultOf, type Html, html, listed, post, time } from '@warder/pages';
import { asSeen } from '../definitions/definition-diff.js';
import type { ApprovalStatus, ApprovalView } from './approval-view.js';
import type { ApprovalsPage } from './approvals-reader.store.js';

/** The names of people and services as they are now. */
export type NameOf = (principalId: string) => string;

const WORDS: Readonly<Record<ApprovalStatus, string>> = {
  pending: 'waits for a decision',
  approved: 'approved, not called yet',
  denied: 'denied',
  expired: 'nobody decided or called in time',
  outdated: 'void: the rules changed, or who approved it left',
  redeemed: 'approved and called',
};

/** Everything that the person may see, what is open first. */
export function approvalsPage(name: string, { approvals, cursor }: ApprovalsPage, nameOf: NameOf): Html {
  return html`<h1>Approvals</h1>
    <p>
      You are signed in as <strong>${name}</strong>.
      <span class="quiet"
        >Here stand calls of agents that wait for a human, yours and those that you decide about.</span
      >
    </p>
    ${approvals.length === 0 ? html`<p>There are none${cursor === null ? '' : ' here'}.</p>` : html``}
    ${approvals.map(
      ({ id, upstream, tool, principalId, status, askedAtMs }) =>
        html`<section class="card">
          <h3><a href="/approvals/${id}">${upstream}/${tool}</a></h3>
          <p>For ${nameOf(principalId)}, asked ${time(askedAtMs)}: ${WORDS[status]}</p>
        </section>`,
    )}
    ${cursor === null ? html`` : html`<p><a href="/approvals?from=${cursor}">Older ones</a></p>`}
    <p><a href="/account">Your account</a></p>`;
}

export interface ApprovalShown {
  readonly approval: ApprovalView;
  readonly nameOf: NameOf;
  /** Ties the form to the browser. */
  readonly form: string;
  /** Why the person may not decide; null where they may. */
  readonly whyNot: string | null;
  readonly fault: string | null;
}

/** One question: who asks what, and why it waits. */
export function approvalPage({ approval, nameOf, form, whyNot, fault }: ApprovalShown): Html {
  const { id, status, principalId, agent, actors, virtualServer, upstream, tool, holds, decided, run } = approval;
  return html`<h1>${upstream}/${tool}</h1>
    <p class="note" role="status">${WORDS[status]}</p>
    ${faultOf(fault)}
    <dl>
      <dt>For</dt>
      <dd>${nameOf(principalId)} (${principalId})</dd>
      ${
        actors.length === 0
          ? html``
          : html`<dt>By</dt>
              <dd>${listed(actors.map((actor) => `${nameOf(actor.id)} (${actor.id})`))}</dd>`
      }
      <dt>Agent</dt>
      <dd>${asSeen(agent.name)} (${agent.kind}, ${agent.id})${run === '' ? '' : `, run ${run}`}</dd>
      <dt>Tool</dt>
      <dd>${asSeen(tool)} of ${upstream}, through ${virtualServer}</dd>
      <dt>Why it waits</dt>
      <dd>${holds.map(({ by, rule, reason }) => html`<p>${reason} <span class="quiet">(${by} ${rule})</span></p>`)}</dd>
      <dt>Decides</dt>
      <dd>
        ${approval.approvers.by.length === 0 ? 'an administrator' : `one of ${listed(approval.approvers.by)}`}${
          approval.approvers.fourEyes ? ', and not who asks' : ''
        }
      </dd>
      <dt>Asked</dt>
      <dd>${time(approval.askedAtMs)}</dd>
      <dt>Until</dt>
      <dd>${time(approval.expiresAtMs)}</dd>
      ${
        decided === null
          ? html``
          : html`<dt>Decided</dt>
              <dd>by ${decided.name}, ${time(decided.atMs)}: ${decided.reason}</dd>`
      }
    </dl>
    ${chainOf(approval)}
    <h2>What is sent</h2>
    ${sentOf(approval)} ${status === 'pending' ? deciding(id, form, whyNot) : html``}
    <p><a href="/approvals">All approvals</a></p>`;
}

function chainOf({ holds }: ApprovalView): Html {
  const steps = holds.flatMap(({ chain = [] }) => chain);
  if (steps.length === 0) return html``;
  return html`<h2>What came before it</h2>
    <ul>
      ${steps.map(({ tool, labels, recordId }) => html`<li>${tool}: ${listed(labels)} <span class="quiet">${recordId}</span></li>`)}
    </ul>`;
}

function sentOf({ arguments: sent, argumentsDigest }: ApprovalView): Html {
  if ('value' in sent) return html`<pre>${asSeen(JSON.stringify(sent.value, null, 2))}</pre>`;
  const head = 'head' in sent ? sent.head : '';
  const shown = html`<pre>${asSeen(head)}</pre>`;
  // Whole, but with numbers that a program would round.
  if (Buffer.byteLength(head) === sent.bytes) return shown;
  const note = `These are the first 16 KiB of ${sent.bytes} bytes; all of it has the digest ${argumentsDigest}.`;
  return html`<p class="fault">${note}</p>
    ${shown}`;
}

function deciding(id: string, form: string, whyNot: string | null): Html {
  if (whyNot !== null) return html`<p class="quiet">You do not decide about it: ${whyNot}.</p>`;
  const body = html`<label for="reason">Reason</label>
    <input id="reason" name="reason" type="text" required maxlength="500" />
    <p class="quiet">It stands in the record; whoever is denied is told it.</p>
    <div class="acts">
      <button class="main" name="decision" value="approve">Approve this call once</button>
      <button name="decision" value="deny">Deny</button>
    </div>`;
  return post(`/approvals/${id}/decision`, form, body);
}
