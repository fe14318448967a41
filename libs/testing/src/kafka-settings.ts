/** SASL accounts of a test broker; `admin` is its super user. */
export interface KafkaSasl {
  admin: { username: string; password: string };
  users: readonly { username: string; password: string }[];
}

/** Where a test broker listens and keeps its log. */
export interface KafkaPlaces {
  dataDir: string;
  port: number;
  controllerPort: number;
  /** Where clients are told to go; the port of a proxy. */
  advertisedPort: number;
}

/** The `server.properties` of a one-node KRaft broker on loopback; with `sasl` its clients log in by SCRAM-SHA-512. */
export function kafkaProperties(places: KafkaPlaces, sasl: KafkaSasl | undefined): string {
  const { dataDir, port, controllerPort, advertisedPort } = places;
  const listener = sasl === undefined ? 'PLAINTEXT' : 'SASL_PLAINTEXT';
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${advertisedPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'CLIENT',
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,CLIENT:${listener}`,
    'log.dirs': dataDir,
    'auto.create.topics.enable': 'false',
    'num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // The default buffer of 128 MiB does not fit the small heap.
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'log.cleaner.backoff.ms': 500,
    // A restart after kill -9 waits for the old session to end: 12 s with the defaults.
    'broker.session.timeout.ms': 1_500,
    'broker.heartbeat.interval.ms': 500,
    ...(sasl !== undefined && saslSettings(sasl)),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Arguments of `StorageTool format` that write the SCRAM accounts into a new log. */
export function scramArguments(sasl: KafkaSasl | undefined): string[] {
  if (sasl === undefined) return [];
  return [sasl.admin, ...sasl.users].flatMap(({ username, password }) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${username},password=${password}]`,
  ]);
}

function saslSettings({ admin }: KafkaSasl): Record<string, string> {
  const login = `username="${admin.username}" password="${admin.password}"`;
  return {
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'listener.name.client.scram-sha-512.sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required ${login};`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // ANONYMOUS is the controller's own listener, which is plain and on loopback.
    'super.users': `User:${admin.username};User:ANONYMOUS`,
  };
}
