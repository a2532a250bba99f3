/** A vendor of Istio images, and the registry paths under which it publishes them, at any depth; in normal form. */
export interface Vendor {
  readonly name: string;
  readonly places: readonly string[];
}

/*
 * Signed by the vendor's key, if at all, and never by Istio's. Source: the vendors' installation pages and charts, as
 * listed in `test/fixtures/istio/hubs.json` under `lookalikes_not_signed_by_istio_key`.
 */
export const vendors: readonly Vendor[] = [
  { name: 'Google Cloud Service Mesh', places: ['gcr.io/gke-release/asm'] },
  { name: 'Microsoft AKS', places: ['mcr.microsoft.com/oss/istio'] },
  {
    name: 'Red Hat OpenShift Service Mesh',
    places: [
      'registry.redhat.io/openshift-service-mesh',
      'registry.redhat.io/openshift-service-mesh-tech-preview',
    ],
  },
  { name: 'Maistra', places: ['quay.io/maistra', 'docker.io/maistra'] },
  { name: 'the Sail operator project', places: ['quay.io/sail-dev'] },
  { name: 'Solo.io', places: ['us-docker.pkg.dev/soloio-img/istio'] },
  { name: 'Tetrate', places: ['containers.istio.tetratelabs.com', 'registry1.dso.mil/ironbank/tetrate'] },
  { name: 'Rancher', places: ['docker.io/rancher'] },
  { name: 'Iron Bank', places: ['registry1.dso.mil/ironbank/opensource/istio'] },
  { name: 'Chainguard', places: ['cgr.dev/chainguard'] },
  { name: 'Docker Hardened Images', places: ['dhi.io'] },
  { name: 'Intel', places: ['docker.io/intel'] },
  { name: 'querycap', places: ['docker.io/querycapistio'] },
];
