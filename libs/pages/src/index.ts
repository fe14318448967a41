export { BrowserForms } from './browser-forms.js';
export { ending, faultOf, listed, noticePage, post, time } from './parts.js';
export { sessionCookieName } from './session-cookie.js';
export {
  answerPage,
  formOf,
  type Html,
  html,
  PAGE_HEADERS,
  PageError,
  pageOf,
  PageRefusal,
  type PageStatus,
  redirect,
} from './web.js';
