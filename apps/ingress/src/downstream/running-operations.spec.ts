import { tokenStateTopic } from '@warder/contracts';
import { expect, it } from 'vitest';
import type { Call } from '../pipeline/call.js';
import { RunningOperation, RunningOperations } from './running-operations.js';

function runningUnder(all: RunningOperations, generation?: number): RunningOperation {
  const operation = new RunningOperation();
  const token = { ...tokenStateTopic.example, ...(generation === undefined ? {} : { generation }) };
  operation.call = { token } as Partial<Call> as Call;
  all.add(operation);
  return operation;
}

it('cuts what runs under the secret of a token that ended, and leaves what runs under its new one', () => {
  const all = new RunningOperations(10);
  const [old, fresh] = [runningUnder(all), runningUnder(all, 2)];
  const { id } = tokenStateTopic.example;
  all.revoke({ tokenId: id, generation: 1 });
  expect([old.signal.aborted, fresh.signal.aborted]).toEqual([true, false]);
  all.revoke({ tokenId: id, generation: 2 });
  expect(fresh.signal.aborted).toBe(true);
});
