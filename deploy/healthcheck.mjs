// `node deploy/healthcheck.mjs http://127.0.0.1:8080/readyz`: exit 0 when the answer is 200. Our images have no curl.
import { get } from 'node:http';

const [url = ''] = process.argv.slice(2);
const request = get(url, { timeout: 2_000 }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1));
request.on('timeout', () => request.destroy());
request.on('error', () => process.exit(1));
