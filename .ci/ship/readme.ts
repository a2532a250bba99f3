import type { Shipment } from './shipment.ts';

/*
 * The README of what is downloaded. It lies alone, without docs/ beside it: it links to the repository of the project at the tag of the
 * release if that is set, and to nothing otherwise.
 */

/** The part of a README that says how this form of the program is installed. */
export type ReadmeKind = 'npm' | 'archive';

const INSTALL: Readonly<Record<ReadmeKind, (version: string) => string>> = {
  npm: (
    version,
  ) => `Needs Node.js 24.15 or a later 24, or 26 or later. The package has no dependencies and runs nothing when it is installed.

\`\`\`sh
npm install --global ./sailmark-${version}.tgz
sailmark version
\`\`\``,
  archive:
    () => `The program is one file and needs no Node.js: Linux with glibc 2.28 or later (not musl). Copy it or link to it from a directory
on the PATH. Completion for bash, zsh and fish is in \`completions/\`.

\`\`\`sh
install -m 755 sailmark ~/.local/bin/
install -m 644 -D completions/sailmark.bash ~/.local/share/bash-completion/completions/sailmark
sailmark version
\`\`\`

NODE_OPTIONS has no effect on it; NODE_EXTRA_CA_CERTS has.`,
};

const documentation = ({ version, project: { sources, home } }: Shipment): string => {
  const pages =
    sources === undefined ? undefined : `${sources.replace(/\/$/, '')}/blob/v${version}/README.md`;
  const links = [
    ...(home === undefined ? [] : [`* The project: <${home}>`]),
    ...(pages === undefined ? [] : [`* Documentation of this release: <${pages}>`]),
  ];
  return links.length === 0 ? '' : `\n## More\n\n${links.join('\n')}\n`;
};

/** Returns the README of an npm package or an archive. */
export const readmeOf = (kind: ReadmeKind, shipment: Shipment): string => `# sailmark ${shipment.version}

Lets a pod start only when every Istio image in it is signed by Istio's release key: a Kubernetes admission webhook, and a command line
that gives the same verdict.

## Install

${INSTALL[kind](shipment.version)}

## Use

\`\`\`sh
sailmark verify docker.io/istio/pilot:1.30.0     # is it signed by Istio's release key?
sailmark review -f manifests/                    # what would the webhook decide for these?
sailmark scan                                    # what would it refuse in the cluster that runs now?
sailmark --help                                  # all commands; sailmark COMMAND --help has the flags and examples
sailmark explain                                 # every reason of a refusal, and what to do
\`\`\`
${documentation(shipment)}
## Licence

Apache License 2.0 (\`LICENSE\`). \`LICENSES.txt\` has the licences of everything that is part of this file.
`;
