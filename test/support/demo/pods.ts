import { readFixture } from '../fixtures.ts';

interface InjectedPod {
  readonly file: string;
  readonly pod: object;
}

const injected = readFixture<readonly InjectedPod[]>('istio', 'pods.json');

/** Returns a pod that Istio's own injector made (istio/istio `pkg/kube/inject/testdata`), with its Istio images replaced. */
export const injectedPod = (file: string, image: string): object => {
  const entry = injected.find((candidate) => candidate.file === file);
  if (entry === undefined) throw new Error(`${file} not found in pods.json`);
  return JSON.parse(
    JSON.stringify(entry.pod, (name, value: unknown) =>
      name === 'image' && typeof value === 'string' && value.includes('/proxyv2:') ? image : value,
    ),
  ) as object;
};
