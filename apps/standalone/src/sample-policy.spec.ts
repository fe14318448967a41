import { describe, expect, it } from 'vitest';
import { grantedGroups } from './policy-at-start.js';
import { movedSample, samplePolicy } from './sample-policy.js';

const url = (port: number) => `http://127.0.0.1:${port}/mcp`;

describe('the sample policy', () => {
  it('lets developers read and nothing else', () => {
    const [grant] = samplePolicy(url(3001)).grants;
    expect(grant).toMatchObject({ effect: 'permit', to: { group: 'developers' } });
    expect(grant?.tools).toContain('filesystem/read_text_file');
    for (const kept of ['filesystem/write_file', 'filesystem/move_file', 'everything/get-env']) {
      expect(grant?.tools).not.toContain(kept);
    }
    expect(grant?.tools.join()).not.toContain('*');
  });

  it('follows the sample upstream to another port', () => {
    const moved = movedSample(samplePolicy(url(3001)), url(3001), url(3002));
    expect(moved?.upstreams['everything']?.transport).toEqual({ kind: 'streamable-http', url: url(3002) });
    expect(moved?.grants).toEqual(samplePolicy(url(3001)).grants);
  });

  it('leaves alone what an operator changed', () => {
    expect(movedSample(samplePolicy('https://mine.example.com/mcp'), url(3001), url(3002))).toBeUndefined();
    expect(movedSample(samplePolicy(url(3001)), url(3001), url(3001))).toBeUndefined();
  });

  it('makes the local developer a member of every group that may do anything', () => {
    expect(grantedGroups(samplePolicy(url(3001)))).toEqual(['developers']);
  });
});
