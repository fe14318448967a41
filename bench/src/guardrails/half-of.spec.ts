import { expect, it } from 'vitest';
import { halfOf } from './half-of.js';

it('holds the same sources back for ever', () => {
  const sources = ['agentdojo', 'injecagent', 'spikee', 'gitleaks_synth', 'own_evasion', 'notinject', 'presidio_synth'];
  expect(sources.filter((source) => halfOf(source) === 'held-back')).toEqual([
    'agentdojo',
    'injecagent',
    'spikee',
    'gitleaks_synth',
  ]);
});
