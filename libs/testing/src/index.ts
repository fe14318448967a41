export { type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker } from './kafka-broker.js';
export { type KafkaPlaces, kafkaProperties, type KafkaSasl, scramArguments } from './kafka-settings.js';
export { sharedKafka } from './kafka-shared.js';
export {
  checkoutRoot,
  type ClusterOptions,
  ensureBuilt,
  startCluster,
  type StartedCluster,
  type StartedWarder,
} from './compose-cluster.js';
export { readComposeFile } from './compose-file.js';
export type { RunningService } from './compose-process.js';
export { ComposeRunner } from './compose-runner.js';
export { startStandalone, type StandaloneOptions } from './compose-standalone.js';
export {
  type FixtureControl,
  type FixtureKillPoint,
  type FixtureOptions,
  FixtureUpstream,
  startFixtureUpstream,
} from './fixture-upstream.js';
export { type LedgerEntry, readLedger } from './fixture-upstream-ledger.js';
export { type FixtureProcess, startFixtureProcess } from './fixture-upstream-process.js';
export type { FixtureEra } from './fixture-upstream-protocol.js';
export { FAKE_AWS_KEY, FAKE_CARD, type FixtureLeak, POISON } from './fixture-upstream-tools.js';
export { OCSF_SCHEMA_VERSION, type OcsfSchema, resolveOcsfSchema } from './ocsf-schema.js';
export { ocsfFaults } from './ocsf-validator.js';
export { type FakeAnswer, type FakeFault, FakeReceiver, fakeJson, type ReceivedRequest } from './fake-receiver.js';
export { FakeElasticBulk, type FakeElasticOptions } from './fake-elastic-bulk.js';
export { type AssertedClaims, type AssertionRules, readAssertion } from './strict-assertion.js';
export { ID_JAG_TYPE, JWT_TYPE, StrictTokenServer, type StrictTokenServerOptions } from './strict-token-server.js';
export { FakeProvider, type FakeProviderOptions, type SentToFake } from './fake-provider.js';
export type { FakeProviderRules, IssuedTokens } from './fake-provider-rules.js';
export { type FakeLogRecord, FakeOtlpReceiver } from './fake-otlp-receiver.js';
export { FakeSplunkHec, type FakeSplunkOptions, type SplunkEvent } from './fake-splunk-hec.js';
export { FAKE as FAKE_GUARDRAIL } from './fake-guardrail-vendors.js';
export { FakeGuardrails, type FakeMood } from './fake-guardrails.js';
export { type FakeNotice, FakeNoticeReceiver } from './fake-notice-receiver.js';
export { FakeWebhookReceiver } from './fake-webhook-receiver.js';
export { certifiedName } from './fixture-upstream-door.js';
export { type KnownAwsKeys, StrictAwsService } from './strict-aws.js';
export { type PartyFiles, TestAuthority } from './certificates.js';
export { type RsyslogKafka, startRsyslogOnKafka } from './rsyslog-kafka.js';
export { type RsyslogOptions, startRsyslog } from './rsyslog-receiver.js';
export { resolveSiemReceivers, siemCacheDir } from './siem-packages.js';
export { freeReceiverPort, type ReceivedLine, SiemReceiver } from './siem-receiver.js';
export { startSyslogNg } from './syslog-ng-receiver.js';
export { type BrowserPage, ScriptedBrowser } from './scripted-browser.js';
export { type ChromiumFiles, resolveChromium } from './chromium-files.js';
export { type BrowserOptions, BrowserWindow, RealBrowser } from './real-browser.js';
export { type KeycloakOptions, type RunningKeycloak, startKeycloak } from './keycloak.js';
export { KeycloakAdmin } from './keycloak-admin.js';
export { KEYCLOAK_VERSION, keycloakCacheDir } from './keycloak-dist.js';
export { type KeycloakSaml, keycloakSaml, keycloakSamlClient } from './keycloak-saml.js';
export { KEYCLOAK_CLIENT, KEYCLOAK_PEOPLE, type KeycloakPerson, keycloakRealm } from './keycloak-realm.js';
export { OpenBao } from './openbao.js';
export { OPENBAO_VERSION } from './openbao-binary.js';
