export interface Greeting {
  endpoint: string;
  adminUrl: string;
  /** Where people see to their own tokens. */
  accountUrl: string;
  token: string;
  adminTokenFile: string;
  tokensFile: string;
  /** Where data and logs are, in words. */
  where: string;
  isFirstStart: boolean;
  /** Where the local developer chooses a password, at the first start; null later. */
  passwordLink: string | null;
}

/** What a person needs after a start: the endpoint, the token once, a line per client, and where the record is. */
export function greetingText(greeting: Greeting): string {
  const { endpoint, token, isFirstStart, adminUrl, adminTokenFile } = greeting;
  // Shown once: later the lines name a variable, and the file that has the value.
  const shown = isFirstStart ? token : '$WARDER_TOKEN';
  const header = `Authorization: Bearer ${shown}`;
  const json = (value: object) => JSON.stringify(value);
  // No shell reads what these editors read: they put variables in themselves, and spell them so.
  const kept = isFirstStart ? token : '${env:WARDER_TOKEN}';
  const servers = { url: endpoint, headers: { Authorization: `Bearer ${kept}` } };
  return [
    '',
    '  Warder is ready.',
    '',
    `  Endpoint   ${endpoint}`,
    isFirstStart
      ? `  Token      ${token}   (shown once; for scripts it is kept in ${greeting.tokensFile}, mode 0600)`
      : `  Token      shown at the first start; export WARDER_TOKEN=$(node -p "JSON.parse(fs.readFileSync('${greeting.tokensFile}')).developer.token")`,
    ...(greeting.passwordLink === null
      ? []
      : [
          `  Sign in    clients that open a browser need the endpoint alone; choose the local developer's password first:`,
          `             ${greeting.passwordLink}   (good once, for a day)`,
        ]),
    `  Account    ${greeting.accountUrl}   (make and end tokens, programs and browsers of your own)`,
    `  Data, log  ${greeting.where}`,
    '',
    '  Claude Code',
    `    claude mcp add --transport http warder ${endpoint} --header "${header}"`,
    '  VS Code',
    `    code --add-mcp '${json({ name: 'warder', type: 'http', ...servers })}'`,
    '  Cursor (~/.cursor/mcp.json)',
    `    ${json({ mcpServers: { warder: servers } })}`,
    '  Any client that knows only stdio',
    `    npx mcp-remote ${endpoint} --allow-http --header "${header}"`,
    '',
    '  The audit trail: every call, allowed or refused',
    `    curl -s -H "Authorization: Bearer $(cat ${adminTokenFile})" "${adminUrl}/audit/calls?limit=20"`,
    '',
    '',
  ].join('\n');
}
