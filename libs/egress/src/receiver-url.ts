const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Whether nothing secret stands in the address: addresses are shown in errors and states. */
export function isBareUrl(text: string): boolean {
  const { username, password, search, hash } = new URL(text);
  return username === '' && password === '' && search === '' && hash === '';
}

/** Whether the address may be dialled as it stands: TLS, or plain text where nobody else can listen. */
export function isSafeUrl({ url, allowPlainHttp }: { url: string; allowPlainHttp: boolean }): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || allowPlainHttp || LOOPBACK.test(hostname);
}
