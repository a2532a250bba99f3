/*
 * Facts: the hosts that distribution/reference v0.6.0 accepts before the path of an Istio image, as its `ParseDockerRef`
 * returned them, and those that it refuses. containerd v2.1.4 pulls what `ParseDockerRef` returns
 * (`internal/cri/server/images/image_pull.go`) from the text before the first slash (`pkg/reference`, `Spec.Hostname`),
 * so it pulls from a host with an underscore, which is no host name by RFC 1123.
 */

const HEX = 'e6693c20'.repeat(8);
const SHA256 = `sha256:${HEX}`;
const SHA384 = `sha384:${HEX}${HEX.slice(32)}`;
const SHA512 = `sha512:${HEX}${HEX}`;

/** Returns a reference to `HOST/aaa…/istio/pilot` whose name has a number of characters. */
const ofLength = (host: string, length: number): string => {
  const end = '/istio/pilot';
  return `${host}/${'a'.repeat(length - host.length - 1 - end.length)}${end}`;
};

/** A reference that distribution accepts, and its normal form. */
export const acceptedReferences: readonly (readonly [text: string, normal: string])[] = [
  ['my_registry.corp.example/istio/pilot:1.28.0', 'my_registry.corp.example/istio/pilot:1.28.0'],
  ['my__registry.corp.example/istio/pilot:1.28.0', 'my__registry.corp.example/istio/pilot:1.28.0'],
  ['registry.corp.ex__ample/istio/pilot:1.28.0', 'registry.corp.ex__ample/istio/pilot:1.28.0'],
  ['a_b.c_d.e_f/istio/pilot:1.28.0', 'a_b.c_d.e_f/istio/pilot:1.28.0'],
  ['a--b.example/istio/pilot:1.28.0', 'a--b.example/istio/pilot:1.28.0'],
  ['my_registry/istio/pilot:1.28.0', 'docker.io/my_registry/istio/pilot:1.28.0'],
  ['my__registry/istio/pilot:1.28.0', 'docker.io/my__registry/istio/pilot:1.28.0'],
  ['local_host/istio/pilot:1.28.0', 'docker.io/local_host/istio/pilot:1.28.0'],
  ['localhost/istio/pilot:1.28.0', 'localhost/istio/pilot:1.28.0'],
  ['LOCALHOST/istio/pilot:1.28.0', 'LOCALHOST/istio/pilot:1.28.0'],
  ['localhost:5000/istio/pilot:1.28.0', 'localhost:5000/istio/pilot:1.28.0'],
  ['docker_io.io/istio/pilot:1.28.0', 'docker_io.io/istio/pilot:1.28.0'],
  ['index_docker.io/istio/pilot:1.28.0', 'index_docker.io/istio/pilot:1.28.0'],
  ['1_2.3.4/istio/pilot:1.28.0', '1_2.3.4/istio/pilot:1.28.0'],
  ['10.0.0_1/istio/pilot:1.28.0', '10.0.0_1/istio/pilot:1.28.0'],
  ['127.0.0.1/istio/pilot:1.28.0', '127.0.0.1/istio/pilot:1.28.0'],
  ['[::1]/istio/pilot:1.28.0', '[::1]/istio/pilot:1.28.0'],
  ['xn--isti-0cf.com/istio/pilot:1.28.0', 'xn--isti-0cf.com/istio/pilot:1.28.0'],
  ['xn--isti_0cf.com/istio/pilot:1.28.0', 'xn--isti_0cf.com/istio/pilot:1.28.0'],
  ['evil.example:00000443/istio/pilot:1.28.0', 'evil.example:00000443/istio/pilot:1.28.0'],
  [
    'my_registry.corp.example/docker.io/istio/pilot:1.28.0',
    'my_registry.corp.example/docker.io/istio/pilot:1.28.0',
  ],
  ['my_registry.corp.example/istio/proxyv2', 'my_registry.corp.example/istio/proxyv2:latest'],
  ['my_registry.corp.example/pilot:1', 'my_registry.corp.example/pilot:1'],
  [`my_registry.corp.example/istio/pilot:1.28.0@${SHA256}`, `my_registry.corp.example/istio/pilot@${SHA256}`],
  [`my_registry.corp.example/istio/pilot@${SHA256}`, `my_registry.corp.example/istio/pilot@${SHA256}`],
  [`my_registry.corp.example/istio/pilot@${SHA512}`, `my_registry.corp.example/istio/pilot@${SHA512}`],
  [`my_registry.corp.example/istio/pilot@${SHA384}`, `my_registry.corp.example/istio/pilot@${SHA384}`],
  ['my_registry.corp.example', 'docker.io/library/my_registry.corp.example:latest'],
  ['my_registry.corp.example:5000', 'docker.io/library/my_registry.corp.example:5000'],
  [`my_registry.corp.example@${SHA256}`, `docker.io/library/my_registry.corp.example@${SHA256}`],
  // Without a host that the host grammar accepts, the whole name is the path, and may have 255 characters.
  [`${ofLength('my_registry.corp.example', 255)}:1`, `${ofLength('my_registry.corp.example', 255)}:1`],
  [`${ofLength('my-registry.corp.example', 280)}:1`, `${ofLength('my-registry.corp.example', 280)}:1`],
  [`my-${'a'.repeat(300)}.b/istio/pilot`, `my-${'a'.repeat(300)}.b/istio/pilot:latest`],
];

