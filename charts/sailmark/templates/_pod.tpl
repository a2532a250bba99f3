{{/* On OpenShift the SecurityContextConstraints of the namespace set user and group, and refuse others. */}}
{{- define "sailmark.podSecurityContext" -}}
{{- $context := deepCopy .Values.podSecurityContext -}}
{{- if .Values.openshift }}{{ $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}{{ end -}}
{{- toYaml $context -}}
{{- end }}

{{/*
The configuration file is an annotation of the pod, so that each ReplicaSet carries its own: a replica of the rollout before
reads what it was started with, for as long as it exists, whatever Helm or a GitOps controller prunes.
*/}}
{{- define "sailmark.podAnnotations" -}}
{{- $own := dict "sailmark.dev/configuration" (include "sailmark.config" .) -}}
{{- merge $own .Values.podAnnotations .Values.commonAnnotations | toYaml -}}
{{- end }}

{{- define "sailmark.env" -}}
# Of the memory limit; the rest is for memory outside Node's heap.
- {name: NODE_OPTIONS, value: "--max-old-space-size-percentage=33"}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sailmark.volumeMounts" -}}
- {name: config, mountPath: /etc/sailmark/config.yaml, subPath: config.yaml, readOnly: true}
- {name: certificate, mountPath: /tls, readOnly: true}
{{- if include "sailmark.asksApi" . }}
- {name: api, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
{{- range $name := keys .Values.files | sortAlpha }}
- {name: files-{{ $name }}, mountPath: /etc/sailmark/{{ $name }}, readOnly: true}
{{- end }}
{{- range $name := keys .Values.evidence.read | sortAlpha }}
- {name: evidence-{{ $name }}, mountPath: /evidence/{{ $name }}, readOnly: true}
{{- end }}
{{- if has .Values.evidence.write.kind (list "emptyDir" "persistentVolumeClaim") }}
- {name: kept, mountPath: /var/lib/sailmark}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sailmark.volumes" -}}
- name: config
  downwardAPI:
    items: [{path: config.yaml, fieldRef: {apiVersion: v1, fieldPath: "metadata.annotations['sailmark.dev/configuration']"}}]
- name: certificate
  secret: {secretName: {{ include "sailmark.certificateSecret" . }}}
{{- if include "sailmark.asksApi" . }}
# As automountServiceAccountToken would mount it; mounted only if it is used.
- name: api
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- end }}
{{- range $name := keys .Values.files | sortAlpha }}
- {{ merge (dict "name" (printf "files-%s" $name)) (get $.Values.files $name) | toYaml | nindent 2 | trim }}
{{- end }}
{{- range $name := keys .Values.evidence.read | sortAlpha }}
- {{ merge (dict "name" (printf "evidence-%s" $name)) (get $.Values.evidence.read $name) | toYaml | nindent 2 | trim }}
{{- end }}
{{- with .Values.evidence.write }}
{{- if eq .kind "emptyDir" }}
- name: kept
  emptyDir: {sizeLimit: {{ .sizeLimit }}}
{{- else if eq .kind "persistentVolumeClaim" }}
{{- $own := printf "%s-kept" (include "sailmark.fullname" $) }}
- name: kept
  persistentVolumeClaim: {claimName: {{ .persistentVolumeClaim.existingClaim | default $own }}}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
