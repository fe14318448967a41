import { secretStoreContract } from '../secret-store.contract.js';
import { createVaultStore } from './vault-store.js';
import { vaultScene } from './vault.scene.js';

const scene = vaultScene();
const turnKey = async () => void (await scene.bao.ask('POST', 'transit/keys/warder/rotate'));

secretStoreContract('vault, at a real OpenBao that is sealed meanwhile', {
  start: async () => ({
    open: async () => createVaultStore(await scene.settings()),
    turnKey,
    takeAway: () => scene.bao.seal(),
    giveBack: () => scene.bao.unseal(),
    awayState: 'sealed',
  }),
  end: () => scene.empty(),
});

secretStoreContract('vault, at a real OpenBao that stops listening meanwhile', {
  start: async () => ({
    open: async () => createVaultStore(await scene.settings()),
    turnKey,
    takeAway: () => scene.bao.halt(),
    giveBack: async () => {
      await scene.bao.launch();
      await scene.bao.unseal();
    },
    awayState: 'unreachable',
  }),
  end: () => scene.empty(),
});

secretStoreContract('vault, at a real OpenBao that accepts and does not answer meanwhile', {
  start: async () => ({
    open: async () => createVaultStore(await scene.settings({ timeoutMs: 500 })),
    turnKey,
    takeAway: () => scene.bao.pause(),
    giveBack: async () => scene.bao.resume(),
    awayState: 'unreachable',
  }),
  end: async () => {
    scene.bao.resume();
    await scene.empty();
  },
});
