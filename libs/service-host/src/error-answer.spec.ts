import { expect, it } from 'vitest';
import { refusalOf } from './error-answer.js';

it('answers a status of the framework by its code: WDR_REQUEST_REFUSED where we have none of our own', () => {
  const thrown = (statusCode: number) => refusalOf(Object.assign(new Error('of the inside'), { statusCode }))?.code;
  expect([405, 413, 415, 500].map(thrown)).toEqual([
    'WDR_REQUEST_REFUSED',
    'WDR_BODY_TOO_LARGE',
    'WDR_CONTENT_TYPE_UNSUPPORTED',
    undefined,
  ]);
});
