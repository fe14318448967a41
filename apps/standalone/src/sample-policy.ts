import { PolicyDocument } from '@warder/contracts';

export const DEVELOPERS = 'developers';
export const SAMPLE_VIRTUAL_SERVER = 'dev';

/**
 * What a first start governs: one virtual server over both sample upstreams, of which developers may use the part
 * that reads. Writing files, and the tool that shows an environment, are exposed to nobody.
 */
export function samplePolicy(everythingUrl: string): PolicyDocument {
  return PolicyDocument.parse({
    upstreams: {
      everything: {
        transport: { kind: 'streamable-http', url: everythingUrl },
        allowPrivateAddress: true,
      },
      filesystem: { transport: { kind: 'stdio', entry: 'filesystem' } },
    },
    virtualServers: {
      [SAMPLE_VIRTUAL_SERVER]: {
        description: 'Sample: tools of two upstreams behind one endpoint',
        tools: [
          { upstream: 'everything', tool: '*' },
          { upstream: 'filesystem', tool: '*' },
        ],
      },
    },
    grants: [
      {
        name: 'developers-read',
        effect: 'permit',
        to: { group: DEVELOPERS },
        tools: [
          'everything/echo',
          'everything/get-sum',
          'everything/get-tiny-image',
          'everything/get-structured-content',
          'everything/trigger-long-running-operation',
          'filesystem/read_text_file',
          'filesystem/read_multiple_files',
          'filesystem/list_directory',
          'filesystem/directory_tree',
          'filesystem/search_files',
          'filesystem/get_file_info',
          'filesystem/list_allowed_directories',
        ],
      },
    ],
  });
}

/**
 * The policy with the sample upstream at the address where it is now, or undefined when there is nothing to change:
 * whoever gave `everything` an address of their own keeps it.
 */
export function movedSample(document: PolicyDocument, earlierUrl: string, url: string): PolicyDocument | undefined {
  const everything = document.upstreams['everything'];
  if (earlierUrl === url || everything?.transport.kind !== 'streamable-http') return undefined;
  if (everything.transport.url !== earlierUrl) return undefined;
  const moved = { ...everything, transport: { ...everything.transport, url } };
  return { ...document, upstreams: { ...document.upstreams, everything: moved } };
}
