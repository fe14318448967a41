export { type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker } from './kafka-broker.js';
export { classPathOf, KAFKA_VERSION, kafkaCacheDir, resolveKafkaLibs } from './kafka-libs.js';
export { type KafkaPlaces, kafkaProperties, type KafkaSasl, scramArguments } from './kafka-settings.js';
export { sharedKafka } from './kafka-shared.js';
