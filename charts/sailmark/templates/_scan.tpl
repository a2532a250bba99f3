{{- define "sailmark.scanName" -}}
{{- include "sailmark.fullname" . }}-scan
{{- end }}

{{- define "sailmark.scanAccountName" -}}
{{- $made := ternary (include "sailmark.scanName" .) "default" .Values.scan.serviceAccount.create -}}
{{- default $made .Values.scan.serviceAccount.name -}}
{{- end }}

{{/* The configuration file of the scan: the same policy, without what only the webhook has. */}}
{{- define "sailmark.scanConfig" -}}
{{- $file := include "sailmark.config" . | fromYaml -}}
{{- $_ := unset $file "server" -}}
{{- if $file.evidence }}{{ $_ := unset $file.evidence "write" }}{{ end -}}
{{- if not $file.evidence }}{{ $_ := unset $file "evidence" }}{{ end -}}
{{- $_ := set $file "kubernetes" (dict "namespace" .Release.Namespace "events" false "warmUp" "0s") -}}
{{- toYaml $file -}}
{{- end }}

{{/* The arguments of the scan. extraArgs come last. */}}
{{- define "sailmark.scanArgs" -}}
{{- $args := list "scan" "--config" "/etc/sailmark/config.yaml" "--mode" .Values.scan.mode "--fail-on" .Values.scan.failOn -}}
{{- $args = concat $args (list "--keep" (printf "%s/%s" .Release.Namespace (include "sailmark.scanName" .))) -}}
{{- if .Values.scan.reports.enabled }}{{ $args = append $args "--reports" }}{{ end -}}
{{- if .Values.scan.events }}{{ $args = append $args "--events" }}{{ end -}}
{{- concat $args (default list .Values.scan.extraArgs) | toJson -}}
{{- end }}

{{/* The rights of the account beside those on its own ConfigMap: a YAML list of rules. */}}
{{- define "sailmark.scanRules" -}}
# The kinds that are scanned: pods, and every kind that holds a pod template. Never Secrets.
- {apiGroups: [""], resources: [pods, namespaces, replicationcontrollers, podtemplates], verbs: [list]}
- {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets, replicasets], verbs: [list]}
- {apiGroups: [batch], resources: [cronjobs, jobs], verbs: [list]}
- {apiGroups: [serving.knative.dev], resources: [services, configurations, revisions], verbs: [list]}
- {apiGroups: [argoproj.io], resources: [rollouts], verbs: [list]}
- {apiGroups: [apps.openshift.io], resources: [deploymentconfigs], verbs: [list]}
- apiGroups: [apps.kruise.io]
  resources: [uniteddeployments, clonesets, statefulsets, daemonsets, sidecarsets, advancedcronjobs, broadcastjobs]
  verbs: [list]
- {apiGroups: [keda.sh], resources: [scaledjobs], verbs: [list]}
- {apiGroups: [jobset.x-k8s.io], resources: [jobsets], verbs: [list]}
- {apiGroups: [leaderworkerset.x-k8s.io], resources: [leaderworkersets], verbs: [list]}
- {apiGroups: [batch.volcano.sh], resources: [jobs], verbs: [list]}
- {apiGroups: [ray.io], resources: [rayservices, rayjobs, rayclusters], verbs: [list]}
- {apiGroups: [core.strimzi.io], resources: [strimzipodsets], verbs: [list]}
# How namespaces are judged, and which injectors there are.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations, mutatingwebhookconfigurations]
  verbs: [list]
# The configuration of what Istio injects and installs. Its ConfigMaps are read by the names that each revision has: none is listed.
- {apiGroups: [""], resources: [configmaps], verbs: [get]}
- {apiGroups: [install.istio.io], resources: [istiooperators], verbs: [list]}
- {apiGroups: [sailoperator.io], resources: [istios, istiorevisions, istiocnis, ztunnels], verbs: [list]}
- {apiGroups: [networking.istio.io], resources: [proxyconfigs], verbs: [list]}
{{- if .Values.scan.reports.enabled }}
# Its own reports: of others it changes none.
- {apiGroups: [openreports.io], resources: [reports], verbs: [list, get, create, update, delete]}
- {apiGroups: [wgpolicyk8s.io], resources: [policyreports], verbs: [list, get, create, update, delete]}
{{- end }}
{{- if .Values.scan.events }}
- {apiGroups: [events.k8s.io], resources: [events], verbs: [create]}
{{- end }}
{{- end }}
