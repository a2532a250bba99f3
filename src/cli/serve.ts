import { untilAborted } from '../base/index.ts';
import { formatAddress } from '../config/index.ts';
import { createLog } from '../observability/index.ts';
import { createWebhook } from '../webhook/index.ts';
import type { Command, Flags, Io } from './command-line/command.ts';
import { configFlag, readConfigFile } from './flags/config-flag.ts';
import { build } from './shared/build.ts';
import { parseNetwork } from './shared/network.ts';

const STDOUT = 1;

const serve = async (flags: Flags, io: Io): Promise<number> => {
  const config = await readConfigFile(flags, 'serve');
  const ended = io.takeShutdownSignal();
  const log = createLog({ ...config.server.log, to: STDOUT });
  log.info({ ...build }, 'start');
  const instance = io.env['HOSTNAME'] ?? 'sailmark';
  const webhook = await createWebhook(config, {
    log,
    build,
    network: parseNetwork(io),
    instance,
    shutdown: ended,
  });
  try {
    const { listen, probes } = await webhook.start();
    log.info({ listen: formatAddress(listen), probes: formatAddress(probes) }, 'listening');
    await untilAborted(ended);
    log.info({ signal: ended.reason as unknown, drainMs: config.limits.drain }, 'draining');
    await webhook.drain();
  } catch (error) {
    if (!ended.aborted || error !== ended.reason) throw error;
  } finally {
    await webhook.close();
  }
  log.info({}, 'stopped');
  return 0;
};

export const command: Command = {
  usage: 'serve --config FILE',
  description:
    'Runs the admission webhook: POST /validate/enforce, /validate/warn, /validate/audit and /validate/critical/<mode> over HTTPS, and /livez, /readyz, /metrics on a plain listener of their own. The ports open once the configuration, the certificate, at least one key and the canary are good. SIGTERM drains: answers close their connections for a while, then the process ends.',
  flags: [configFlag],
  examples: ['sailmark serve --config /etc/sailmark/config.yaml'],
  maxOperands: 0,
  run: (flags, _operands, io) => serve(flags, io),
};
