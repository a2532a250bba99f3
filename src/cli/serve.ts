import { untilAborted } from '../base/index.ts';
import { formatAddress } from '../config/index.ts';
import { createLog } from '../observability/index.ts';
import { createWebhook } from '../webhook/index.ts';
import type { Command, Flags, Io } from './command-line/command.ts';
import { configFlag, readConfigFile } from './flags/config-flag.ts';
import { build } from './shared/build.ts';
import { parseNetwork } from './shared/network.ts';

/** The file descriptor of standard output. */
const STDOUT = 1;

const serve = async (flags: Flags, io: Io): Promise<number> => {
  const config = await readConfigFile(flags, 'serve');
  const shutdown = io.takeShutdownSignal();
  const log = createLog({ ...config.server.log, to: STDOUT });
  log.info({ ...build }, 'start');
  const instance = io.env['HOSTNAME'] ?? 'sailmark';
  const webhook = await createWebhook(config, {
    log,
    build,
    network: parseNetwork(io),
    instance,
    shutdown,
  });
  try {
    const { listen, probes } = await webhook.start();
    log.info({ listen: formatAddress(listen), probes: formatAddress(probes) }, 'listening');
    await untilAborted(shutdown);
    log.info({ signal: shutdown.reason as unknown, drainMs: config.limits.drain }, 'draining');
    await webhook.drain();
  } catch (error) {
    if (!shutdown.aborted || error !== shutdown.reason) throw error;
  } finally {
    await webhook.close();
  }
  log.info({}, 'stopped');
  return 0;
};

export const command: Command = {
  usage: 'serve --config FILE',
  description:
    'Runs the admission webhook: POST /validate/enforce, /validate/warn, /validate/audit and /validate/critical/<mode>, /workloads/<mode> and /workloads/critical/<mode> to warn of workloads, and /mutate/pin and /mutate/critical/pin to pin images, over HTTPS, and /livez, /readyz and /metrics over HTTP on a separate port. Both ports open after the configuration, the certificate, at least one key and the canary (a self-test of the verifier) pass. On SIGTERM the webhook drains: responses close their connections for a while, then the process exits.',
  flags: [configFlag],
  examples: ['sailmark serve --config /etc/sailmark/config.yaml'],
  maxOperands: 0,
  run: (flags, _operands, io) => serve(flags, io),
};
