import { join } from 'node:path';
import { orExit } from '@warder/service-host';
import { z } from 'zod';
import { welcome } from './give-welcome.js';

// The cluster's last one-shot: everything is up, and a person or a script is told how to use it.
const Environment = z.object({
  WELCOME_ADMIN_URL: z.url(),
  WELCOME_PUBLIC_URL: z.url(),
  WELCOME_SAMPLE_URL: z.url(),
  WELCOME_ADMIN_TOKEN_FILE: z.string(),
  WELCOME_DIR: z.string(),
});

await orExit('welcome', async () => {
  const environment = Environment.parse(process.env);
  const dir = environment.WELCOME_DIR;
  await welcome({
    adminUrl: environment.WELCOME_ADMIN_URL,
    publicUrl: new URL(environment.WELCOME_PUBLIC_URL),
    sampleUrl: environment.WELCOME_SAMPLE_URL,
    files: {
      adminTokenFile: environment.WELCOME_ADMIN_TOKEN_FILE,
      tokensFile: join(dir, 'tokens.json'),
      samplesFile: join(dir, 'sample-url'),
    },
    readyFile: join(dir, 'ready.json'),
    where: 'the volumes and logs of docker compose',
  });
});
