/**
 * The way a vendor signs its images, as far as it is published. `keyless`: with certificates of Sigstore or an issuer of
 * its own. `rsa`: with an RSA key. `attestations`: it signs statements about the image, kept elsewhere. `copies`: the
 * images are copies of Istio's, among many others. `unknown`: nothing was found.
 */
export type VendorSigning = 'keyless' | 'rsa' | 'attestations' | 'copies' | 'unknown';

/** A vendor of Istio images, and the registry paths under which it publishes them, at any depth; in normal form. */
export interface Vendor {
  readonly name: string;
  readonly places: readonly string[];
  readonly signing: VendorSigning;
}

/*
 * None is signed by Istio's key. Source, where a row names none: the vendors' installation pages and charts, as listed in
 * `test/fixtures/istio/hubs.json` under `lookalikes_not_signed_by_istio_key`.
 */
export const vendors: readonly Vendor[] = [
  { name: 'Google Cloud Service Mesh', places: ['gcr.io/gke-release/asm'], signing: 'unknown' },
  {
    // MicrosoftDocs/azure-docs `articles/aks/istio-faq.md`; `v2` is where clusters have the add-on's 1.26 to 1.29 from.
    name: 'Microsoft AKS',
    places: ['mcr.microsoft.com/oss/istio', 'mcr.microsoft.com/oss/v2/istio'],
    signing: 'unknown',
  },
  {
    // `/etc/pki/sigstore/SIGSTORE-redhat-release3` of RHEL 10, for all of Red Hat's registries: RSA of 4,096 bits.
    name: 'Red Hat OpenShift Service Mesh',
    places: [
      'registry.redhat.io/openshift-service-mesh',
      'registry.redhat.io/openshift-service-mesh-tech-preview',
    ],
    signing: 'rsa',
  },
  { name: 'Maistra', places: ['quay.io/maistra', 'docker.io/maistra'], signing: 'unknown' },
  { name: 'the Sail operator project', places: ['quay.io/sail-dev'], signing: 'unknown' },
  {
    // solo-io/gloo-mesh-use-cases: `hub: us-docker.pkg.dev/gloo-mesh/istio-<key>`, from 1.25 on `soloio-img/istio`; to
    // 1.10 `gcr.io/istio-enterprise`.
    name: 'Solo.io',
    places: ['us-docker.pkg.dev/soloio-img', 'us-docker.pkg.dev/gloo-mesh', 'gcr.io/istio-enterprise'],
    signing: 'unknown',
  },
  {
    // docs.tetrate.io `istio-subscription/installation/verification`; the registries of the Istio distribution, of its
    // subscription and of Service Bridge.
    name: 'Tetrate',
    places: [
      'containers.istio.tetratelabs.com',
      'addon-containers.istio.tetratelabs.com',
      'fips-containers.istio.tetratelabs.com',
      'containers.dl.tetrate.io',
      'registry1.dso.mil/ironbank/tetrate',
    ],
    signing: 'keyless',
  },
  {
    // Rancher Prime has the names of Docker Hub under its own registries: `registry.rancher.com/rancher/mirrored-…`.
    name: 'Rancher',
    places: ['docker.io/rancher', 'registry.rancher.com/rancher', 'registry.suse.com/rancher'],
    signing: 'copies',
  },
  { name: 'Iron Bank', places: ['registry1.dso.mil/ironbank/opensource/istio'], signing: 'unknown' },
  {
    // edu.chainguard.dev, "How to Use Chainguard Images"; each organisation has a path of its own.
    name: 'Chainguard',
    places: ['cgr.dev'],
    signing: 'keyless',
  },
  // docs.docker.com `dhi/how-to/verify`.
  { name: 'Docker Hardened Images', places: ['dhi.io'], signing: 'attestations' },
  { name: 'Intel', places: ['docker.io/intel'], signing: 'unknown' },
  { name: 'querycap', places: ['docker.io/querycapistio'], signing: 'unknown' },
];
