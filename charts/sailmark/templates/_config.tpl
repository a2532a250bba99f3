{{/* The configuration file: `config`, and the keys that the chart writes itself. */}}
{{- define "sailmark.config" -}}
{{- $file := deepCopy (default dict .Values.config) -}}
{{- if not $file.trustedRoot }}{{ $_ := unset $file "trustedRoot" }}{{ end -}}
{{- range $key, $value := $file }}{{ if kindIs "invalid" $value }}{{ $_ := unset $file $key }}{{ end }}{{ end -}}
{{- $_ := set $file "apiVersion" "sailmark.dev/v1alpha1" -}}
{{- $_ := set $file "kind" "Configuration" -}}
{{- $_ := set $file "pin" .Values.pin -}}
{{- with include "sailmark.config.evidence" . | fromYaml }}{{ $_ := set $file "evidence" . }}{{ end -}}
{{- $_ := set $file "server" (include "sailmark.config.server" . | fromYaml) -}}
{{- if include "sailmark.asksApi" . -}}
{{- $_ := set $file "kubernetes" (include "sailmark.config.kubernetes" . | fromYaml) -}}
{{- end -}}
{{- toYaml $file -}}
{{- end }}

{{- define "sailmark.config.evidence" -}}
{{- with .Values.evidence.read }}
read:
  {{- range $name := keys . | sortAlpha }}
  - {{ printf "/evidence/%s" $name | quote }}
  {{- end }}
{{- end }}
{{- if has .Values.evidence.write.kind (list "emptyDir" "persistentVolumeClaim") }}
write: /var/lib/sailmark
{{- end }}
{{- end }}

{{- define "sailmark.config.server" -}}
{{- $address := .Values.listen.address | default "" -}}
{{- $host := ternary (printf "[%s]" $address) $address (contains ":" $address) -}}
listen: {{ printf "%s:%v" $host .Values.listen.webhook | quote }}
probes: {{ printf "%s:%v" $host .Values.listen.probes | quote }}
certificate: {cert: /tls/tls.crt, key: /tls/tls.key}
log: {level: {{ .Values.log.level | quote }}, format: {{ .Values.log.format | quote }}}
{{- end }}

{{- define "sailmark.config.kubernetes" -}}
namespace: {{ .Release.Namespace | quote }}
events: {{ .Values.kubernetes.events }}
warmUp: {{ .Values.kubernetes.warmUp | quote }}
{{- if eq .Values.evidence.write.kind "cluster" }}
evidence:
  {{- $names := include "sailmark.evidenceConfigMaps" . | fromJsonArray }}
  tags: {{ first $names | quote }}
  images: {{ rest $names | toJson }}
{{- end }}
{{- if .Values.scan.enabled }}
scanResult: {{ include "sailmark.scanName" . | quote }}
{{- end }}
{{- if include "sailmark.waits" . }}
activation: {webhookConfiguration: {{ include "sailmark.fullname" . | quote }}}
{{- end }}
{{- if eq .Values.certificates.mode "self" }}
{{- with .Values.certificates.self }}
certificates:
  secret: {{ include "sailmark.certificateSecret" $ | quote }}
  webhookConfiguration: {{ include "sailmark.fullname" $ | quote }}
  {{- if ne $.Values.pin "never" }}
  mutatingWebhookConfiguration: {{ include "sailmark.pinName" $ | quote }}
  {{- end }}
  dnsNames:
    - {{ include "sailmark.host" $ | quote }}
    - {{ include "sailmark.host" $ | printf "%s.cluster.local" | quote }}
    {{- with include "sailmark.urlHost" $ }}
    - {{ . | quote }}
    {{- end }}
    {{- range .extraNames }}
    - {{ . | quote }}
    {{- end }}
  caLifetime: {{ .caLifetime | quote }}
  lifetime: {{ .lifetime | quote }}
  overlap: {{ .overlap | quote }}
{{- end }}
{{- end }}
{{- end }}
