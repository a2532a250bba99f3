{{/* On OpenShift the SecurityContextConstraints of the namespace set user and group, and refuse others. */}}
{{- define "sailmark.podSecurityContext" -}}
{{- $context := deepCopy (default dict .Values.podSecurityContext) -}}
{{- if .Values.openshift }}{{ $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}{{ end -}}
{{- toYaml $context -}}
{{- end }}

{{/*
The configuration file is an annotation of the pod, so that each ReplicaSet carries its own: a replica of the rollout before
reads what it was started with, for as long as it exists, whatever Helm or a GitOps controller prunes.
*/}}
{{- define "sailmark.podAnnotations" -}}
{{- $own := dict "sailmark.dev/configuration" (include "sailmark.config" .) -}}
{{- $local := list -}}
{{- range include "sailmark.volumes" . | fromYamlArray }}{{ if hasKey . "emptyDir" }}{{ $local = append $local .name }}{{ end }}{{ end -}}
{{- $evictable := dict -}}
{{- /* Without it the cluster autoscaler removes no node that a pod with an emptyDir runs on. */ -}}
{{- with $local }}{{ $_ := set $evictable "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes" (join "," .) }}{{ end -}}
{{- merge $own (default dict .Values.podAnnotations) (default dict .Values.commonAnnotations) $evictable | toYaml -}}
{{- end }}

{{/* Node's options of the values are added to ours, unless they size the heap themselves; tunables of glibc replace ours. */}}
{{- define "sailmark.env" -}}
{{- $options := "--max-old-space-size-percentage=40" -}}
{{- $more := list -}}
{{- $isTuned := false -}}
{{- range .Values.extraEnv -}}
{{- if eq .name "GLIBC_TUNABLES" }}{{ $isTuned = true }}{{ end -}}
{{- if ne .name "NODE_OPTIONS" -}}
{{- $more = append $more . -}}
{{- else if regexMatch "max[-_]old[-_]space[-_]size" (default "" .value) -}}
{{- $options = .value -}}
{{- else -}}
{{- $options = printf "%s %s" $options (default "" .value) -}}
{{- end -}}
{{- end -}}
# Of the memory limit; the rest is for memory outside Node's heap.
- {name: NODE_OPTIONS, value: {{ trim $options | quote }}}
{{- if not $isTuned }}
# Larger pieces of memory are given back as soon as they are freed (mallopt(3), M_MMAP_THRESHOLD).
- {name: GLIBC_TUNABLES, value: glibc.malloc.mmap_threshold=131072}
{{- end }}
{{- with $more }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sailmark.configMount" -}}
- {name: config, mountPath: /etc/sailmark/config.yaml, subPath: config.yaml, readOnly: true}
{{- end }}

{{- define "sailmark.apiMount" -}}
- {name: api, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{/* The files that the configuration names, and the evidence that is only read; may be nothing. */}}
{{- define "sailmark.fileMounts" -}}
{{- range $name := keys (default dict .Values.files) | sortAlpha }}
- {name: {{ printf "files-%s" $name | quote }}, mountPath: {{ printf "/etc/sailmark/%s" $name | quote }}, readOnly: true}
{{- end }}
{{- range $name := keys (default dict .Values.evidence.read) | sortAlpha }}
- {name: {{ printf "evidence-%s" $name | quote }}, mountPath: {{ printf "/evidence/%s" $name | quote }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "sailmark.ownVolumeMounts" -}}
{{ include "sailmark.configMount" . }}
- {name: certificate, mountPath: /tls, readOnly: true}
{{- if include "sailmark.asksApi" . }}
{{ include "sailmark.apiMount" . }}
{{- end }}
{{- include "sailmark.fileMounts" . }}
{{- if has .Values.evidence.write.kind (list "emptyDir" "persistentVolumeClaim") }}
- {name: kept, mountPath: /var/lib/sailmark}
{{- end }}
{{- end }}

{{- define "sailmark.volumeMounts" -}}
{{- include "sailmark.ownVolumeMounts" . }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sailmark.configVolume" -}}
- name: config
  downwardAPI:
    items: [{path: config.yaml, fieldRef: {apiVersion: v1, fieldPath: "metadata.annotations['sailmark.dev/configuration']"}}]
{{- end }}

{{- define "sailmark.apiVolume" -}}
# As automountServiceAccountToken would mount it; mounted only if it is used.
- name: api
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- end }}

{{/* As sailmark.fileMounts. */}}
{{- define "sailmark.fileVolumes" -}}
{{- range $name := keys (default dict .Values.files) | sortAlpha }}
- {{ merge (dict "name" (printf "files-%s" $name)) (get $.Values.files $name) | toYaml | nindent 2 | trim }}
{{- end }}
{{- range $name := keys (default dict .Values.evidence.read) | sortAlpha }}
- {{ merge (dict "name" (printf "evidence-%s" $name)) (get $.Values.evidence.read $name) | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}

{{- define "sailmark.ownVolumes" -}}
{{ include "sailmark.configVolume" . }}
- name: certificate
  secret: {secretName: {{ include "sailmark.certificateSecret" . | quote }}}
{{- if include "sailmark.asksApi" . }}
{{ include "sailmark.apiVolume" . }}
{{- end }}
{{- include "sailmark.fileVolumes" . }}
{{- with .Values.evidence.write }}
{{- if eq .kind "emptyDir" }}
- name: kept
  emptyDir: {sizeLimit: {{ .sizeLimit | quote }}}
{{- else if eq .kind "persistentVolumeClaim" }}
{{- $own := printf "%s-kept" (include "sailmark.fullname" $) }}
- name: kept
  persistentVolumeClaim: {claimName: {{ .persistentVolumeClaim.existingClaim | default $own | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "sailmark.volumes" -}}
{{- include "sailmark.ownVolumes" . }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
