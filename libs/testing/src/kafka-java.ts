import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readComposeFile } from './compose-file.js';
import { classPathOf, KAFKA_VERSION, resolveKafkaLibs } from './kafka-libs.js';

const run = promisify(execFile);
const IN_DOCKER = fileURLToPath(new URL('../kafka-in-docker', import.meta.url));
const COMPOSE_FILE = fileURLToPath(new URL('../../../docker-compose.yml', import.meta.url));
const IMAGE_CLASS_PATH = '/opt/kafka/libs/*';
const ANSWER_MS = 30_000;

/** How this machine runs the programs of Kafka. */
export interface KafkaJava {
  /** Variables with which the command `java` is the one to use. It is to be told KAFKA_DATA, Kafka's data directory. */
  readonly environment: Readonly<Record<string, string>>;
  readonly classPath: string;
  /** Whether it is a Java of this machine, whose class-data archive can be kept. */
  readonly isLocal: boolean;
}

let found: Promise<KafkaJava> | undefined;

/**
 * Java and the jars that Maven resolves, or where one of them is missing, Docker and the image of `docker-compose.yml`.
 * @throws Error with one sentence where there is neither
 */
export function kafkaJava(): Promise<KafkaJava> {
  found ??= find().catch((error: unknown) => {
    found = undefined;
    throw error;
  });
  return found;
}

async function find(): Promise<KafkaJava> {
  const noJava = await local().catch((error: Error) => error);
  if (!(noJava instanceof Error)) return noJava;
  const noDocker = await inDocker().catch((error: Error) => error);
  if (!(noDocker instanceof Error)) return noDocker;
  throw new Error(
    `No Kafka for the tests: set KAFKA_BROKERS, install Java 17 and Maven so that the jars of Kafka ${KAFKA_VERSION} can be resolved, or start Docker (${firstLine(noJava)}; ${firstLine(noDocker)}).`,
    { cause: noJava },
  );
}

async function local(): Promise<KafkaJava> {
  await run('java', ['-version'], { timeout: ANSWER_MS });
  return { environment: {}, classPath: await classPathOf(await resolveKafkaLibs()), isLocal: true };
}

async function inDocker(): Promise<KafkaJava> {
  await run('docker', ['info'], { timeout: ANSWER_MS });
  const kafka = readComposeFile(COMPOSE_FILE).services.find(({ name }) => name === 'kafka')!;
  const environment = { PATH: `${IN_DOCKER}:${process.env.PATH ?? ''}`, WARDER_KAFKA_IMAGE: kafka.image };
  return { environment, classPath: IMAGE_CLASS_PATH, isLocal: false };
}

const firstLine = ({ message }: Error): string => message.split('\n')[0]!;
