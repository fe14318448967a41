const TELLING_KEYS_MAX = 4_096;
/** Keys as they are: `password`, `ssn`, `client_ip`. What stands under any other is read by itself. */
const TELLING =
  /pass|pwd|secret|token|key|auth|cred|psk|pin\b|ssn|tfn|\bsin\b|itin|nif|nie|dni|iban|nino|nhs|nir|insee|steuer|idnr|tax|abn|bsn|pesel|cpf|cui[tl]|cnp|egn|amka|oib|svnr|ahv|avs|aadhaa?r|\bpan\b|npi|mbi|medicare|routing|\baba|vin\b|chassis|person.?n|cpr|pnr|fnr|kimlik|tckn|nric|mykad|\bnik\b|ktp|rut\b|curp|phone|tel\b|mobile|fax|cell|contact|whatsapp|dob|birth|passport|licen[cs]e|wallet|bitcoin|btc|security|identity|national|social|medic|insurance/i;
/** Names of members come again and again. */
const tellingKeys = new Map<string, boolean>();

/** Whether a key says of its value what that does not say by itself. */
export function isTelling(key: string): boolean {
  const known = tellingKeys.get(key);
  if (known !== undefined) return known;
  const is = key.length <= 64 && TELLING.test(key);
  if (tellingKeys.size < TELLING_KEYS_MAX) tellingKeys.set(key, is);
  return is;
}
