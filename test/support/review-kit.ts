import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Mirror, startMirror } from './mirror.ts';
import { type CliOptions, type Printed, runCli } from './run-cli.ts';

/** `sailmark review` with a mirror of Istio's images, one of them unsigned, and a directory for manifests. */
export interface ReviewKit {
  readonly mirror: Mirror;
  readonly hub: string;
  readonly directory: string;
  /** The tag of signed images: `pilot`, `proxyv2`, `install-cni` and `ztunnel`. */
  readonly signed: string;
  /** The tag of the same images without a signature. */
  readonly unsigned: string;
  /** Reviews the input, given as text or as an object, or what `argv` names. */
  review(input: string | object, ...argv: readonly string[]): Promise<Printed>;
  /** Runs `review` with these arguments. */
  run(argv: readonly string[], options?: CliOptions): Promise<Printed>;
  /** Writes files below the directory. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  close(): Promise<void>;
}

export const startReviewKit = async (): Promise<ReviewKit> => {
  const mirror = await startMirror();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-review-'));
  const [signed, unsigned] = ['1.28.0', '1.28.1'];
  for (const component of ['pilot', 'proxyv2', 'install-cni', 'ztunnel'])
    for (const suffix of ['', '-distroless']) {
      mirror.add({ component, tag: `${signed}${suffix}` });
      mirror.add({ component, tag: `${unsigned}${suffix}`, by: false });
    }
  const config = join(directory, 'sailmark.yaml.config');
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
  const run: ReviewKit['run'] = (argv, options) => runCli(['review', '--config', config, ...argv], options);
  return {
    mirror,
    hub: `${mirror.registry.host}/istio`,
    directory,
    signed,
    unsigned,
    run,
    review: (input, ...argv) =>
      run(['-f', '-', ...argv], { stdin: typeof input === 'string' ? input : JSON.stringify(input) }),
    write: async (files) => {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(directory, name)), { recursive: true });
        await writeFile(join(directory, name), content);
      }
    },
    close: async () => {
      await mirror.registry.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
