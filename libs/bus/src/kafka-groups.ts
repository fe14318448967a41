import type { Topic } from '@warder/contracts';
import type { Admin } from 'kafkajs';
import { pause } from './back-off.js';
import { type BusClock, BusError, type GroupLag } from './bus.js';
import type { KafkaTopics } from './kafka-topics.js';

const ANSWER_WITHIN_MS = 10_000;
/** How near the age of the oldest message is looked for: the greater of 1 s and an eighth of it. */
const AGE_STEP_MS = 1_000;
const AGE_STEP_PART = 8;

/** One partition in which a group has something before it. */
interface Behind {
  partition: number;
  /** The first offset that the group has not committed. */
  next: bigint;
}

/** Positions of durable groups, as the broker knows them: also those of groups that other processes handle. */
export class KafkaGroups {
  constructor(
    private readonly topics: KafkaTopics,
    private readonly clock: BusClock,
  ) {}

  /** @throws BusError `refused` while the group has members, `deadline` when the broker does not answer in 10 s */
  async rewind(topic: Topic<unknown>, groupId: string, to: number | 'beginning'): Promise<void> {
    await this.answered(topic, async (admin) => {
      const { groups } = await admin.describeGroups([groupId]);
      if (groups.some(({ members }) => members.length > 0))
        throw new BusError('refused', `group ${groupId} has a handler`);
      const partitions =
        to === 'beginning'
          ? (await admin.fetchTopicOffsets(topic.name)).map(({ partition, low }) => ({ partition, offset: low }))
          : await admin.fetchTopicOffsetsByTimestamp(topic.name, to);
      await admin.setOffsets({ groupId, topic: topic.name, partitions });
    });
  }

  /** @throws BusError `deadline` when the broker does not answer in 10 s */
  async lag(topic: Topic<unknown>, groupId: string): Promise<GroupLag> {
    return this.answered(topic, async (admin) => {
      const [ends, [committed]] = await Promise.all([
        admin.fetchTopicOffsets(topic.name),
        admin.fetchOffsets({ groupId, topics: [topic.name] }),
      ]);
      const positions = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      let records = 0n;
      const behind: Behind[] = [];
      for (const { partition, low, high } of ends) {
        // A group that never committed begins at the beginning, and what was removed meanwhile is not before it.
        const position = positions.get(partition) ?? -1n;
        const next = position > BigInt(low) ? position : BigInt(low);
        if (next >= BigInt(high)) continue;
        records += BigInt(high) - next;
        behind.push({ partition, next });
      }
      return { records: Number(records), ms: await this.ageMs(admin, topic, behind) };
    });
  }

  /**
   * Age of the oldest message that is not committed. The protocol tells the offset of a time and not the time of an
   * offset, so the time is looked for: back in steps that double, then by halving.
   */
  private async ageMs(admin: Admin, topic: Topic<unknown>, behind: readonly Behind[]): Promise<number> {
    if (behind.length === 0) return 0;
    const nowMs = this.clock.wallMs();
    const reachesBack = async (ageMs: number): Promise<boolean> => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic.name, Math.max(0, nowMs - ageMs));
      const firsts = new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
      return behind.every(({ partition, next }) => (firsts.get(partition) ?? 0n) <= next);
    };
    let tooYoungMs = 0;
    let oldEnoughMs = AGE_STEP_MS;
    while (oldEnoughMs < nowMs && !(await reachesBack(oldEnoughMs))) {
      tooYoungMs = oldEnoughMs;
      oldEnoughMs *= 2;
    }
    while (oldEnoughMs - tooYoungMs > Math.max(AGE_STEP_MS, oldEnoughMs / AGE_STEP_PART)) {
      const middleMs = (tooYoungMs + oldEnoughMs) / 2;
      if (await reachesBack(Math.round(middleMs))) oldEnoughMs = middleMs;
      else tooYoungMs = middleMs;
    }
    return Math.round(oldEnoughMs);
  }

  private async answered<T>(topic: Topic<unknown>, work: (admin: Admin) => Promise<T>): Promise<T> {
    const outwaited = new AbortController();
    const late = pause(ANSWER_WITHIN_MS, outwaited.signal).then(() => {
      throw new BusError('deadline', `${topic.name}: the bus did not answer in ${ANSWER_WITHIN_MS} ms`);
    });
    late.catch(() => {});
    const asked = this.topics.ensure([topic]).then(() => this.topics.withAdmin(work));
    // What fails after the deadline has nobody left to tell.
    asked.catch(() => {});
    try {
      return await Promise.race([asked, late]);
    } finally {
      outwaited.abort();
    }
  }
}
