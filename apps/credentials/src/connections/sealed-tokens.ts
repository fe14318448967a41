import type { SealedValues } from '@warder/secrets';

type Column = 'access_token' | 'refresh_token' | 'verifier';

/** Tokens of connections, which exist in clear only in memory and only while they are used. */
export class SealedTokens {
  constructor(private readonly sealing: Pick<SealedValues, 'seal' | 'open'>) {}

  /** @param row - id of the connection, or the digest of an attempt's state */
  async seal<Token extends string | null>(
    row: string,
    column: Column,
    generation: number,
    token: Token,
  ): Promise<Token extends string ? string : null>;
  async seal(row: string, column: Column, generation: number, token: string | null): Promise<string | null> {
    if (token === null) return null;
    return this.sealing.seal(Buffer.from(token, 'utf8'), { table: tableOf(column), row, column, generation });
  }

  async open(row: string, column: Column, generation: number, sealed: string): Promise<string> {
    const plain = await this.sealing.open(sealed, { table: tableOf(column), row, column, generation });
    return plain.toString('utf8');
  }
}

function tableOf(column: Column): string {
  return column === 'verifier' ? 'connection_attempt' : 'connection';
}
