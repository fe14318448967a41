import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, type StartedCluster } from '@warder/testing';
import { ClusterKafka } from '../cluster-kafka.js';
import { FixtureScene } from '../fixture-scene.js';
import { eventually } from '../wire-agent.js';
import { ChaosReceivers } from './chaos-receivers.js';
import type { IngressNode } from './fault-plan.js';
import { ProcessFaults } from './process-faults.js';
import { SmallDisk } from './small-disk.js';

const JOURNALS: Readonly<Record<IngressNode, string>> = { 'ingress-1': 'node-1', 'ingress-2': 'node-2' };
const DISK_MEGABYTES = 160;
const JOURNAL_BYTES_MAX = 134_217_728;
/** The smallest, so that a few calls fill one. */
const SEGMENT_BYTES = 262_144;
const CHECKPOINT_EVERY_MS = 1_000;
export const UP_TIMEOUT_MS = 120_000;

/** What can fail, by service, and the directory of everything that the scene writes. */
interface Failing {
  readonly dir: string;
  readonly faults: ReadonlyMap<string, ProcessFaults>;
  readonly disks: ReadonlyMap<string, SmallDisk | undefined>;
}

/** A cluster whose disks and clocks can fail, with a receiver of each kind behind it. */
export class ChaosScene {
  readonly kafka: ClusterKafka;
  #broker = Promise.resolve();

  private constructor(
    readonly scene: FixtureScene<StartedCluster>,
    readonly receivers: ChaosReceivers,
    readonly token: string,
    private readonly failing: Failing,
  ) {
    this.kafka = new ClusterKafka(scene.warder);
  }

  static async start(): Promise<ChaosScene> {
    ensureBuilt('apps/cli');
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-chaos-')));
    const volumes = join(dir, 'cluster', 'volumes');
    const disks = new Map<string, SmallDisk | undefined>();
    const faults = new Map<string, ProcessFaults>([['audit', new ProcessFaults(join(dir, 'audit.faults'))]]);
    for (const [node, volume] of Object.entries(JOURNALS)) {
      disks.set(node, SmallDisk.mount(join(volumes, volume), DISK_MEGABYTES));
      faults.set(node, new ProcessFaults(join(dir, `${node}.faults`), join(volumes, volume, 'journal')));
    }
    const receivers = await ChaosReceivers.start();
    const journal = {
      WARDER_JOURNAL__SIZE_MAX_BYTES: String(JOURNAL_BYTES_MAX),
      WARDER_JOURNAL__SEGMENT_BYTES: String(SEGMENT_BYTES),
      WARDER_JOURNAL__CHECKPOINT_EVERY_MS: String(CHECKPOINT_EVERY_MS),
    };
    const scene = await FixtureScene.cluster({
      dataDir: join(dir, 'cluster'),
      fixture: { ledgerFile: join(dir, 'ledger') },
      environment: {
        'ingress-1': { ...journal, ...faults.get('ingress-1')?.environment },
        'ingress-2': { ...journal, ...faults.get('ingress-2')?.environment },
        audit: { ...receivers.environment, ...faults.get('audit')?.environment },
      },
    });
    const { token } = await scene.member();
    const made = new ChaosScene(scene, receivers, token, { dir, faults, disks });
    await made.serves();
    return made;
  }

  get dir(): string {
    return this.failing.dir;
  }

  /** How a disk is made full here. */
  get fullDisk(): string {
    return [...this.failing.disks.values()].every((disk) => disk !== undefined)
      ? 'a small tmpfs'
      : 'ENOSPC of new files';
  }

  faultsOf(service: string): ProcessFaults {
    const faults = this.failing.faults.get(service);
    if (faults === undefined) throw new Error(`${service} runs without faults`);
    return faults;
  }

  fillDisk(node: IngressNode): void {
    const disk = this.failing.disks.get(node);
    if (disk === undefined) this.faultsOf(node).set({ isFull: true });
    else disk.fill();
  }

  freeDisk(node: IngressNode): void {
    this.faultsOf(node).set({ isFull: false });
    this.failing.disks.get(node)?.free();
  }

  /** Kills the broker, and starts it again behind `meanwhile`. */
  async withoutBroker(meanwhile: () => Promise<void>): Promise<void> {
    await this.scene.warder.service('kafka').kill('SIGKILL');
    this.#broker = (async () => {
      try {
        await meanwhile();
      } finally {
        await this.start('kafka');
      }
    })();
    return this.#broker;
  }

  /** Starts a service; while the broker is away none comes up, so its time begins anew when the broker is back. */
  async up(name: string): Promise<void> {
    for (;;) {
      const broker = this.#broker;
      await broker.catch(() => undefined);
      try {
        return await this.start(name);
      } catch (error) {
        if (this.#broker === broker) throw error;
      }
    }
  }

  /** Until it stays: one that meets a failing disk at its start ends, and its supervisor tries again. */
  private async start(name: string): Promise<void> {
    const service = this.scene.warder.service(name);
    const stopAtMs = performance.now() + UP_TIMEOUT_MS;
    for (;;) {
      await service.start();
      try {
        return await service.healthy(Math.max(1, stopAtMs - performance.now()));
      } catch (error) {
        if (performance.now() > stopAtMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  /** Waits until both nodes serve. */
  async serves(): Promise<void> {
    for (const agent of this.scene.agents(this.token))
      await eventually(`${agent.node} serves`, () => agent.isServed(), UP_TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    await this.kafka.close();
    await this.scene.stop();
    await this.receivers.stop();
    for (const disk of this.failing.disks.values()) disk?.unmount();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