/** References that distribution accepts, longer than 4,096 characters: it limits neither a host nor the zeros of a port. */
export const acceptedLongReferences: readonly string[] = [
  `evil.example:${'0'.repeat(5000)}443/istio/pilot:1.28.0`,
  `${'a.'.repeat(3000)}example/istio/pilot:1.28.0`,
  `${'a.'.repeat(3000)}example/proxyv2@${SHA256}`,
];

/** References that distribution refuses. */
export const refusedReferences: readonly string[] = [
  'my___registry.corp.example/istio/pilot:1.28.0',
  '_registry.corp.example/istio/pilot:1.28.0',
  'registry_.corp.example/istio/pilot:1.28.0',
  'registry._corp.example/istio/pilot:1.28.0',
  'registry.corp_.example/istio/pilot:1.28.0',
  'registry.corp.example_/istio/pilot:1.28.0',
  '__registry.corp.example/istio/pilot:1.28.0',
  'my_-registry.corp.example/istio/pilot:1.28.0',
  'my-_registry.corp.example/istio/pilot:1.28.0',
  'my_.registry.corp.example/istio/pilot:1.28.0',
  'a-_b.example/istio/pilot:1.28.0',
  'a..b.example/istio/pilot:1.28.0',
  'my_registry./istio/pilot:1.28.0',
  '.my_registry/istio/pilot:1.28.0',
  'my_registry:5000/istio/pilot:1.28.0',
  'my_registry.corp.example:5000/istio/pilot:1.28.0',
  'my_registry.corp.example:/istio/pilot:1.28.0',
  'my_registry.corp.example:http/istio/pilot:1.28.0',
  'My_registry.corp.example/istio/pilot:1.28.0',
  'my_registry.Corp.example/istio/pilot:1.28.0',
  'MY_REGISTRY.CORP.EXAMPLE/istio/pilot:1.28.0',
  'MY_REGISTRY/istio/pilot:1.28.0',
  'My__Registry/istio/pilot:1.28.0',
  'localhost_/istio/pilot:1.28.0',
  'localhost./istio/pilot:1.28.0',
  'local_host:5000/istio/pilot:1.28.0',
  'docker.io_/istio/pilot:1.28.0',
  'docker_.io/istio/pilot:1.28.0',
  '_docker.io/istio/pilot:1.28.0',
  '10.0.0.1_/istio/pilot:1.28.0',
  '[::1]_/istio/pilot:1.28.0',
  '[::1_2]:5000/istio/pilot:1.28.0',
  'gcr_.io/istio/pilot:1.28.0',
  'gcr.io_/istio/pilot:1.28.0',
  'my_registry.corp.example./istio/pilot:1.28.0',
  'user@my_registry.corp.example/istio/pilot:1.28.0',
  'my%5fregistry.corp.example/istio/pilot:1.28.0',
  'my_registry.corp.example/../evil.example/istio/pilot:1.28.0',
  'my_registry.corp.example//istio/pilot:1.28.0',
  'my_registry.corp.example//x/istio/pilot:1.28.0',
  'my_registry.corp.example/istio/Pilot:1',
  'my_registry.corp.example/istio/pilot@md5:e6693c20e6693c20e6693c20e6693c20',
  `${ofLength('my_registry.corp.example', 256)}:1`,
  `${ofLength('my-registry.corp.example', 281)}:1`,
  `my_${'a'.repeat(240)}.b/istio/pilot`,
];
