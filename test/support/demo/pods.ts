import { readFixture } from '../shared.ts';

interface InjectedPod {
  readonly file: string;
  readonly pod: object;
}

const injected = readFixture<readonly InjectedPod[]>('istio', 'pods.json');

/** One of the pods that Istio's own injector made (istio/istio `pkg/kube/inject/testdata`), its Istio images replaced. */
export const injectedPod = (file: string, image: string): object => {
  const found = injected.find((one) => one.file === file);
  if (found === undefined) throw new Error(`pods.json holds no ${file}`);
  return JSON.parse(
    JSON.stringify(found.pod, (name, value: unknown) =>
      name === 'image' && typeof value === 'string' && value.includes('/proxyv2:') ? image : value,
    ),
  ) as object;
};
