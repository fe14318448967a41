import { lookup as resolve, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { isPublicAddress, literalAddress } from './address-guard.js';

/** Resolves a name to all its addresses; the system's resolver unless a test says otherwise. */
export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A connection that was refused before a byte was sent, for its address is not public. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'WDR_ADDRESS_REFUSED';
}

/** Milliseconds without traffic after which the kernel asks whether the other end is still there. */
const KEEP_ALIVE_PROBE_MS = 60_000;

interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  readonly onread: OnReadOpts;
}

/** Where to, and under which rules. */
export interface DialOptions {
  /** An operator named this target: loopback, private and link-local addresses are allowed. */
  readonly allowPrivateAddress: boolean;
  readonly resolver?: Resolver;
  /** Authorities trusted in place of the system's, PEM. */
  readonly ca?: string;
  /** What our side proves itself with, PEM; of https only. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Certificates are verified even where `NODE_TLS_REJECT_UNAUTHORIZED=0` stands in the environment. */
  readonly verifiesAlways?: boolean;
}

/** Opens sockets to one origin; TLS sessions are resumed, and say again who they were opened as. */
export class Dialler {
  private readonly lookup: LookupFunction;
  private readonly host: string;
  private readonly port: number;
  private session: Buffer | undefined;
  /** Read once: a key is parsed, and the authorities are gathered. */
  private readonly secureContext: SecureContext | undefined;

  /** @throws Error for a certificate or key that TLS cannot use */
  constructor(
    private readonly origin: URL,
    private readonly options: DialOptions,
  ) {
    const { ca, clientCertificate } = options;
    if (clientCertificate !== undefined) {
      const { certificate: cert, key } = clientCertificate;
      this.secureContext = createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) });
    }
    this.lookup = guardedLookup(options.allowPrivateAddress, options.resolver ?? resolve);
    this.host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    this.port = origin.port === '' ? (origin.protocol === 'https:' ? 443 : 80) : Number(origin.port);
  }

  /**
   * @param onRead - takes what is received, without a stream in between
   * @param onOpen - called when the socket can be written to
   * @throws AddressRefused for a literal address: no resolver is asked for one, so the look-up would not see it
   */
  dial(onRead: OnReadOpts, onOpen: () => void): Socket {
    const { host, port, lookup } = this;
    const literal = literalAddress(this.origin.hostname);
    if (literal !== undefined && !this.options.allowPrivateAddress && !isPublicAddress(literal)) {
      throw new AddressRefused(`${literal} is not a public address`);
    }
    const common = { host, port, lookup, onread: onRead };
    const socket = this.origin.protocol === 'http:' ? connectTcp(common, onOpen) : this.dialTls(common, onOpen);
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
  }

  private dialTls(common: DialTarget, onOpen: () => void): Socket {
    const { host } = this;
    const { ca, verifiesAlways } = this.options;
    const socket = connectTls(
      {
        ...common,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(this.session === undefined ? {} : { session: this.session }),
        ...(ca === undefined ? {} : { ca }),
        ...(this.secureContext === undefined ? {} : { secureContext: this.secureContext }),
        ...(verifiesAlways === true ? { rejectUnauthorized: true } : {}),
      },
      onOpen,
    );
    return socket.on('session', (session) => (this.session = session));
  }
}

/** A look-up that gives no private address, unless that is allowed. */
export function guardedLookup(allowPrivate: boolean, resolver: Resolver): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname, { ...options, all: true } as LookupAllOptions, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      // One private address among public ones is enough to refuse: which one is dialled is not ours to choose.
      const bad = allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
      if (bad !== undefined) {
        return callback(new AddressRefused(`${hostname} resolves to ${bad.address}, not a public address`), '', 0);
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}
