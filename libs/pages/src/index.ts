export { BrowserForms } from './browser-forms.js';
export { GuestPages, type GuestActing, type GuestRequest, type PagesShown } from './guest-pages.js';
export { mountGuestPages, type MountedPages } from './mount-guest-pages.js';
export { PassKeys } from './pass-keys.js';
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
