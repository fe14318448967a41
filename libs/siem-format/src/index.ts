export { cefMessage } from './cef-message.js';
export { ECS_VERSION, type EcsDocument, ecsDocument } from './ecs-document.js';
export { eventCode, eventName } from './event-name.js';
export { jsonLine } from './harmless-text.js';
export { leefMessage } from './leef-message.js';
export { OCSF_VERSION, type OcsfEvent } from './ocsf-base.js';
export { ocsfEvent } from './ocsf-event.js';
export { RECORD_FIELDS, type RecordField } from './record-fields.js';
export { type Severity, severityOf } from './severity.js';
export { parseRecord } from './parse-record.js';
export { PRODUCT, type RecordNotes, recordPointer } from './record-notes.js';
export {
  type RecordFormat,
  recordLine,
  SYSLOG_BYTES_MAX,
  SYSLOG_BYTES_MIN,
  syslogMessage,
  type SyslogOptions,
} from './syslog-message.js';
