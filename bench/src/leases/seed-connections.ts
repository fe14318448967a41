import { join } from 'node:path';
import { openSecretStore, type SecretStore } from '@warder/secrets';
import type { StartedCluster } from '@warder/testing';
import type { Client } from 'pg';
import { LIFE_S, token } from './token-endpoint.js';

export const PROVIDER = 'bench';
/** Rows of one statement. */
const PART = 2_000;

export const personId = (at: number): string => `usr_bench_${at}`;
const connectionId = (at: number): string => `con_bench_${at}`;

/** Writes people like one that was made by the door, under names of their own. */
export async function seedPeople(client: Client, like: string, people: number): Promise<void> {
  await client.query(
    `INSERT INTO identity.principal
     SELECT (jsonb_populate_record(one, jsonb_build_object(
       'id', 'usr_bench_' || at, 'name', 'Bench Person ' || at, 'email', 'person-' || at || '@example.com'))).*
     FROM identity.principal AS one, generate_series(0, $1::int - 1) AS at WHERE one.id = $2`,
    [people, like],
  );
}

/**
 * Writes a connection for each of them, its tokens sealed as credentials seals them: nothing is due for half a day.
 * @param sealing - of the cluster's own keyring
 */
export async function seedConnections(client: Client, sealing: SecretStore, people: number): Promise<void> {
  const nowMs = Date.now();
  for (let from = 0; from < people; from += PART) {
    const places = Array.from({ length: Math.min(PART, people - from) }, (_, at) => from + at);
    const sealed = async (at: number, column: string): Promise<string> =>
      sealing.seal(Buffer.from(token()), { table: 'connection', row: connectionId(at), column, generation: 1 });
    const access = await Promise.all(places.map((at) => sealed(at, 'access_token')));
    const refresh = await Promise.all(places.map((at) => sealed(at, 'refresh_token')));
    await client.query(
      `INSERT INTO credentials.connection (id, version, status, reason, kind, provider, principal_id, owner_id,
         account_id, account_name, generation, facts, scopes, access_token, refresh_token, expires_at_ms, refresh_at_ms,
         intent, is_resting, connected_at_ms, changed_at_ms)
       SELECT id, 1, 'active', NULL, 'oauth_user', $5, person, person, person, person, 1, '{}', '["read","write"]',
         access, refresh, $6::bigint, $6::bigint, NULL, false, $7::bigint, $7::bigint
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS row (id, person, access, refresh)`,
      [
        places.map(connectionId),
        places.map(personId),
        access,
        refresh,
        PROVIDER,
        String(nowMs + 12 * LIFE_S * 1_000),
        String(nowMs),
      ],
    );
  }
  await client.query('ANALYZE credentials.connection');
}

/** The secret store of the cluster's credentials. */
export function clusterSecrets(cluster: StartedCluster): Promise<SecretStore> {
  return openSecretStore({
    store: 'embedded',
    dir: cluster.volume('secret-store'),
    keyringFile: join(cluster.volume('secrets-credentials'), 'keyring'),
    create: false,
  });
}

/** Spreads what is due over a time from now on; tokens end when they would. @param spreadMs - 0: all of it is due now */
export async function makeDue(client: Client, spreadMs: number): Promise<void> {
  await client.query(
    `UPDATE credentials.connection SET refresh_at_ms = $1::bigint + (random() * $2::float8)::bigint,
       expires_at_ms = $1::bigint + $3::bigint WHERE id LIKE 'con_bench_%'`,
    [String(Date.now()), spreadMs, String(12 * LIFE_S * 1_000)],
  );
  await client.query('ANALYZE credentials.connection');
}
