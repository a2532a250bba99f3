import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pathOf } from './tools.ts';

/** go-containerregistry's registry, with the referrers API: plain HTTP, open to anybody, in memory. */
export interface ReferrersRegistry {
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts it on a free port of loopback. It ends with this process at the latest. */
export const startReferrersRegistry = async (): Promise<ReferrersRegistry> => {
  const child = spawn(pathOf('referrers-registry'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const [host] = (await Promise.race([
    once(lines, 'line'),
    ended.then(([code]) => Promise.reject(new Error(`referrers-registry ended with ${code}`))),
  ])) as [string];
  return {
    host,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
};
